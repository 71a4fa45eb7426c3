"""What a person says about their taste: leave a practice out, begin anew, hide a practice."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection
from django.utils import timezone

from privacy_center.interface import Person
from recommendations.actions.listening import NotConsented, storing, take_away
from recommendations.actions.training import note_change, note_less
from recommendations.models import HiddenPractice, Practice, VectorChange


@dataclass(frozen=True)
class Marked:
    """How many rows were marked, of each kind."""

    listens: int
    favorites: int


# Both tables in one statement: nobody sees a taste that is half forgotten.
_MARK = """
WITH listens AS (
    UPDATE recommendations_listen SET is_excluded = %(is_excluded)s
    WHERE subject_id = %(subject_id)s AND is_excluded <> %(is_excluded)s
      AND (%(practice_id)s::int8 IS NULL OR practice_id = %(practice_id)s)
    RETURNING 1
), favorites AS (
    UPDATE recommendations_favorite SET is_excluded = %(is_excluded)s
    WHERE subject_id = %(subject_id)s AND is_excluded <> %(is_excluded)s
      AND (%(practice_id)s::int8 IS NULL OR practice_id = %(practice_id)s)
    RETURNING 1
)
SELECT (SELECT count(*) FROM listens), (SELECT count(*) FROM favorites)
"""


def exclude_practice(person: Person, practice: Practice) -> Marked:
    """Leave what the person did with a practice so far out of their taste."""
    return _mark(person, practice, is_excluded=True)


def include_practice(person: Person, practice: Practice) -> Marked:
    """Count what the person did with a practice again."""
    return _mark(person, practice, is_excluded=False)


def reset_taste(person: Person) -> Marked:
    """Forget what was inferred and keep the history: nothing of it so far is for the taste."""
    return _mark(person, None, is_excluded=True)


def restore_taste(person: Person) -> Marked:
    """Count the whole history again."""
    return _mark(person, None, is_excluded=False)


def hide_practice(person: Person, practice: Practice, *, is_hidden: bool) -> None:
    """Keep a practice off the person's shelves, or let it be there again. Twice is as once."""
    if not is_hidden:
        take_away(person, HiddenPractice.objects.filter(practice=practice))
        return
    if not person.can_personalize:
        raise NotConsented
    with storing(person) as under:
        HiddenPractice.objects.get_or_create(
            subject_id=under.subject_id,
            practice=practice,
            defaults={"consent_id": under.consent_id, "hidden_at": timezone.now()},
        )


def _mark(person: Person, practice: Practice | None, *, is_excluded: bool) -> Marked:
    with storing(person) as under:
        with connection.cursor() as cursor:
            cursor.execute(
                _MARK,
                {
                    "subject_id": under.subject_id,
                    "practice_id": practice.pk if practice else None,
                    "is_excluded": is_excluded,
                },
            )
            marked = Marked(*cursor.fetchone())
        if marked.listens or marked.favorites:
            _note(person, under.subject_id, is_less=is_excluded)
        return marked


def _note(person: Person, subject_id: UUID, *, is_less: bool) -> None:
    if is_less:
        note_less(person)
    else:
        note_change(subject_id, VectorChange.Kind.LEARN)
