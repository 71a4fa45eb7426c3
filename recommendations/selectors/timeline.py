"""What releases did with a person's history, for their timeline.

Nothing is kept about it per person: it follows from when they consented and when releases were
made. A release begins with reading who consents, so it learned from whoever did so when it began.
One that somebody left during is never published (trainer.py).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection
from django.db.models import Min
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy_center.interface import Event, Interval
from recommendations.models import Release

# By each time of consenting: the releases that were begun in it, and the first one that was begun
# after it and before the next.
_RELEASES = """
SELECT learned.first_at, learned.count, clean.first_at
FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[], %(nexts)s::timestamptz[])
    WITH ORDINALITY AS trained (begins, ends, next, place)
CROSS JOIN LATERAL (
    SELECT min(published_at) AS first_at, count(*) AS count FROM recommendations_release
    WHERE published_at IS NOT NULL AND started_at >= begins
      AND started_at < coalesce(ends, 'infinity')
) AS learned
CROSS JOIN LATERAL (
    SELECT min(published_at) AS first_at FROM recommendations_release
    WHERE published_at IS NOT NULL AND started_at >= ends
      AND started_at < coalesce(next, 'infinity')
) AS clean
ORDER BY place
"""


@dataclass(frozen=True)
class _Learned:
    """The releases of one time of consenting: when the first learned from the person, how many did,
    and when the first without them came out."""

    first_at: datetime | None
    count: int
    clean_at: datetime | None


def learned(trained: Sequence[Interval]) -> list[Event]:
    """The first release that learned from the person in each of these times, how many did, and the
    first one without them. `trained` are times without overlap; the last one may have no end."""
    times = sorted(trained, key=lambda interval: interval[0])
    return [event for releases in _learned(times) for event in _events(releases)]


def clean_since(ended_at: datetime) -> datetime | None:
    """When the first release came out that was begun after `ended_at`: whoever left then is not in
    it. None while it is being made."""
    clean = Release.objects.filter(published_at__isnull=False, started_at__gte=ended_at)
    first_at: datetime | None = clean.aggregate(first_at=Min("published_at"))["first_at"]
    return first_at


def _events(releases: _Learned) -> Iterator[Event]:
    if releases.first_at is None:
        return
    more = releases.count - 1
    yield Event(
        releases.first_at,
        _("A release learned from your history"),
        ngettext(
            "%(count)d more has been made with it since.",
            "%(count)d more have been made with it since.",
            more,
        )
        % {"count": more}
        if more
        else _("It is the only one since you said yes."),
    )
    if releases.clean_at is not None:
        yield Event(
            releases.clean_at,
            _("The first release without you"),
            _("Nothing of yours is in the release of %(date)s UTC. Earlier ones are deleted.")
            % {"date": date_format(releases.clean_at, _("j F Y, H:i"))},
        )


def _learned(times: Sequence[Interval]) -> list[_Learned]:
    begins, ends = [begin for begin, _end in times], [end for _begin, end in times]
    with connection.cursor() as cursor:
        cursor.execute(_RELEASES, {"begins": begins, "ends": ends, "nexts": [*begins[1:], None]})
        return [_Learned(*row) for row in cursor.fetchall()]
