"""The catalog, as people browse it."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from recommendations.models import Practice


@dataclass(frozen=True)
class Filters:
    """What somebody looks for; empty values do not narrow."""

    text: str = ""
    kind: str = ""
    intention: str = ""
    topic: str = ""
    most_minutes: int | None = None
    least_minutes: int | None = None


def published() -> QuerySet[Practice]:
    """Practices people may play, in the editors' order, with their topics."""
    return Practice.objects.filter(is_published=True).prefetch_related("topics")


def matching(filters: Filters) -> QuerySet[Practice]:
    """Published practices that fit all filters; every word of the text must occur somewhere."""
    practices = published()
    if filters.kind:
        practices = practices.filter(kind=filters.kind)
    if filters.intention:
        practices = practices.filter(intention=filters.intention)
    if filters.topic:
        practices = practices.filter(topics__slug=filters.topic)
    if filters.most_minutes is not None:
        practices = practices.filter(seconds__lte=filters.most_minutes * 60 + 29)
    if filters.least_minutes is not None:
        practices = practices.filter(seconds__gte=filters.least_minutes * 60 - 30)
    for word in filters.text.split():
        practices = practices.filter(
            Q(title__icontains=word)
            | Q(summary__icontains=word)
            | Q(
                pk__in=Practice.topics.through.objects.filter(topic__name__icontains=word).values(
                    "practice_id"
                )
            )
        )
    return practices


def by_ids(ids: Iterable[int]) -> dict[int, Practice]:
    """Published practices by id, in one query (and one for their topics)."""
    return published().in_bulk(list(ids))
