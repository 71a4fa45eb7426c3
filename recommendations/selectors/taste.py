"""A person's taste: their history as a weighted vector, folded into the model as it is now.

Fold-in needs no training: a changed history changes the next page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from privacy_center.interface import Person
from recommendations.engine.dtypes import Scores
from recommendations.engine.ranking import ItemWeights
from recommendations.selectors.listening import Habit
from recommendations.weights import weigh


@dataclass(frozen=True)
class Taste:
    """`history` are indices into the model, `weights` their small integers, `scores` float64[n].

    `heard_last` is the id of the practice heard last, 0 if none was.
    """

    practice_ids: list[int]
    history: list[int]
    weights: list[int]
    scores: Scores
    heard_last: int


def taste_of(
    person: Person, model: ItemWeights | None, *, history: Sequence[Habit]
) -> Taste | None:
    """None without a model, without a live yes to personal shelves, or without a history."""
    if model is None or not person.can_personalize:
        return None
    place = {int(pk): index for index, pk in enumerate(model.practice_ids)}
    own = [habit for habit in history if habit.practice_id in place]
    if not own:
        return None
    weights = weigh(
        np.array([habit.heard for habit in own]),
        np.array([habit.whole for habit in own]),
        np.array([habit.favorites for habit in own]),
    ).tolist()
    indices = [place[habit.practice_id] for habit in own]
    return Taste(
        practice_ids=[habit.practice_id for habit in own],
        history=indices,
        weights=weights,
        scores=model.score(indices, weights=weights),
        heard_last=next((habit.practice_id for habit in own if habit.heard), 0),
    )
