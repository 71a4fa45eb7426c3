"""Why a practice is recommended to a person: parts that add up exactly to its score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from privacy_center.interface import Person
from recommendations.models import Practice
from recommendations.selectors.listening import habits
from recommendations.selectors.release import current_model
from recommendations.selectors.taste import taste_of


@dataclass(frozen=True)
class Part:
    """What one practice in the history adds. `share` is 0 to 100, of the largest part."""

    practice: Practice
    weight: int
    part: float
    share: int


@dataclass(frozen=True)
class Explanation:
    kind: Literal["history", "content"]
    sentence: str
    parts: Sequence[Part] = ()
    score: float = 0.0


def explanation(person: Person, practice: Practice, *, now: datetime) -> Explanation:
    """The reason for this practice, for this person, from the model that is served now."""
    model = current_model(now)
    taste = taste_of(person, model, history=habits(person))
    if model is None or taste is None or practice.pk not in model.practice_ids:
        return Explanation(
            "content",
            "Nothing about you was used. Where this stands on a page comes from our editors, its "
            "topics, the time of day, and what many people listen to.",
        )
    index = int(np.searchsorted(model.practice_ids, practice.pk))
    parts = model.explain(index, history=taste.history, weights=taste.weights)
    # Also what is unpublished by now: the parts must add up.
    practices = Practice.objects.in_bulk([taste.practice_ids[position] for position, _ in parts])
    largest = max((abs(part) for _position, part in parts), default=1.0) or 1.0
    return Explanation(
        "history",
        "Each practice in your history adds something or takes something away. "
        "Together they give the number that decides the order.",
        [
            Part(
                practices[taste.practice_ids[position]],
                taste.weights[position],
                part,
                round(100 * abs(part) / largest),
            )
            for position, part in parts
        ],
        score=float(taste.scores[index]),
    )
