"""Making a synthetic population, for measuring: practices, people, consents, listens."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray
from psycopg.errors import UniqueViolation

from privacy_center.interface import Purpose, add_synthetic_people, has_real_people
from recommendations.actions.training import note_everybody
from recommendations.models import Intention, Kind, Practice, VectorChange
from recommendations.population import DAYS, Batch, Halves, population

# The preset "Community"; the first is the one that listens are stored under.
PURPOSES = (Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN)
PRACTICE_SECONDS = 600

_COPY = """
COPY recommendations_listen
    (id, subject_id, consent_id, practice_id, started_at, seconds, position, completion)
FROM STDIN (FORMAT BINARY)
"""
# A row of binary COPY: the number of its fields, then each after its length.
_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l0", ">i4"), ("id", ">u8", 2),
        ("l1", ">i4"), ("subject", ">u8", 2),
        ("l2", ">i4"), ("consent", ">u8", 2),
        ("l3", ">i4"), ("practice", ">i8"),
        ("l4", ">i4"), ("started_at", ">i8"),
        ("l5", ">i4"), ("seconds", ">i4"),
        ("l6", ">i4"), ("position", ">i4"),
        ("l7", ">i4"), ("completion", ">f8"),
    ]
)  # fmt: skip
_LENGTHS = (16, 16, 16, 8, 8, 4, 4, 8)
_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
# Where PostgreSQL begins to count microseconds.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class PopulationRefused(Exception):
    """The population cannot be made here. The message says why; nothing was made."""


@dataclass(frozen=True, eq=False)
class _Catalog:
    """The published practices in the order of their making."""

    ids: NDArray[np.int64]
    seconds: NDArray[np.int64]
    tastes: NDArray[np.int64]


def make_population(
    people: int,
    *,
    practices: int,
    listens: int,
    seed: int,
    at: datetime,
    on_progress: Callable[[int], None],
) -> int:
    """`people` synthetic people who agreed to everything about listening 62 days ago and have
    `listens` listens each since; with as many new practices as there are fewer than `practices`.

    All or nothing; returns how many practices are new. `on_progress` gets the number of people made
    so far. Raises `PopulationRefused` where data of real people is, or these people are already.
    """
    if has_real_people():
        raise PopulationRefused(
            "Here is data of real people, and what is written into the consent ledger stays. "
            "Use a database of its own, for instance with STILLWATER_VAR=var/measuring. "
            "Nothing was made."
        )
    try:
        with transaction.atomic():
            # Checked batch by batch, so that what waits to be checked stays small.
            _run("SET CONSTRAINTS ALL IMMEDIATE")
            made = _add_practices(practices)
            _add_people(people, listens, seed, at, on_progress)
            note_everybody(VectorChange.Kind.LEARN)
    except UniqueViolation as error:
        raise PopulationRefused(
            f"The people of seed {seed} are here already: choose another seed. Nothing was made."
        ) from error
    return made


def _add_practices(count: int) -> int:
    missing = max(0, count - Practice.objects.filter(is_published=True).count())
    first = Practice.objects.filter(slug__startswith="synthetic-").count() + 1
    groups = list(product(Kind.values, Intention.values))
    Practice.objects.bulk_create(
        [
            Practice(
                slug=f"synthetic-{number}",
                title=f"Synthetic practice {number}",
                summary="Made up for measuring.",
                kind=groups[number % len(groups)][0],
                intention=groups[number % len(groups)][1],
                seconds=PRACTICE_SECONDS,
            )
            for number in range(first, first + missing)
        ],
        batch_size=1000,
    )
    return missing


def _add_people(
    people: int, listens: int, seed: int, at: datetime, on_progress: Callable[[int], None]
) -> None:
    catalog, done, next_look = _catalog(), 0, 0
    for batch in population(people, tastes=catalog.tastes, listens=listens, seed=seed):
        subjects = [UUID(bytes=bytes(half)) for half in batch.people.astype(">u8")]
        agreed = at - timedelta(days=DAYS + 2)
        consents = add_synthetic_people(subjects, PURPOSES, at=agreed)
        done += len(subjects)
        if done >= next_look:
            # Law 1's trigger is planned by how much there is: by a plan for few, many take hours.
            _run("ANALYZE privacy_center_consentstate, privacy_center_consentrecord")
            next_look = 2 * done
        _copy(_rows(batch, [consents[subject] for subject in subjects], catalog, at))
        on_progress(done)


def _catalog() -> _Catalog:
    """Practices of one kind and intention are to one taste."""
    rows = list(Practice.objects.filter(is_published=True).order_by("pk"))
    groups = {group: number for number, group in enumerate(product(Kind.values, Intention.values))}
    return _Catalog(
        np.array([p.pk for p in rows], dtype=np.int64),
        np.array([p.seconds_to_complete for p in rows], dtype=np.int64),
        np.array([groups[p.kind, p.intention] for p in rows], dtype=np.int64),
    )


def _rows(
    batch: Batch, consents: Sequence[UUID], catalog: _Catalog, at: datetime
) -> NDArray[np.void]:
    each = len(batch.practices) // len(batch.people)
    rows = np.empty(len(batch.practices), dtype=_ROW)
    rows["fields"] = len(_LENGTHS)
    for number, length in enumerate(_LENGTHS):
        rows[f"l{number}"] = length
    rows["id"] = batch.listens
    rows["subject"] = np.repeat(batch.people, each, axis=0)
    rows["consent"] = np.repeat(_halves(consents), each, axis=0)
    rows["practice"] = catalog.ids[batch.practices]
    rows["started_at"] = (at - _EPOCH) // timedelta(microseconds=1) - batch.ago
    rows["seconds"] = np.rint(catalog.seconds[batch.practices] * batch.completion)
    rows["position"] = rows["seconds"]
    rows["completion"] = batch.completion
    return rows


def _halves(ids: Sequence[UUID]) -> Halves:
    content = b"".join(each.bytes for each in ids)
    return np.frombuffer(content, dtype=">u8").reshape(-1, 2).astype(np.uint64)


def _copy(rows: NDArray[np.void]) -> None:
    with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
        copy.write(_HEADER + rows.tobytes() + _TRAILER)


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
