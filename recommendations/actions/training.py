"""Noting that the model must take something in: whose vector changed, or that the catalog did."""

from uuid import UUID

from django.db import connection
from django.utils import timezone

from privacy_center.interface import Person
from recommendations.models import ModelState, VectorChange
from recommendations.selectors.vector_change import CHANGES_LOCK
from recommendations.tasks.training import wake_trainer

Kind = VectorChange.Kind

# The trainer waits for whoever is about to note something (CHANGES_LOCK) before it publishes. What
# waits already is locked, so that the trainer passes over it until this transaction ends: it
# must not be taken up without what is being written now. To forget is more than to learn, and who
# asked to be forgotten has waited since they first did.
_NOTE = f"""
SELECT pg_advisory_xact_lock_shared({CHANGES_LOCK});
INSERT INTO recommendations_vectorchange AS waiting
    (kind, subject_id, created_at, batch, old, new)
VALUES (%(kind)s, %(subject_id)s, %(now)s, NULL, '', '')
ON CONFLICT ({{target}}) WHERE {{waits}} DO UPDATE SET
    kind = CASE WHEN waiting.kind = 'forget' THEN 'forget' ELSE excluded.kind END,
    created_at = CASE WHEN waiting.kind = excluded.kind OR waiting.kind = 'forget'
                      THEN waiting.created_at ELSE excluded.created_at END
"""  # noqa: S608 (constants only)
_NOTE_PERSON = _NOTE.format(target="subject_id", waits="batch IS NULL AND subject_id IS NOT NULL")
_NOTE_ALL = _NOTE.format(target="kind", waits="batch IS NULL AND subject_id IS NULL")


def note_change(subject_id: UUID, kind: VectorChange.Kind) -> None:
    """Have a person's vector read anew, after what this transaction changes. To forget wakes the
    trainer at once."""
    _note(_NOTE_PERSON, kind, subject_id)


def note_everybody(kind: VectorChange.Kind) -> None:
    """Have everybody's vector read anew: a notice changed, or many people came at once."""
    _note(_NOTE_ALL, kind, None)


def note_catalog() -> None:
    """Have a release made of the catalog as it is now."""
    _note(_NOTE_ALL, Kind.CATALOG, None)


def accept_quality() -> None:
    """Have the next release published whatever its quality, and made at once: for staff who looked
    at one that was held back."""
    ModelState.objects.update_or_create(defaults={"is_quality_accepted": True})
    wake_trainer(is_urgent=True)


def note_less(person: Person) -> None:
    """There is less to learn from a person: to forget it is urgent, if it was learned from. For
    anybody else the next release makes sure of it, because a yes may begin at this very moment."""
    if person.subject_id is not None:
        note_change(person.subject_id, Kind.FORGET if person.can_train else Kind.LEARN)


def _note(statement: str, kind: VectorChange.Kind, subject_id: UUID | None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            statement, {"kind": kind.value, "subject_id": subject_id, "now": timezone.now()}
        )
    if kind == Kind.FORGET:
        wake_trainer(is_urgent=True)
