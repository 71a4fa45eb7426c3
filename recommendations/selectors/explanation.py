"""Why a practice is recommended to a person: parts that add up exactly to its score."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np
from django.utils.translation import gettext as _

from privacy_center.interface import Person
from recommendations.engine.ranking import ItemWeights
from recommendations.models import Practice
from recommendations.selectors.behavior import served_to
from recommendations.selectors.catalog import catalog_of
from recommendations.selectors.mood import last_mood
from recommendations.selectors.release import model_of
from recommendations.selectors.taste import Taste, taste_of


@dataclass(frozen=True)
class Part:
    """What one practice in the history adds; without a practice, what the last check-in does.

    `share` is 0 to 100, of the largest part.
    """

    practice: Practice | None
    weight: int
    part: float
    share: int


@dataclass(frozen=True)
class Explanation:
    kind: Literal["history", "content"]
    sentence: str
    parts: Sequence[Part] = ()
    score: float = 0.0
    is_by_mood: bool = False


def explanation(person: Person, practice: Practice, *, now: datetime) -> Explanation:
    """The reason for this practice, for this person, from the model that is served now."""
    found = served_to(person, now=now)
    site, own, person = found.site, found.behavior, found.person
    model = model_of(site.active)
    mood = last_mood(person, own.check_in, catalog=catalog_of(site.edition))
    taste = taste_of(person, model, history=own.history, mood=mood)
    is_moved = mood is not None and mood.fit(practice.pk) > 0
    if model is None or taste is None or practice.pk not in model.practice_ids:
        if is_moved:
            return Explanation("content", _moved(), is_by_mood=True)
        return Explanation(
            "content",
            _(
                "Nothing about you was used. Where this stands on a page comes from our editors, "
                "its topics, the time of day, and what many people listen to."
            ),
        )
    index = int(np.searchsorted(model.practice_ids, practice.pk))
    return Explanation(
        "history",
        f"{_summed(taste)} {_moved()}" if is_moved else _summed(taste),
        parts_by_practice(taste, model, [practice.pk])[practice.pk],
        score=float(taste.scores[index]),
        is_by_mood=is_moved or taste.has_mood,
    )


def _summed(taste: Taste) -> str:
    if taste.has_mood:
        return _(
            "Each practice in your history, and your last check-in, adds something or takes "
            "something away. Together they give the number that decides the order."
        )
    return _(
        "Each practice in your history adds something or takes something away. "
        "Together they give the number that decides the order."
    )


def _moved() -> str:
    return _("It fits what you said in your last check-in, and may stand further in front for it.")


def parts_by_practice(
    taste: Taste, model: ItemWeights, practice_ids: Iterable[int]
) -> dict[int, list[Part]]:
    """The parts of the scores of some practices of the model, by practice id, in one query."""
    found = {
        pk: model.explain(
            int(np.searchsorted(model.practice_ids, pk)),
            history=taste.history,
            weights=taste.weights,
        )
        for pk in practice_ids
    }
    # Also what is unpublished by now: the parts must add up.
    practices = Practice.objects.in_bulk(
        {taste.practice_ids[position] for parts in found.values() for position, _part in parts}
    )
    return {pk: _parts(taste, parts, practices) for pk, parts in found.items()}


def _parts(
    taste: Taste, parts: Sequence[tuple[int, float]], practices: Mapping[int, Practice]
) -> list[Part]:
    largest = max((abs(part) for _position, part in parts), default=1.0) or 1.0
    return [
        Part(
            practices.get(taste.practice_ids[position]),
            taste.weights[position],
            part,
            round(100 * abs(part) / largest),
        )
        for position, part in parts
    ]
