"""What the rankers have in common: Surprise algorithms whose estimate is a score, not a rating."""

from abc import ABC, abstractmethod

import numpy as np
from surprise import AlgoBase, Prediction, Trainset

from recommendations.engine.dtypes import Indices, Scores
from recommendations.engine.interactions import Interactions
from recommendations.engine.trainset import RawId, rating_columns
from recommendations.engine.unpicklable import Unpicklable


class Ranker(Unpicklable, AlgoBase, ABC):
    """A Surprise algorithm that orders practices.

    Its scores have no scale, so `predict` does not clip them unless asked to, and a person or a
    practice the training set does not know scores 0, with `was_impossible` in the details.
    """

    @abstractmethod
    def score_block(self, people: Indices) -> Scores:
        """The scores of all items for these people: float64[people, items].

        `people` are inner ids; -1 stands for somebody the training set does not know.
        """

    def predict(
        self,
        uid: RawId,
        iid: RawId,
        r_ui: float | None = None,
        clip: bool = False,
        verbose: bool = False,
    ) -> Prediction:
        """Surprise's `predict`, with the score left as it is."""
        return super().predict(uid, iid, r_ui, clip, verbose)

    def default_prediction(self) -> float:
        """The score where nothing is known."""
        return 0.0


def known_pairs(trainset: Trainset) -> Interactions:
    """Who rated what, whatever the rating: every known pair once, with weight 1."""
    users, items, _ = rating_columns(trainset)
    pairs = np.sort(users.astype(np.int64) * trainset.n_items + items)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    people, practices = np.divmod(pairs, trainset.n_items)
    return Interactions(
        people.astype(np.int32),
        practices.astype(np.int32),
        np.ones(len(pairs), dtype=np.int8),
        trainset.n_users,
        trainset.n_items,
    )
