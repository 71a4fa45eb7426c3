"""How everybody decided about each purpose, by month, for staff. Small counts are withheld."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.conf import settings
from django.db.models import Case, Count, Value, When
from django.db.models.functions import TruncMonth

from privacy_center.models import YES, ConsentRecord
from privacy_center.purposes import Purpose
from privacy_center.selectors.consent import people_by_purpose
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices_with_texts, text_in

MONTHS = 12


@dataclass(frozen=True)
class Month:
    """Yes and no decisions of a month; None where there are some, and fewer than may be shown."""

    first: date
    yes: int | None
    no: int | None


@dataclass(frozen=True)
class Decisions:
    """One purpose: on for how many people now (None: too few to say), and the last months."""

    purpose: Purpose
    title: str
    people: int | None
    months: Sequence[Month]


def decision_months(*, now: datetime) -> list[Decisions]:
    """The last twelve months of every purpose that anybody decided about in them."""
    firsts = last_months(now.date(), MONTHS)
    counts = _counts(firsts[0])
    people = people_by_purpose()
    notices = live_notices_with_texts()
    return [
        Decisions(
            purpose,
            text_in(notices[purpose], FIRST_LANGUAGE).title,
            shown(people.get(purpose, 0)),
            [
                Month(
                    first,
                    shown(counts.get((purpose, first, True), 0)),
                    shown(counts.get((purpose, first, False), 0)),
                )
                for first in firsts
            ],
        )
        for purpose in Purpose
        if any(key[0] == purpose for key in counts)
    ]


def shown(count: int) -> int | None:
    """The count; None where it is of too few people."""
    smallest: int = settings.SMALLEST_GROUP
    return count if count == 0 or count >= smallest else None


def last_months(day: date, count: int) -> list[date]:
    """The first days of the last months, oldest first, this one the last."""
    place = day.year * 12 + day.month - 1
    return [date(m // 12, m % 12 + 1, 1) for m in range(place - count + 1, place + 1)]


def _counts(since: date) -> dict[tuple[Purpose, date, bool], int]:
    """People, not records: who flips a switch ten times is one."""
    rows = (
        ConsentRecord.objects.filter(recorded_at__date__gte=since)
        .annotate(
            month=TruncMonth("recorded_at"),
            is_yes=Case(When(decision__in=YES, then=Value(True)), default=Value(False)),
        )
        .values_list("purpose", "month", "is_yes")
        .annotate(people=Count("subject", distinct=True))
        .order_by()
    )
    return {(Purpose(p), month.date(), is_yes): people for p, month, is_yes, people in rows}
