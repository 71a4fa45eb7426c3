"""A person's history as the browser keeps one (static/recommendations/device.js)."""

from dataclasses import dataclass
from uuid import UUID

from recommendations.landscape import landscape_svg
from recommendations.models import Favorite, Listen, Practice, Rating
from recommendations.weights import WHOLE_FROM


@dataclass(frozen=True)
class TakeHome:
    """Listens, favorites and ratings name a practice by its slug; `cards` has what draws it.

    `positions` are seconds to go on from, by slug: 0 where the person came to the end.
    """

    listens: list[dict[str, object]]
    favorites: list[str]
    ratings: dict[str, int]
    positions: dict[str, int]
    cards: dict[str, dict[str, str]]


def take_home(subject_id: UUID) -> TakeHome:
    """Everything that is kept of the person's listening, oldest first."""
    heard = Listen.objects.filter(subject_id=subject_id).order_by("started_at", "pk")
    favorites = Favorite.objects.filter(subject_id=subject_id).order_by("created_at", "pk")
    ratings = Rating.objects.filter(subject_id=subject_id).order_by("rated_at", "pk")
    listens: list[dict[str, object]] = []
    positions: dict[str, int] = {}
    for pk, slug, started_at, seconds, position, completion in heard.values_list(
        "pk", "practice__slug", "started_at", "seconds", "position", "completion"
    ):
        listens.append(
            {
                "id": str(pk),
                "slug": slug,
                "startedAt": started_at.isoformat(timespec="milliseconds"),
                "seconds": seconds,
                "position": position,
            }
        )
        # The last listen with a practice has the last word.
        positions[slug] = 0 if completion >= WHOLE_FROM else position
    marked = list(favorites.values_list("practice__slug", flat=True))
    practices = Practice.objects.filter(slug__in={*positions, *marked}).defer("content")
    return TakeHome(
        listens=listens,
        favorites=marked,
        ratings=dict(ratings.values_list("practice__slug", "value")),
        positions=positions,
        cards={practice.slug: _card(practice) for practice in practices},
    )


def _card(practice: Practice) -> dict[str, str]:
    return {
        "title": practice.title,
        "url": practice.get_absolute_url(),
        "kindLabel": practice.get_kind_display(),
        "picture": landscape_svg(practice.slug, practice.kind),
    }
