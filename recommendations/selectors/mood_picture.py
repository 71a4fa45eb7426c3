"""A person's own check-ins as a picture: week by week, and from before a practice to after it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from statistics import fmean
from uuid import UUID

from recommendations.models import CheckIn, Moment
from recommendations.selectors.mood import PAIRED_WITHIN

WEEKS = 12


@dataclass(frozen=True)
class Week:
    """Seven days from `first` on; the means, −2 to 2, are None without a check-in."""

    first: date
    count: int
    valence: float | None
    energy: float | None


@dataclass(frozen=True)
class Change:
    """Means over `pairs` check-ins before a practice and the first after it, −2 to 2."""

    pairs: int
    valence_before: float
    valence_after: float
    energy_before: float
    energy_after: float

    @property
    def valence(self) -> float:
        """How much lighter it felt; negative for heavier."""
        return self.valence_after - self.valence_before

    @property
    def energy(self) -> float:
        """How much more energy there was; negative for less."""
        return self.energy_after - self.energy_before


@dataclass(frozen=True)
class MoodPicture:
    """The last twelve weeks, the oldest first. Without pairs there is no `change`."""

    weeks: Sequence[Week]
    change: Change | None


def mood_picture(subject_id: UUID, *, now: datetime, zone: tzinfo) -> MoodPicture:
    """The weeks that end today, by the clock of `zone`."""
    first = now.astimezone(zone).date() - timedelta(days=7 * WEEKS - 1)
    since = datetime.combine(first, datetime.min.time(), tzinfo=zone)
    found = CheckIn.objects.filter(subject_id=subject_id, at__gte=since, at__lte=now)
    rows = list(found.defer("sealed").order_by("at", "pk"))
    starts = [first + timedelta(days=7 * week) for week in range(WEEKS)]
    weeks = [_week(start, rows, zone) for start in starts]
    return MoodPicture(weeks, _change(rows))


def _week(first: date, rows: Sequence[CheckIn], zone: tzinfo) -> Week:
    last = first + timedelta(days=6)
    own = [row for row in rows if first <= row.at.astimezone(zone).date() <= last]
    if not own:
        return Week(first, 0, None, None)
    return Week(
        first, len(own), fmean(row.valence for row in own), fmean(row.energy for row in own)
    )


def _change(rows: Sequence[CheckIn]) -> Change | None:
    pairs = _pairs(rows)
    if not pairs:
        return None
    return Change(
        len(pairs),
        valence_before=fmean(before.valence for before, _after in pairs),
        valence_after=fmean(after.valence for _before, after in pairs),
        energy_before=fmean(before.energy for before, _after in pairs),
        energy_after=fmean(after.energy for _before, after in pairs),
    )


def _pairs(rows: Sequence[CheckIn]) -> list[tuple[CheckIn, CheckIn]]:
    """Each check-in before a practice with the next one after it, within three hours."""
    waiting: dict[int | None, CheckIn] = {}
    pairs = []
    for row in rows:
        if row.moment == Moment.BEFORE:
            waiting[row.practice_id] = row
        elif row.moment == Moment.AFTER:
            before = waiting.pop(row.practice_id, None)
            if before and row.at - before.at <= PAIRED_WITHIN:
                pairs.append((before, row))
    return pairs
