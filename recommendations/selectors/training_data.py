"""Consenting people's behavior as arrays, read by binary COPY in one snapshot."""

import struct
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from recommendations.engine.interactions import Interactions
from recommendations.models import Practice
from recommendations.weights import HEARD_FROM, WHOLE_FROM, weigh

# PostgreSQL's binary COPY: a header of 19 bytes (when it has no extension), then per row a field
# count and per field a length and a value, then a trailer of -1 (documentation of COPY).
_SIGNATURE = b"PGCOPY\n\xff\r\n\0"
_HEADER_BYTES = 19
_TRAILER_BYTES = 2

_BEHAVIOR_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l0", ">i4"), ("subject_high", ">u8"), ("subject_low", ">u8"),
        ("l1", ">i4"), ("practice", ">i8"),
        ("l2", ">i4"), ("heard", ">i4"),
        ("l3", ">i4"), ("whole", ">i4"),
        ("l4", ">i4"), ("favorites", ">i4"),
    ]
)  # fmt: skip

# Both consents must be live: nothing is learned that may not be stored.
_CONSENTING = """
    JOIN consent_in_force AS train
      ON train.subject_id = behavior.subject_id AND train.purpose = 'listening:train'
    JOIN consent_in_force AS store
      ON store.subject_id = behavior.subject_id AND store.purpose = 'listening:store'
"""

_BEHAVIOR = f"""
SELECT behavior.subject_id, behavior.practice_id,
       sum(behavior.heard)::int4, sum(behavior.whole)::int4, sum(behavior.favorite)::int4
FROM (
    SELECT subject_id, practice_id, 1 AS heard,
           (completion >= {WHOLE_FROM})::int AS whole, 0 AS favorite
    FROM recommendations_listen WHERE completion >= {HEARD_FROM}
    UNION ALL
    SELECT subject_id, practice_id, 0, 0, 1 FROM recommendations_favorite
) AS behavior
{_CONSENTING}
GROUP BY 1, 2 ORDER BY 1, 2
"""  # noqa: S608 (constants only)

_RATING_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l0", ">i4"), ("subject_high", ">u8"), ("subject_low", ">u8"),
        ("l1", ">i4"), ("practice", ">i8"),
        ("l2", ">i4"), ("value", ">i4"),
    ]
)  # fmt: skip

_RATINGS = f"""
SELECT behavior.subject_id, behavior.practice_id, behavior.value::int4
FROM recommendations_rating AS behavior
{_CONSENTING}
ORDER BY 1, 2
"""  # noqa: S608 (constants only)


@dataclass(frozen=True)
class Ratings:
    """One row per (person, practice): person index, practice index, value 1 to 5."""

    people: NDArray[np.int32]
    practices: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class TrainingData:
    """What may be learned from today, and the catalog it is about.

    `practice_ids` are database ids in ascending order; `tags` are arrays of practice indices that
    share a topic, voice, intention or kind.
    """

    practice_ids: NDArray[np.int64]
    interactions: Interactions
    ratings: Ratings
    tags: list[NDArray[np.int64]]


def training_data() -> TrainingData:
    """Read everything. Call inside one REPEATABLE READ transaction: consent is part of the read."""
    practice_ids, tags = _catalog()
    behavior = _copy(_BEHAVIOR, _BEHAVIOR_ROW)
    known = np.isin(behavior["practice"], practice_ids)
    behavior = behavior[known]
    people = _person_indices(behavior)
    interactions = Interactions.from_rows(
        people,
        practices=np.searchsorted(practice_ids, behavior["practice"].astype(np.int64)),
        weights=weigh(behavior["heard"], behavior["whole"], behavior["favorites"]),
        n_people=int(people[-1]) + 1 if len(people) else 0,
        n_practices=len(practice_ids),
    )
    return TrainingData(practice_ids, interactions, _ratings(practice_ids), tags)


def _ratings(practice_ids: NDArray[np.int64]) -> Ratings:
    rows = _copy(_RATINGS, _RATING_ROW)
    rows = rows[np.isin(rows["practice"], practice_ids)]
    return Ratings(
        people=_person_indices(rows),
        practices=np.searchsorted(practice_ids, rows["practice"].astype(np.int64)).astype(np.int32),
        values=rows["value"].astype(np.float64),
    )


def _catalog() -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
    rows = list(
        Practice.objects.filter(is_published=True)
        .order_by("pk")
        .values_list("pk", "kind", "intention", "voice")
    )
    practice_ids = np.array([row[0] for row in rows], dtype=np.int64)
    members: dict[str, list[int]] = {}
    for index, (_pk, kind, intention, voice) in enumerate(rows):
        for tag in (f"kind {kind}", f"intention {intention}", f"voice {voice}" if voice else ""):
            if tag:
                members.setdefault(tag, []).append(index)
    index_of = {row[0]: index for index, row in enumerate(rows)}
    for practice_id, topic_id in Practice.topics.through.objects.values_list(
        "practice_id", "topic_id"
    ):
        if practice_id in index_of:
            members.setdefault(f"topic {topic_id}", []).append(index_of[practice_id])
    tags = [np.array(sorted(members[tag]), dtype=np.int64) for tag in sorted(members)]
    return practice_ids, tags


def _person_indices(rows: NDArray[np.void]) -> NDArray[np.int32]:
    """0, 0, 1, 2, 2 … for rows that are ordered by subject."""
    high, low = rows["subject_high"], rows["subject_low"]
    is_new = (high[1:] != high[:-1]) | (low[1:] != low[:-1])
    if not len(rows):
        return np.empty(0, dtype=np.int32)
    return np.concatenate(([0], np.cumsum(is_new))).astype(np.int32)


def _copy(query: str, row: np.dtype[np.void]) -> NDArray[np.void]:
    """The rows of `query` as a structured array; every column must be NOT NULL and fixed-width."""
    buffer = bytearray()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as copy,
    ):
        for block in copy:
            buffer += block
    if not buffer.startswith(_SIGNATURE) or struct.unpack_from(">I", buffer, 15)[0] != 0:
        raise ValueError("The database sent a COPY header that is not known here.")
    body = memoryview(buffer)[_HEADER_BYTES:-_TRAILER_BYTES]
    rows: NDArray[np.void] = np.frombuffer(body, dtype=row)
    return rows
