"""Storing and forgetting what people do with practices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from privacy_center.interface import Person, Purpose, hold_consent
from recommendations.actions.training import note_change, note_less
from recommendations.models import (
    Favorite,
    HiddenPractice,
    Listen,
    Practice,
    Rating,
    VectorChange,
)
from recommendations.weights import HEARD_FROM, WHOLE_FROM

Kind = VectorChange.Kind


class NotConsented(Exception):
    """There is no live yes to storing; nothing was stored."""


@dataclass(frozen=True)
class Heard:
    """Progress of one listen, as a client reports it; sent again with more as it goes on."""

    id: UUID
    practice: Practice
    started_at: datetime
    seconds: int
    position: int

    @property
    def completion(self) -> float:
        """The share of the practice that was heard, 0 to 1."""
        return min(1.0, self.seconds / self.practice.seconds_to_complete)


@dataclass(frozen=True)
class Under:
    """Whose behavior is stored, and under which consent record."""

    subject_id: UUID
    consent_id: UUID


# The same listen may arrive again, later or out of order: the furthest report wins. A row of
# somebody else's is never touched.
_UPSERT = """
INSERT INTO recommendations_listen AS listen
    (id, subject_id, consent_id, practice_id, started_at, seconds, position, completion)
SELECT id, %s, %s, practice_id, started_at, seconds, position, completion
FROM unnest(%s::uuid[], %s::int8[], %s::timestamptz[], %s::int4[], %s::int4[], %s::float8[])
    AS heard (id, practice_id, started_at, seconds, position, completion)
ON CONFLICT (id) DO UPDATE SET
    seconds = greatest(listen.seconds, excluded.seconds),
    position = CASE WHEN excluded.seconds >= listen.seconds
               THEN excluded.position ELSE listen.position END,
    completion = greatest(listen.completion, excluded.completion)
WHERE listen.subject_id = excluded.subject_id AND listen.practice_id = excluded.practice_id
RETURNING coalesce(old.completion, 0), new.completion
"""


def record_listens(person: Person, heard: Sequence[Heard]) -> int:
    """Store progress and return how many listens were stored, or raise `NotConsented` and store
    nothing. A withdrawal at the same moment wins: the consent a row names is held.
    """
    with storing(person) as under:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [under.subject_id, under.consent_id, *_columns(heard)])
            progress: list[tuple[float, float]] = cursor.fetchall()
        if any(_weighs_more(before, after) for before, after in progress):
            note_change(under.subject_id, Kind.LEARN)
        return len(progress)


def rate_practice(person: Person, practice: Practice, value: int) -> None:
    """Keep how the practice left the person, 1 to 5; the last answer counts."""
    with storing(person) as under:
        rating = Rating(
            subject_id=under.subject_id,
            consent_id=under.consent_id,
            practice=practice,
            value=value,
            rated_at=timezone.now(),
        )
        Rating.objects.bulk_create(
            [rating],
            update_conflicts=True,
            unique_fields=["subject_id", "practice"],
            update_fields=["value", "rated_at"],
        )


def set_favorite(person: Person, practice: Practice, *, is_favorite: bool) -> None:
    """Mark or unmark a favorite. Doing it twice is the same as once."""
    if not is_favorite:
        with transaction.atomic():
            if take_away(person, Favorite.objects.filter(practice=practice)):
                note_less(person)
        return
    with storing(person) as under:
        _row, is_new = Favorite.objects.get_or_create(
            subject_id=under.subject_id,
            practice=practice,
            defaults={"consent_id": under.consent_id, "created_at": timezone.now()},
        )
        if is_new:
            note_change(under.subject_id, Kind.LEARN)


def take_away(person: Person, rows: QuerySet) -> int:
    """Delete rows of the person's; return how many. What is kept can always be taken away, also
    while its consent waits to be renewed. Raises `NotConsented` when nothing may be kept and
    nothing is."""
    if person.subject_id is None:
        raise NotConsented
    with transaction.atomic():
        # As for a new row: a withdrawal and this wait for each other.
        consent_id = hold_consent(person.subject_id, Purpose.LISTENING_STORE)
        count: int = rows.filter(subject_id=person.subject_id).delete()[0]
    if not count and consent_id is None:
        raise NotConsented
    return count


def forget_listening(subject_id: UUID) -> None:
    """Delete everything stored about what a person listened to."""
    with connection.cursor() as cursor:
        cursor.execute(_FORGET, {"subject": subject_id})


# One round trip, because the person's decision is held while it runs.
_FORGET = f"""
WITH {
    ", ".join(
        f"{model._meta.model_name} AS "
        f"(DELETE FROM {model._meta.db_table} WHERE subject_id = %(subject)s)"
        for model in (Listen, Rating, Favorite, HiddenPractice)
    )
}
SELECT 1
"""  # noqa: S608 (constants only)


def _weighs_more(before: float, after: float) -> bool:
    """Whether a listen went past a mark that counts. Whether the person is learned from is for
    the trainer to read: a consent that changes at this moment must not lose the note."""
    return any(before < mark <= after for mark in (HEARD_FROM, WHOLE_FROM))


def _columns(heard: Sequence[Heard]) -> list[list[object]]:
    """One list per column. Of two reports of one listen in a batch, the furthest is kept."""
    furthest = {item.id: item for item in sorted(heard, key=lambda item: item.seconds)}
    rows = [
        (x.id, x.practice.pk, x.started_at, x.seconds, x.position, x.completion)
        for x in furthest.values()
    ]
    return [list(column) for column in zip(*rows, strict=True)]


@contextmanager
def storing(person: Person) -> Iterator[Under]:
    """A transaction with the consent record to store under, read now, because the page may be
    older than a withdrawal, and held: one that comes meanwhile waits, then deletes the row."""
    if person.subject_id is None:
        raise NotConsented
    with transaction.atomic():
        # Before any row of behavior, as a withdrawal does it: the other order would be a deadlock.
        consent_id = hold_consent(person.subject_id, Purpose.LISTENING_STORE)
        if consent_id is None:
            raise NotConsented
        yield Under(person.subject_id, consent_id)
