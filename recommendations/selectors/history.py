"""A person's history: every listen, newest first, by day; and how much in each month.

Days and months are those of `zone`, the clock of the person's own device.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from itertools import groupby
from uuid import UUID

from django.db.models import Count, Q, QuerySet
from django.db.models.functions import TruncMonth

from recommendations.models import Listen

PAGE_SIZE = 40
MONTHS_SHOWN = 12


@dataclass(frozen=True)
class Search:
    """What somebody looks for in their history; empty values do not narrow.

    `month` is the first day of one.
    """

    text: str = ""
    month: date | None = None

    @property
    def is_empty(self) -> bool:
        return not self.text and self.month is None


@dataclass(frozen=True)
class Day:
    date: date
    listens: Sequence[Listen]


@dataclass(frozen=True)
class Page:
    """One page of a history. `last` is where the next page goes on; None when nothing is older."""

    days: Sequence[Day]
    last: UUID | None


@dataclass(frozen=True)
class Month:
    """How many listens began in a month; `first` is its first day."""

    first: date
    count: int


def history(subject_id: UUID) -> QuerySet[Listen]:
    """Every listen of a person, newest first."""
    return Listen.objects.filter(subject_id=subject_id).order_by("-started_at", "-pk")


def found(subject_id: UUID, search: Search, *, zone: tzinfo) -> QuerySet[Listen]:
    """The listens that fit; every word must begin a word of the practice's title."""
    listens = history(subject_id)
    for word in search.text.split():
        listens = listens.filter(practice__title__iregex=rf"(^|\W){re.escape(word)}")
    if search.month:
        begins = datetime.combine(search.month, datetime.min.time(), tzinfo=zone)
        ends = datetime.combine(_next_month(search.month), datetime.min.time(), tzinfo=zone)
        listens = listens.filter(started_at__gte=begins, started_at__lt=ends)
    return listens


def chosen(subject_id: UUID, ids: Collection[UUID]) -> QuerySet[Listen] | None:
    """These listens; None unless every one of them is in the person's own history."""
    listens = history(subject_id).filter(pk__in=ids)
    return listens if listens.count() == len(set(ids)) else None


def page_of(listens: QuerySet[Listen], *, after: UUID | None, zone: tzinfo) -> Page:
    """The page that follows the listen `after`; the first one without it, or when it is gone."""
    older = _following(listens, after).select_related("practice").defer("practice__content")
    rows = list(older[: PAGE_SIZE + 1])
    shown = rows[:PAGE_SIZE]
    days = groupby(shown, key=lambda listen: listen.started_at.astimezone(zone).date())
    return Page(
        [Day(day, list(of_day)) for day, of_day in days],
        last=shown[-1].pk if len(rows) > PAGE_SIZE else None,
    )


def months(subject_id: UUID, *, zone: tzinfo) -> list[Month]:
    """The months in which the person listened, the latest first."""
    rows = (
        Listen.objects.filter(subject_id=subject_id)
        .annotate(month=TruncMonth("started_at", tzinfo=zone))
        .values_list("month")
        .annotate(count=Count("pk"))
        .order_by("-month")
    )
    return [Month(month.date(), count) for month, count in rows]


def last_twelve(listened: Sequence[Month], *, today: date) -> list[Month]:
    """The last twelve months, oldest first, with those in which nothing was heard."""
    counts = {month.first: month.count for month in listened}
    first = today.replace(day=1)
    shown = []
    for _month in range(MONTHS_SHOWN):
        shown.append(Month(first, counts.get(first, 0)))
        first = (first - timedelta(days=1)).replace(day=1)
    return shown[::-1]


def _following(listens: QuerySet[Listen], after: UUID | None) -> QuerySet[Listen]:
    """By place and not by count, so that a page is found as fast as the first one."""
    last = listens.filter(pk=after).first() if after else None
    if last is None:
        return listens
    return listens.filter(
        Q(started_at__lt=last.started_at) | Q(pk__lt=last.pk), started_at__lte=last.started_at
    )


def _next_month(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1)
