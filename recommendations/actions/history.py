"""What a person does with their own history: forget listens, leave them out of their taste."""

from django.db import transaction
from django.db.models import QuerySet

from privacy_center.interface import Person, Purpose, hold_consent
from recommendations.actions.listening import NotConsented, storing
from recommendations.actions.training import note_change, note_less
from recommendations.models import Listen, VectorChange
from recommendations.weights import HEARD_FROM

Kind = VectorChange.Kind


def delete_listens(person: Person, listens: QuerySet[Listen]) -> int:
    """Delete those of `listens` that are the person's own; return how many there were.

    It needs no live consent: what may not be kept any more may still be deleted.
    """
    if person.subject_id is None:
        raise NotConsented
    with transaction.atomic():
        # Before any row of behavior, as a withdrawal does it: the other order would be a deadlock.
        hold_consent(person.subject_id, Purpose.LISTENING_STORE)
        own = listens.filter(subject_id=person.subject_id)
        is_less = _counted(own).exists()
        deleted, _by_model = own.delete()
        if is_less:
            note_less(person)
        return deleted


def exclude_listens(person: Person, listens: QuerySet[Listen]) -> int:
    """Leave the person's own of `listens` out of their taste: they stay in the history, and are
    used neither for shelves nor for training. Return how many were in it."""
    with storing(person) as under:
        own = listens.filter(subject_id=under.subject_id, is_excluded=False)
        is_less = _counted(own).exists()
        excluded = own.update(is_excluded=True)
        if is_less:
            note_less(person)
        return excluded


def include_listens(person: Person, listens: QuerySet[Listen]) -> int:
    """Count the person's own of `listens` again; return how many were left out."""
    with storing(person) as under:
        own = listens.filter(subject_id=under.subject_id, is_excluded=True)
        included = own.update(is_excluded=False)
        if included:
            note_change(under.subject_id, Kind.LEARN)
        return included


def _counted(listens: QuerySet[Listen]) -> QuerySet[Listen]:
    """Those that weigh something (weights.py)."""
    return listens.filter(is_excluded=False, completion__gte=HEARD_FROM)
