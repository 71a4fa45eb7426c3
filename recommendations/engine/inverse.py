"""P = (S + λI)⁻¹, the whole item model, kept up to date as people come, change and leave.

One person is one rank-one update: Sherman and Morrison 1950; William Hager, "Updating the inverse
of a matrix", SIAM Review 31 (1989), equation 2.
"""

import math
from typing import Self

import numpy as np
from scipy.linalg.blas import dgemm
from scipy.linalg.lapack import dpotrf, dpotri

from recommendations.engine.dtypes import Indices, IntegerMatrix, Integers, Matrix, Scores
from recommendations.engine.gram import mirror

# Forgetting divides twice by the remainder 1 − xᵀPx, so its error is about 1e-16 over its square:
# down to this one, far below the grid on which weights are served (ranking.py).
LEAST_REMAINDER = 1e-3
# So many updates are merged into P at once. Each pass over P costs as much as its memory traffic,
# and dozens share one; a longer wait makes each product with P dearer (docs/engine.md).
_MOST_PENDING = 64
_PROBES = 4
_PROBE_SEED = 0
_ROWS_AT_A_TIME = 512


class Singular(ValueError):
    """Forgetting this vector would leave a matrix that cannot be inverted safely."""


class ItemInverse:
    """P = (S + λI)⁻¹ for a symmetric integer matrix S: float64[n, n], symmetric.

    Updates wait in a short list of vectors and are merged into P together by one matrix product;
    whatever is asked of the object takes account of them. P drifts from the true inverse by
    rounding, about 1e-16 an update on the scale of its largest value: `residual` measures how far
    it has come, and inverting again removes it.
    """

    def __init__(self, inverse: Matrix, *, regularization: float) -> None:
        self._inverse = inverse
        self._regularization = regularization
        self._pending = np.empty((_MOST_PENDING, len(inverse)))
        self._signs = np.empty(_MOST_PENDING)
        self._n_pending = 0

    @classmethod
    def of(cls, matrix: IntegerMatrix, *, regularization: float) -> Self:
        """Invert S + λI (S: int64[n, n], symmetric) by Cholesky factors.

        Raises ValueError when λ is not a positive number, or so small that the matrix cannot be
        inverted.
        """
        require_positive(regularization)
        shifted = matrix.T.astype(np.float64, order="F")
        shifted[np.diag_indices_from(shifted)] += regularization
        return cls(inverted(shifted), regularization=regularization)

    @property
    def matrix(self) -> Matrix:
        """P itself: float64[n, n]. A later update changes it in place."""
        self._merge()
        return self._inverse

    def update(self, columns: Indices, weights: Integers, *, sign: int) -> None:
        """Learn (sign +1) or forget (−1) a person: x has `weights` in `columns`, each named once.

        With v = P x, P becomes P ∓ v vᵀ / (1 ± xᵀv). Costs a sum of as many rows of P as x has
        entries, not n². Learning always succeeds. Raises Singular, and leaves P as it was, when
        1 − xᵀv is not safely above 0; the matrix has to be inverted again then. For somebody who
        was learned it is at least λ / (λ + ‖x‖²), so that happens when λ is a thousandth of ‖x‖².
        """
        if sign not in (1, -1):
            raise ValueError("The sign is 1 to learn or -1 to forget.")
        x = np.asarray(weights, dtype=np.float64)
        product = self._times(columns, x)
        remainder = 1.0 + sign * float(x @ product[columns])
        if not remainder > LEAST_REMAINDER:
            raise Singular(
                "This vector cannot be taken out of the inverse by an update. The inverse is as it"
                " was; make it again from the matrix."
            )
        self._pending[self._n_pending] = product / math.sqrt(remainder)
        self._signs[self._n_pending] = -sign
        self._n_pending += 1
        if self._n_pending == len(self._pending):
            self._merge()

    def item_weights(self) -> Matrix:
        """B: float64[n, n], B[i, j] = −P[i, j] / P[j, j], zero diagonal (Steck 2019, eq. 8)."""
        matrix = self.matrix
        weights = matrix / -matrix.diagonal()
        np.fill_diagonal(weights, 0.0)
        return weights

    def residual(self, matrix: IntegerMatrix) -> float:
        """How far P is from (S + λI)⁻¹: the largest |(S + λI) P v − v| over a few seeded v of ±1.

        S is `matrix`, int64[n, n]. 0 would be exact; costs n², not n³.
        """
        size = len(matrix)
        if not size:
            return 0.0
        probes = np.random.default_rng(_PROBE_SEED).choice([-1.0, 1.0], size=(size, _PROBES))
        products = self.matrix @ probes
        rest = self._regularization * products - probes
        for first in range(0, size, _ROWS_AT_A_TIME):
            rows = slice(first, first + _ROWS_AT_A_TIME)
            rest[rows] += matrix[rows].astype(np.float64) @ products
        return float(np.abs(rest).max())

    def _times(self, columns: Indices, x: Scores) -> Scores:
        """P x, with what is pending."""
        product: Scores = x @ self._inverse[columns]
        pending = self._pending[: self._n_pending]
        product += (self._signs[: self._n_pending] * (pending[:, columns] @ x)) @ pending
        return product

    def _merge(self) -> None:
        if not self._n_pending:
            return
        pending = self._pending[: self._n_pending].T
        signed = pending * self._signs[: self._n_pending]
        # P is row-major and symmetric, so its transpose is the column-major array BLAS wants.
        dgemm(1.0, pending, signed, beta=1.0, c=self._inverse.T, trans_b=1, overwrite_c=1)
        self._n_pending = 0


def require_positive(regularization: float) -> None:
    """Raises ValueError when λ is not a positive number."""
    if not (math.isfinite(regularization) and regularization > 0):
        raise ValueError("The regularization must be a number above 0.")


def inverted(matrix: Matrix) -> Matrix:
    """The inverse of a symmetric positive definite matrix, by Cholesky factors: row-major.

    That is half the work of a general inverse. The argument, float64[n, n] in Fortran order, is
    overwritten. Raises ValueError when it is not positive definite.
    """
    if not len(matrix):
        return np.zeros((0, 0))
    factor, failed = dpotrf(matrix, lower=1, clean=0, overwrite_a=1)
    if failed:
        raise ValueError(
            "The Gram matrix is not positive definite at this regularization."
            " Nothing was trained; use a larger regularization."
        )
    inverse, _ = dpotri(factor, lower=1, overwrite_c=1)
    half: Matrix = inverse.T
    mirror(half)
    return half
