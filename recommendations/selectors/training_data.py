"""Consenting people's behavior as arrays, read by binary COPY in one snapshot."""

import struct
from dataclasses import dataclass

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from recommendations.engine.interactions import Interactions
from recommendations.models import Mood, Practice
from recommendations.weights import HEARD_FROM, WHOLE_FROM, weigh, weigh_moods

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


def _consenting(signal: str) -> str:
    """Both consents must be live: nothing is learned that may not be stored."""
    return f"""
    JOIN consent_in_force AS train
      ON train.subject_id = behavior.subject_id AND train.purpose = '{signal}:train'
    JOIN consent_in_force AS store
      ON store.subject_id = behavior.subject_id AND store.purpose = '{signal}:store'
    """


# Listening and moods are two signals with two consents: whoever shares both is one row of G.
_BEHAVIOR = f"""
SELECT behavior.subject_id, behavior.practice_id,
       sum(behavior.heard)::int4, sum(behavior.whole)::int4, sum(behavior.favorite)::int4
FROM (
    SELECT subject_id, practice_id, 1 AS heard,
           (completion >= {WHOLE_FROM})::int AS whole, 0 AS favorite
    FROM recommendations_listen WHERE completion >= {HEARD_FROM} AND NOT is_excluded
    UNION ALL
    SELECT subject_id, practice_id, 0, 0, 1 FROM recommendations_favorite WHERE NOT is_excluded
) AS behavior
{_consenting("listening")}
GROUP BY 1, 2
UNION ALL
SELECT behavior.subject_id, -behavior.mood::int8, count(*)::int4, 0, 0
FROM recommendations_checkin AS behavior
{_consenting("mood")}
GROUP BY 1, 2
ORDER BY 1, 2
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
{_consenting("listening")}
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

    `practice_ids` are database ids in ascending order; `context_ids` are those of the moods, which
    stand behind them as columns of `interactions`; `tags` are arrays of practice indices that share
    a topic, voice, intention or kind.
    """

    practice_ids: NDArray[np.int64]
    context_ids: NDArray[np.int64]
    interactions: Interactions
    ratings: Ratings
    tags: list[NDArray[np.int64]]

    @property
    def column_ids(self) -> NDArray[np.int64]:
        """The ids behind the columns: the practices, then the moods."""
        return np.concatenate((self.practice_ids, self.context_ids))


def training_data() -> TrainingData:
    """Read everything. Call inside one REPEATABLE READ transaction: consent is part of the read."""
    practice_ids, tags = _catalog()
    context_ids = np.array([mood.context_id for mood in Mood], dtype=np.int64)
    interactions = _interactions(np.concatenate((practice_ids, context_ids)))
    return TrainingData(practice_ids, context_ids, interactions, _ratings(practice_ids), tags)


def _interactions(column_ids: NDArray[np.int64]) -> Interactions:
    rows = _copy(_BEHAVIOR, _BEHAVIOR_ROW)
    rows = rows[np.isin(rows["practice"], column_ids)]
    people = _person_indices(rows)
    ascending = np.argsort(column_ids)
    ids = rows["practice"].astype(np.int64)
    return Interactions.from_rows(
        people,
        practices=ascending[np.searchsorted(column_ids, ids, sorter=ascending)],
        weights=np.where(
            ids < 0,
            weigh_moods(rows["heard"]),
            weigh(rows["heard"], rows["whole"], rows["favorites"]),
        ),
        n_people=int(people[-1]) + 1 if len(people) else 0,
        n_practices=len(column_ids),
    )


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
