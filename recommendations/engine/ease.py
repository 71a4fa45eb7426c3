"""EASE, the item model: one regularized inverse of the Gram matrix.

Harald Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equations 7 and 8.
"""

from typing import Self

import numpy as np
from surprise import AlgoBase, PredictionImpossible, Trainset

from recommendations.engine.dtypes import Indices, IntegerMatrix, Matrix, Scores
from recommendations.engine.gram import gram
from recommendations.engine.inverse import inverted, require_positive
from recommendations.engine.ranker import Ranker, known_pairs

# The better of the two that were measured on MovieLens 1M (docs/engine.md).
DEFAULT_REGULARIZATION = 1000.0


def ease_weights(gram: IntegerMatrix, *, regularization: float, dropout: float = 0.0) -> Matrix:
    """The item weights B: float64[n, n], with B[i, j] what having heard i adds to the score of j.

    P = (G + λI)⁻¹, B[i, j] = −P[i, j] / P[j, j], and a zero diagonal (Steck 2019, eq. 8). It is
    the B that minimizes ‖X − XB‖² + λ‖B‖² among those with a zero diagonal. With a `dropout` p
    from 0 to below 1, λI + p/(1 − p) · diag(G) takes the place of λI (EDLAE: Harald Steck,
    "Autoencoders that don't overfit towards the Identity", NeurIPS 2020). Raises ValueError when
    λ is not a positive number, or so small that the matrix cannot be inverted.
    """
    require_positive(regularization)
    if not 0 <= dropout < 1:
        raise ValueError("The dropout must be a share from 0 to below 1.")
    matrix = gram.T.astype(np.float64, order="F")
    added = regularization + dropout / (1 - dropout) * gram.diagonal()
    matrix[np.diag_indices_from(matrix)] += added
    weights = inverted(matrix)
    weights /= -weights.diagonal().copy()
    np.fill_diagonal(weights, 0.0)
    return weights


class EASE(Ranker):
    """EASE as a Surprise algorithm: every rating, whatever its value, counts as "heard it".

    After `fit`, `item_weights` holds B, indexed by inner item ids.
    """

    def __init__(self, regularization: float = DEFAULT_REGULARIZATION) -> None:
        super().__init__()
        self.regularization = regularization

    def fit(self, trainset: Trainset) -> Self:
        """Learn from a Surprise Trainset or an ArrayTrainset; returns the algorithm itself."""
        AlgoBase.fit(self, trainset)
        heard = known_pairs(trainset)
        self.item_weights = ease_weights(gram(heard), regularization=self.regularization)
        self._histories = heard.matrix
        return self

    def estimate(self, u: int, i: int) -> float:
        """The score of inner item i for inner user u: the sum of B over what u has heard."""
        if not (self.trainset.knows_user(u) and self.trainset.knows_item(i)):
            raise PredictionImpossible("User and/or item is unknown.")
        offsets = self._histories.indptr
        history = self._histories.indices[offsets[u] : offsets[u + 1]]
        return float(self.item_weights[history, i].sum())

    def score_block(self, people: Indices) -> Scores:
        """The scores of all items for these people: float64[people, items]; 0 for the unknown."""
        scores = np.asarray(self._histories[people] @ self.item_weights)
        scores[people < 0] = self.default_prediction()
        return scores
