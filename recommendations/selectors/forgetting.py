"""What releases did with what was learned from a person, and the last one that knew them.

Nothing is kept about it per person: it follows from when they consented and when releases were
made. A release begins with taking up every change that is there, so it knew whoever consented when
it began. One that somebody left during is never published (trainer.py).
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
    SELECT id, started_at, published_at, gram_digest FROM recommendations_release
    WHERE published_at IS NOT NULL
)
SELECT learned.first_at, learned.count,
       last.id, last.published_at, last.gram_digest,
       clean.id, clean.published_at, clean.gram_digest,
       equal.at, equal.digest, equal.rebuild_digest
FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[], %(nexts)s::timestamptz[])
    WITH ORDINALITY AS learning (begins, ends, next, place)
CROSS JOIN LATERAL (
    SELECT min(published_at) AS first_at, count(*) AS count FROM published
    WHERE started_at >= begins AND started_at < coalesce(ends, 'infinity')
) AS learned
LEFT JOIN LATERAL (
    SELECT * FROM published
    WHERE started_at >= begins AND started_at < ends
    ORDER BY published_at DESC LIMIT 1
) AS last ON true
LEFT JOIN LATERAL (
    SELECT * FROM published
    WHERE started_at >= ends AND started_at < coalesce(next, 'infinity')
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
    given: dict[str, list[datetime] | list[datetime | None]] = {
        "begins": [time.begins for time in times],
        "ends": [time.ends for time in times],
        "nexts": [time.resumed_at for time in times],
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
