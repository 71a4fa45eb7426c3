"""What may be learned from today: consenting people's vectors, ratings, and the catalog.

Read by binary COPY. Consent is a join in the very query that reads behavior.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from recommendations.engine.gram_state import Vectors
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
        ("l0", ">i4"), ("subject", "V16"),
        ("l1", ">i4"), ("column", ">i8"),
        ("l2", ">i4"), ("heard", ">i4"),
        ("l3", ">i4"), ("whole", ">i4"),
        ("l4", ">i4"), ("favorites", ">i4"),
    ]
)  # fmt: skip


def _consenting(signal: str, who: str = "true") -> str:
    """Both consents must be live: nothing is learned that may not be stored. `who` narrows the
    people, here too, so that consent is not worked out for everybody once a slice."""
    return f"""
    JOIN (SELECT subject_id FROM consent_recorded WHERE purpose = '{signal}:train' AND {who})
      AS train ON train.subject_id = behavior.subject_id
    JOIN (SELECT subject_id FROM consent_recorded WHERE purpose = '{signal}:store' AND {who})
      AS store ON store.subject_id = behavior.subject_id
    """  # noqa: S608 (constants only)


def _behavior(who: str) -> str:
    """Listening and moods are two signals with two consents: whoever shares both is one vector."""
    return f"""
SELECT behavior.subject_id, behavior.practice_id,
       sum(behavior.heard)::int4, sum(behavior.whole)::int4, sum(behavior.favorite)::int4
FROM (
    SELECT subject_id, practice_id, 1 AS heard,
           (completion >= {WHOLE_FROM})::int AS whole, 0 AS favorite
    FROM recommendations_listen
    WHERE completion >= {HEARD_FROM} AND NOT is_excluded AND {who}
    UNION ALL
    SELECT subject_id, practice_id, 0, 0, 1
    FROM recommendations_favorite WHERE NOT is_excluded AND {who}
) AS behavior
{_consenting("listening", who)}
GROUP BY 1, 2
UNION ALL
SELECT behavior.subject_id, -behavior.mood::int8, count(*)::int4, 0, 0
FROM (SELECT subject_id, mood FROM recommendations_checkin WHERE {who}) AS behavior
{_consenting("mood", who)}
GROUP BY 1, 2
ORDER BY 1, 2
"""  # noqa: S608 (constants only)


_OF_SUBJECTS = _behavior("subject_id = ANY(%(subjects)s)")
_OF_SLICE = _behavior("subject_id BETWEEN %(first)s AND %(last)s")

_RATING_ROW = np.dtype(
    [
        ("fields", ">i2"),
        ("l0", ">i4"), ("subject", "V16"),
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
class Slice:
    """The people whose random ids are in one of `count` equal ranges: number 0, 1, …"""

    number: int
    count: int

    @property
    def first(self) -> UUID:
        """The least id."""
        return UUID(int=(self.number << 128) // self.count)

    @property
    def last(self) -> UUID:
        """The greatest id."""
        return UUID(int=((self.number + 1 << 128) // self.count) - 1)


@dataclass(frozen=True)
class Ratings:
    """One row per (person, practice): person index, practice index, value 1 to 5."""

    people: NDArray[np.int32]
    practices: NDArray[np.int32]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class Catalog:
    """What there is to learn about. `practice_ids` are those of the published practices, ascending;
    `context_ids` those of the moods; `tags` are arrays of practice indices that share a topic,
    voice, intention or kind."""

    practice_ids: NDArray[np.int64]
    context_ids: NDArray[np.int64]
    tags: list[NDArray[np.int64]]

    @property
    def column_ids(self) -> NDArray[np.int64]:
        """The columns of a release: the practices, then the moods."""
        return np.concatenate((self.practice_ids, self.context_ids))


def vectors_of(subject_ids: Sequence[UUID]) -> Vectors:
    """What these people contribute as of now; their order gives the indices. Whoever does not
    consent, or did nothing that counts, has an empty vector."""
    rows = _copy(_OF_SUBJECTS, _BEHAVIOR_ROW, {"subjects": list(subject_ids)})
    index = {subject_id.bytes: place for place, subject_id in enumerate(subject_ids)}
    people = [index[subject] for subject in rows["subject"].tolist()]
    vectors = _vectors(rows, np.array(people, dtype=np.int32), len(subject_ids))
    order = np.lexsort((vectors.columns, vectors.people))
    return Vectors(
        vectors.people[order], vectors.columns[order], vectors.weights[order], len(subject_ids)
    )


def vectors_of_slice(part: Slice) -> tuple[list[UUID], Vectors]:
    """The consenting people of a slice who did something, ascending, and their vectors."""
    rows = _copy(_OF_SLICE, _BEHAVIOR_ROW, {"first": part.first, "last": part.last})
    subject = rows["subject"]
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = subject[1:] != subject[:-1]
    subject_ids = [UUID(bytes=key) for key in subject[is_first].tolist()]
    people = (np.cumsum(is_first) - 1).astype(np.int32)
    return subject_ids, _vectors(rows, people, len(subject_ids))


def ratings(practice_ids: NDArray[np.int64]) -> Ratings:
    """Consenting people's ratings of these practices (ascending ids)."""
    rows = _copy(_RATINGS, _RATING_ROW, {})
    rows = rows[np.isin(rows["practice"], practice_ids)]
    subject = rows["subject"]
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = subject[1:] != subject[:-1]
    return Ratings(
        people=(np.cumsum(is_first) - 1).astype(np.int32),
        practices=np.searchsorted(practice_ids, rows["practice"].astype(np.int64)).astype(np.int32),
        values=rows["value"].astype(np.float64),
    )


def people_who_train() -> int:
    """About how many people may be learned from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM consent_recorded WHERE purpose LIKE '%:train'")
        count: int = cursor.fetchone()[0]
    return count


def all_column_ids() -> NDArray[np.int64]:
    """Every column that anybody can have, ascending: moods, and practices also if unpublished."""
    practices = Practice.objects.order_by("pk").values_list("pk", flat=True)
    moods = sorted(mood.context_id for mood in Mood)
    return np.array([*moods, *practices], dtype=np.int64)


def catalog() -> Catalog:
    """What is published, and what it has in common."""
    practice_ids, tags = _tags()
    context_ids = np.array([mood.context_id for mood in Mood], dtype=np.int64)
    return Catalog(practice_ids, context_ids, tags)


def _vectors(rows: NDArray[np.void], people: NDArray[np.int32], n_people: int) -> Vectors:
    columns = rows["column"].astype(np.int64)
    weights = np.where(
        columns < 0,
        weigh_moods(rows["heard"]),
        weigh(rows["heard"], rows["whole"], rows["favorites"]),
    )
    return Vectors(people, columns, weights.astype(np.uint8), n_people)


def _tags() -> tuple[NDArray[np.int64], list[NDArray[np.int64]]]:
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


def _copy(query: str, row: np.dtype[np.void], parameters: Mapping[str, object]) -> NDArray[np.void]:
    """The rows of `query` as a structured array; every column must be NOT NULL and fixed-width."""
    buffer = bytearray()
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)", parameters) as copy,
    ):
        for block in copy:
            buffer += block
    if not buffer.startswith(_SIGNATURE) or struct.unpack_from(">I", buffer, 15)[0] != 0:
        raise ValueError("The database sent a COPY header that is not known here.")
    body = memoryview(buffer)[_HEADER_BYTES:-_TRAILER_BYTES]
    rows: NDArray[np.void] = np.frombuffer(body, dtype=row)
    return rows
