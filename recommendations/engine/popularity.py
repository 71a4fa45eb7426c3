"""Popularity: how many people heard each practice, the yardstick every model must beat."""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from surprise import AlgoBase, PredictionImpossible, Trainset

from recommendations.engine.dtypes import Indices, Scores
from recommendations.engine.interactions import Interactions
from recommendations.engine.ranker import Ranker, known_pairs


def people_per_practice(interactions: Interactions) -> NDArray[np.int64]:
    """The number of distinct people who heard each practice: int64[n_practices]."""
    return np.bincount(interactions.practices, minlength=interactions.n_practices)


class Popularity(Ranker):
    """The same order for everybody: the score of an item is the number of people who know it."""

    def fit(self, trainset: Trainset) -> Self:
        """Count the people of a Surprise Trainset; returns the algorithm itself."""
        AlgoBase.fit(self, trainset)
        self.people_per_item = people_per_practice(known_pairs(trainset))
        return self

    def estimate(self, u: int, i: int) -> float:
        """The number of people who rated inner item i."""
        if not self.trainset.knows_item(i):
            raise PredictionImpossible("Item is unknown.")
        return float(self.people_per_item[i])

    def score_block(self, people: Indices) -> Scores:
        """The counts, once for each of these people: float64[people, items]."""
        return np.tile(self.people_per_item.astype(np.float64), (len(people), 1))
