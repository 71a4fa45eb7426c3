"""EASE, the item model: one regularized inverse of the Gram matrix.

Harald Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019, equations 7 and 8.
"""

import math
from typing import Self

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri
from surprise import AlgoBase, PredictionImpossible, Trainset

from recommendations.engine.dtypes import Indices, IntegerMatrix, Matrix, Scores
from recommendations.engine.gram import gram
from recommendations.engine.ranker import Ranker, known_pairs

# The better of the two that were measured on MovieLens 1M (docs/engine.md).
DEFAULT_REGULARIZATION = 1000.0


def ease_weights(gram: IntegerMatrix, *, regularization: float) -> Matrix:
    """The item weights B: float64[n, n], with B[i, j] what having heard i adds to the score of j.

    P = (G + λI)⁻¹, B[i, j] = −P[i, j] / P[j, j], and a zero diagonal (Steck 2019, eq. 8). It is
    the B that minimizes ‖X − XB‖² + λ‖B‖² among those with a zero diagonal. Raises ValueError
    when λ is not a positive number, or so small that the matrix cannot be inverted.
    """
    if not (math.isfinite(regularization) and regularization > 0):
        raise ValueError("The regularization must be a number above 0.")
    if not len(gram):
        return np.zeros((0, 0))
    inverse = _inverse(gram, regularization)
    inverse /= -inverse.diagonal().copy()
    np.fill_diagonal(inverse, 0.0)
    return inverse


def _inverse(gram: IntegerMatrix, regularization: float) -> Matrix:
    """(G + λI)⁻¹ by Cholesky factors, which is half the work of a general inverse."""
    matrix = gram.astype(np.float64, order="F")
    matrix[np.diag_indices_from(matrix)] += regularization
    factor, failed = dpotrf(matrix, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise ValueError(
            "The Gram matrix is not positive definite at this regularization."
            " Nothing was trained; use a larger regularization."
        )
    inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
    # LAPACK fills one triangle and leaves zeros in the other; the transpose is row-major.
    half: Matrix = inverse.T
    half += np.triu(half, 1).T
    return half


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
