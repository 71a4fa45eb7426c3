"""Rotation of the wrapping key: every person's key wrapped again by the current one.

Safe beside the running site, and after a stop it goes on where it was: what is wrapped by the
current key already is not touched. A destroyed key has nothing to wrap, and stays destroyed.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, QuerySet

from privacy_center.keys import KeyUnavailable, WrappedKey, current_wrapping_key_id, rewrap
from privacy_center.models import DataSubject

PEOPLE_AT_ONCE = 500


@dataclass(frozen=True)
class Rewrapped:
    """One batch: how many keys were wrapped again, and how many would not open."""

    done: int
    damaged: int


def rewrap_keys() -> Generator[Rewrapped, None, None]:
    """Wrap every key that can be unwrapped, batch by batch; each batch is a transaction.

    The first round passes by people who are just deciding something; the second waits for them.
    """
    for is_patient in (False, True):
        last: UUID | None = None
        while (batch := _rewrap_some(last, is_patient=is_patient)) is not None:
            last, result = batch
            yield result


def keys_left() -> dict[str, int]:
    """How many people's keys are wrapped by a key that is not the current one, by its id."""
    rows = _to_rewrap().values_list("wrapping_key_id").annotate(people=Count("pk")).order_by()
    return dict(rows)


def _to_rewrap() -> QuerySet[DataSubject]:
    rows = DataSubject.objects.filter(wrapped_key__isnull=False)
    return rows.exclude(wrapping_key_id=current_wrapping_key_id())


def _rewrap_some(after: UUID | None, *, is_patient: bool) -> tuple[UUID, Rewrapped] | None:
    """The next people by id, and the id to go on after; None when there are none."""
    rows = _to_rewrap().filter(wrapping_key_id__in=list(settings.KEY_ENCRYPTION_KEYS))
    if after is not None:
        rows = rows.filter(pk__gt=after)
    with transaction.atomic():
        # Held until they are written: a key that is being destroyed is not brought back.
        held = rows.select_for_update(skip_locked=not is_patient, no_key=True).order_by("pk")
        found = list(held.values_list("pk", "wrapped_key", "wrapping_key_id")[:PEOPLE_AT_ONCE])
        if not found:
            return None
        fresh = {pk: key for pk, data, key_id in found if (key := _fresh(data, key_id))}
        _write(fresh)
    return found[-1][0], Rewrapped(len(fresh), len(found) - len(fresh))


def _fresh(data: bytes | memoryview | None, key_id: str) -> WrappedKey | None:
    try:
        return rewrap(WrappedKey(bytes(data or b""), key_id))
    except KeyUnavailable:
        return None


_WRITE = """
UPDATE privacy_center_datasubject AS subject
SET wrapped_key = fresh.data, wrapping_key_id = fresh.key_id
FROM unnest(%s::uuid[], %s::bytea[], %s::text[]) AS fresh (id, data, key_id)
WHERE subject.id = fresh.id AND subject.wrapped_key IS NOT NULL
"""


def _write(fresh: dict[UUID, WrappedKey]) -> None:
    keys: Sequence[WrappedKey] = list(fresh.values())
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE,
            [list(fresh), [key.data for key in keys], [key.wrapping_key_id for key in keys]],
        )
