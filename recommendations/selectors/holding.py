"""What is held because of each yes to listening, right now: in a sentence, counts and months."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from django.db import connection
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy_center.interface import Holding
from recommendations.selectors.history import Month, last_twelve
from recommendations.selectors.listening import counted_habits

_STORED = """
SELECT kind, date_trunc('month', at AT TIME ZONE 'UTC')::date, count(*), min(at)
FROM (
    SELECT 'listen' AS kind, started_at AS at
    FROM recommendations_listen WHERE subject_id = %(subject_id)s
    UNION ALL
    SELECT 'favorite', created_at
    FROM recommendations_favorite WHERE subject_id = %(subject_id)s
    UNION ALL
    SELECT 'rating', rated_at
    FROM recommendations_rating WHERE subject_id = %(subject_id)s
    UNION ALL
    SELECT 'hidden', hidden_at
    FROM recommendations_hiddenpractice WHERE subject_id = %(subject_id)s
) AS stored
GROUP BY 1, 2
"""

# A release began with reading who consents: whoever did so by then, and still does, is in it.
_LEARNED_IN = """
SELECT published_at FROM recommendations_release
WHERE state = 'active' AND started_at >= (
    SELECT max(since) FROM consent_in_force
    WHERE subject_id = %s AND purpose IN ('listening:store', 'listening:train')
    HAVING count(*) = 2)
"""


@dataclass(frozen=True)
class _Stored:
    """How many rows of a kind came in during a month, and when the first did."""

    kind: str
    month: date
    count: int
    oldest: datetime


def stored(subject_id: UUID, *, now: datetime) -> Holding:
    """Everything that is kept under the yes to storing."""
    rows = _stored(subject_id)
    if not rows:
        return Holding(_("Nothing is held yet."))
    months: Counter[date] = Counter()
    kinds: Counter[str] = Counter()
    for row in rows:
        months[row.month] += row.count
        kinds[row.kind] += row.count
    oldest = min(row.oldest for row in rows)
    shown = last_twelve([Month(*item) for item in months.items()], today=now.date())
    kept = ", ".join(_counts(kinds))
    return Holding(
        _("Held now: %(what)s; the oldest from %(date)s.")
        % {"what": kept, "date": date_format(oldest, _("j F Y"))},
        kept=kept,
        count=kinds.total(),
        oldest=oldest,
        months=tuple(month.count for month in shown),
    )


def personalized(subject_id: UUID) -> Holding:
    """What shapes the person's shelves: worked out page by page, and not kept."""
    count = len(counted_habits(subject_id))
    if not count:
        return Holding(_("Nothing to shape your shelves with yet."))
    sentence = ngettext(
        "%(count)d practice shapes your shelves.",
        "%(count)d practices shape your shelves.",
        count,
    )
    return Holding(sentence % {"count": count}, count=count)


def trained(subject_id: UUID) -> Holding:
    """What everybody's shelves learn from the person, and whether they already have."""
    count = len(counted_habits(subject_id))
    if not count:
        return Holding(_("Nothing to learn from yet."))
    sentence = ngettext(
        "%(count)d practice of yours counts.", "%(count)d practices of yours count.", count
    )
    published_at = _learned_in(subject_id)
    where = (
        _("Your history is in the release of %(date)s UTC.")
        % {"date": date_format(published_at, _("j F Y, H:i"))}
        if published_at
        else _("The next release learns from you.")
    )
    return Holding(f"{sentence % {'count': count}} {where}", count=count)


def _stored(subject_id: UUID) -> list[_Stored]:
    with connection.cursor() as cursor:
        cursor.execute(_STORED, {"subject_id": subject_id})
        return [_Stored(*row) for row in cursor.fetchall()]


def _counts(kinds: Counter[str]) -> list[str]:
    listens, favorites, ratings, hidden = (
        kinds[kind] for kind in ("listen", "favorite", "rating", "hidden")
    )
    shown = [
        ngettext("%(count)d listen", "%(count)d listens", listens) % {"count": listens},
        ngettext("%(count)d favorite", "%(count)d favorites", favorites) % {"count": favorites},
        ngettext("%(count)d rating", "%(count)d ratings", ratings) % {"count": ratings},
    ]
    if hidden:
        words = ngettext("%(count)d hidden practice", "%(count)d hidden practices", hidden)
        shown.append(words % {"count": hidden})
    return shown


def _learned_in(subject_id: UUID) -> datetime | None:
    """When the active release came out, if it learned from the person."""
    with connection.cursor() as cursor:
        cursor.execute(_LEARNED_IN, [subject_id])
        row = cursor.fetchone()
    return row[0] if row else None
