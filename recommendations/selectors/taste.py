"""A person's taste: their history as a weighted vector, folded into the model as it is now.

Fold-in needs no training: a changed history changes the next page.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from privacy_center.interface import Person
from recommendations.engine.dtypes import Indices, Scores
from recommendations.engine.ranking import ItemWeights
from recommendations.selectors.listening import Habit
from recommendations.selectors.mood import LastMood
from recommendations.weights import weigh


@dataclass(frozen=True)
class Taste:
    """`history` are rows of the model, `weights` their small integers, `scores` float64[n].

    `practice_ids` are the ids behind the history; a negative one is the mood of the last check-in.
    `heard_last` is the id of the practice heard last that is not hidden, 0 if there is none.
    """

    practice_ids: list[int]
    history: list[int]
    weights: list[int]
    scores: Scores
    heard_last: int

    @property
    def heard(self) -> list[int]:
        """The indices of the practices in the history."""
        return [row for row, pk in zip(self.history, self.practice_ids, strict=True) if pk > 0]

    def strongest(self, model: ItemWeights, practice_ids: Sequence[int]) -> list[int | None]:
        """For each practice, the position in the history of what speaks for it most, the first of
        equal ones; None where nothing does. The parts are those of `ItemWeights.explain`."""
        column = np.full(len(model.practice_ids), -1, dtype=np.intp)
        column[rows_of(model, practice_ids)] = np.arange(len(practice_ids))
        columns = column[model.neighbors[self.history]]
        parts = np.zeros((len(self.history), len(practice_ids)))
        position, place = np.nonzero(columns >= 0)
        weights = model.weights[np.array(self.history)[position], place].astype(np.float64)
        parts[position, columns[position, place]] = weights * np.array(self.weights)[position]
        best = parts.argmax(axis=0).tolist()
        is_for = (parts.max(axis=0, initial=0.0) > 0).tolist()
        return [at if speaks else None for at, speaks in zip(best, is_for, strict=True)]

    @property
    def has_mood(self) -> bool:
        """Whether the mood of the last check-in is a part of it."""
        return len(self.heard) < len(self.history)


def rows_of(model: ItemWeights, practice_ids: Sequence[int]) -> Indices:
    """The rows of practices in the model, by their ids; -1 for those that it does not know."""
    wanted = np.array(practice_ids, dtype=np.int64)
    if not len(model.practice_ids):
        return np.full(len(wanted), -1, dtype=np.int64)
    rows = np.searchsorted(model.practice_ids, wanted)
    rows[rows == len(model.practice_ids)] = 0
    rows[model.practice_ids[rows] != wanted] = -1
    return rows


def taste_of(
    person: Person,
    model: ItemWeights | None,
    *,
    history: Sequence[Habit],
    hidden: Collection[int] = (),
    mood: LastMood | None = None,
) -> Taste | None:
    """None without a model, or without anything that may be used: a history under a live yes to
    personal shelves, a last mood that the model has learned something of."""
    if model is None:
        return None
    usable = history if person.can_personalize else ()
    found = rows_of(model, [habit.practice_id for habit in usable]).tolist()
    own = [habit for habit, row in zip(usable, found, strict=True) if row >= 0]
    context = model.context(mood.mood.context_id) if mood else None
    if not own and context is None:
        return None
    weights = weigh(
        np.array([habit.heard for habit in own]),
        np.array([habit.whole for habit in own]),
        np.array([habit.favorites for habit in own]),
    ).tolist()
    practice_ids = [habit.practice_id for habit in own]
    rows = [row for row in found if row >= 0]
    if mood and context is not None:
        practice_ids.append(mood.mood.context_id)
        rows.append(context)
        weights.append(1)
    return Taste(
        practice_ids=practice_ids,
        history=rows,
        weights=weights,
        scores=model.score(rows, weights=weights),
        heard_last=next((h.practice_id for h in own if h.heard and h.practice_id not in hidden), 0),
    )
