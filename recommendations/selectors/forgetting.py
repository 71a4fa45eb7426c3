"""What releases did with what was learned from a person, and the last one that knew them.

Nothing is kept about it per person: it follows from when they consented and when releases were
made. A release is published behind a lock that every decision shares from before it has a number:
it has taken in all up to its `last_decision`, in the order of the ledger, and none after it. (Older
releases do not say so; they knew whoever consented when they began.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from privacy_center.interface import Comparison, Forgetting, Learning, PublishedRelease

# By each time of learning: the releases that were begun in it, the last of them, the first that was
# begun after it and before the next, and the first comparison after that one came out. A release
# whose first comparison was not equal is passed over: nobody can tell what was in it, and the next
# one is made from scratch.
_RELEASES = """
WITH compared AS MATERIALIZED (
    SELECT at, digest, rebuild_digest, lag(at, 1, '-infinity') OVER (ORDER BY at) AS before
    FROM recommendations_modelaudit
), published AS (
    SELECT id, started_at, published_at, gram_digest, last_decision FROM recommendations_release
    WHERE published_at IS NOT NULL
)
SELECT learned.first_at, learned.count,
       last.id, last.published_at, last.gram_digest,
       clean.id, clean.published_at, clean.gram_digest,
       equal.at, equal.digest, equal.rebuild_digest
FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[], %(nexts)s::timestamptz[],
            %(begin_entries)s::int8[], %(end_entries)s::int8[], %(next_entries)s::int8[])
    WITH ORDINALITY
    AS learning (begins, ends, next, begin_entry, end_entry, next_entry, place)
CROSS JOIN LATERAL (
    SELECT min(published_at) AS first_at, count(*) AS count FROM published
    WHERE coalesce(last_decision >= begin_entry, started_at >= begins)
      AND NOT coalesce(last_decision >= end_entry, started_at >= ends, false)
) AS learned
LEFT JOIN LATERAL (
    SELECT * FROM published
    WHERE ends IS NOT NULL
      AND coalesce(last_decision >= begin_entry, started_at >= begins)
      AND NOT coalesce(last_decision >= end_entry, started_at >= ends)
    ORDER BY published_at DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT * FROM published
    WHERE coalesce(last_decision >= end_entry, started_at >= ends)
      AND NOT coalesce(last_decision >= next_entry, started_at >= next, false)
      AND NOT EXISTS (
          SELECT FROM compared
          WHERE digest <> rebuild_digest AND published_at > before AND published_at <= at
      )
    ORDER BY published_at LIMIT 1
) AS clean ON true
LEFT JOIN LATERAL (
    SELECT * FROM compared WHERE at >= clean.published_at ORDER BY at LIMIT 1
) AS equal ON true
ORDER BY place
"""


@dataclass(frozen=True)
class Learned:
    """The releases of one time of learning: when the first one came out, how many did, and what
    became of them."""

    first_at: datetime | None
    count: int
    forgetting: Forgetting


def learned_in(times: Sequence[Learning]) -> list[Learned]:
    """For each of these times, in one query."""
    given: dict[str, list[datetime] | list[datetime | None] | list[int | None]] = {
        "begins": [time.begins for time in times],
        "ends": [time.ends for time in times],
        "nexts": [time.resumed_at for time in times],
        "begin_entries": [time.begin_entry for time in times],
        "end_entries": [time.end_entry for time in times],
        "next_entries": [time.resume_entry for time in times],
    }
    with connection.cursor() as cursor:
        cursor.execute(_RELEASES, given)
        rows = cursor.fetchall()
    return [
        Learned(first_at, count, Forgetting(_release(row[:3]), _release(row[3:6]), _equal(row[6:])))
        for first_at, count, *row in rows
    ]


def forgetting(time: Learning) -> Forgetting:
    """What became of what was learned in this time."""
    return learned_in([time])[0].forgetting


def _release(row: Sequence[Any]) -> PublishedRelease | None:
    return None if row[0] is None else PublishedRelease(*row)


def _equal(row: Sequence[Any]) -> Comparison | None:
    return None if row[0] is None else Comparison(*row)
