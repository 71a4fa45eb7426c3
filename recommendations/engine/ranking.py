"""The item weights as they are served: score a history, order the catalog, say why."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from recommendations.engine.dtypes import Indices, Integers, Matrix, Scores

# On MovieLens 1M the 400 strongest of 3,260 keep nDCG@10 at .428 of .430 (docs/engine.md).
DEFAULT_NEIGHBORS = 400
_LOWEST = -np.finfo(np.float64).max
_GRID = 2.0**24
_ROWS_AT_A_TIME = 64
_LAST_COLUMN = (1 << 32) - 1


def _no_contexts() -> NDArray[np.int64]:
    return np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class ItemWeights:
    """What each practice says about the practices it speaks about most: n practices, k each.

    Row i of `neighbors` (int32[n + c, k], indices of practices) and `weights` (float32[n + c, k])
    holds the k largest weights i → j by magnitude, the largest weight first. `practice_ids`
    (int64[n]) are the ids behind the indices, `people_per_practice` (int64[n]) the distinct people
    who heard each. Rows n to n + c are the contexts, with negative ids in `context_ids`
    (int64[c]): they speak about practices, and nothing speaks about them, so none is ever scored,
    counted or shown. Every history below is an array of row indices without repetition, with one
    integer weight each.
    """

    practice_ids: NDArray[np.int64]
    neighbors: NDArray[np.int32]
    weights: NDArray[np.float32]
    people_per_practice: NDArray[np.int64]
    context_ids: NDArray[np.int64] = field(default_factory=_no_contexts)

    def __post_init__(self) -> None:
        size = len(self.practice_ids)
        rows = size + len(self.context_ids)
        if self.neighbors.shape != self.weights.shape or len(self.neighbors) != rows:
            raise ValueError("neighbors and weights must have one row per practice and context.")
        if len(self.context_ids) and self.context_ids.max() >= 0:
            raise ValueError("context_ids must be negative.")
        if self.people_per_practice.shape != (size,):
            raise ValueError("people_per_practice must have one count per practice.")
        if self.neighbors.size and not 0 <= self.neighbors.min() <= self.neighbors.max() < size:
            raise ValueError("neighbors must be indices of practices.")
        if not np.isfinite(self.weights).all():
            raise ValueError("weights must be finite numbers.")

    @classmethod
    def from_matrix(
        cls,
        matrix: Matrix,
        *,
        practice_ids: NDArray[np.int64],
        people_per_practice: NDArray[np.int64],
        context_ids: NDArray[np.int64] | None = None,
        n_neighbors: int = DEFAULT_NEIGHBORS,
    ) -> Self:
        """Keep the strongest weights of each row of B (float64[n + c, n + c], diagonal zero).

        Every weight is rounded to a multiple of 2⁻²⁴ first. What rounding errors of an updated
        inverse leave where a forgotten person was, about 1e-16, becomes exactly 0 so, and the
        same weights come out as if the matrix had been inverted anew. Strongest by magnitude:
        what a practice speaks against matters as much as what it speaks for. Equal ones are kept
        in the order of their indices. The columns of the contexts are left out.
        """
        size = len(practice_ids)
        kept = min(n_neighbors, max(0, size - 1))
        neighbors = np.empty((len(matrix), kept), dtype=np.int32)
        weights = np.empty((len(matrix), kept), dtype=np.float32)

        def keep(first: int) -> None:
            rows = slice(first, first + _ROWS_AT_A_TIME)
            neighbors[rows], weights[rows] = _strongest(matrix[rows, :size], first, kept)

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(keep, range(0, len(matrix), _ROWS_AT_A_TIME)))
        contexts = _no_contexts() if context_ids is None else context_ids
        return cls(practice_ids, neighbors, weights, people_per_practice, contexts)

    def context(self, context_id: int) -> int | None:
        """The row of a context that the model learned something from; None for every other."""
        found = np.flatnonzero(self.context_ids == context_id)
        row = len(self.practice_ids) + int(found[0]) if len(found) else None
        return row if row is not None and self.weights[row].any() else None

    def score(self, history: ArrayLike, *, weights: ArrayLike) -> Scores:
        """The score of every practice for a person with this history: float64[n]."""
        sources, strengths = _history(history, weights)
        parts = self.weights[sources].astype(np.float64) * strengths[:, np.newaxis]
        size = len(self.practice_ids)
        targets = self.neighbors[sources].ravel()
        # bincount adds in the order of its input, so in the order of the history.
        sums = np.bincount(targets, weights=parts.ravel(), minlength=size)
        return sums.astype(np.float64, copy=False)

    def explain(
        self, practice: int, *, history: ArrayLike, weights: ArrayLike
    ) -> list[tuple[int, float]]:
        """Why a practice has its score: (position in the history, part), in history order.

        Positions that say nothing about the practice are left out. Added one after the other,
        the parts give the value of `score` exactly: both make the same additions.
        """
        sources, strengths = _history(history, weights)
        positions, columns = np.nonzero(self.neighbors[sources] == practice)
        parts = self.weights[sources[positions], columns].astype(np.float64) * strengths[positions]
        return list(zip(positions.tolist(), parts.tolist(), strict=True))

    def similar(self, practice: int, *, n: int) -> Indices:
        """The n practices (indices) this one speaks for most, best first; fewer if it has fewer."""
        praised: Indices = self.neighbors[practice][self.weights[practice] > 0]
        return praised[:n]


def top_n(scores: NDArray[np.floating], *, n: int, exclude: Indices | None = None) -> Indices:
    """The indices of the n highest scores, best first, equal ones in the order of their indices.

    `exclude` lists indices that are never returned. Fewer than n come back when there are fewer.
    """
    candidates = scores.astype(np.float64)
    if exclude is not None:
        candidates[exclude] = -np.inf
    n = min(n, len(scores))
    if n <= 0:
        return np.empty(0, dtype=np.intp)
    threshold = np.partition(candidates, len(scores) - n)[len(scores) - n]
    best = np.flatnonzero(candidates >= max(threshold, _LOWEST))
    order = np.argsort(-candidates[best], kind="stable")
    return best[order][:n]


def _strongest(
    block: Matrix, first: int, kept: int
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The `kept` strongest weights of each row, as `from_matrix` orders them.

    Row r of the block is row first + r of B; its own column is never taken. A weight and its
    column are packed into one int64, so that one partition and one sort of plain integers settle
    ties as well: of two equal weights the lower column has the larger key.
    """
    if not kept:
        return np.empty((len(block), 0), dtype=np.int32), np.empty((len(block), 0), np.float32)
    # Adding 0 makes −0 plain 0, which is equal to it and must sort so.
    weights = (np.rint(block * _GRID) * (1 / _GRID)).astype(np.float32) + np.float32(0)
    columns = np.arange(block.shape[1], dtype=np.int64)
    keys = (np.abs(weights).view(np.int32).astype(np.int64) << 32) | (_LAST_COLUMN - columns)
    own = np.arange(max(0, min(len(block), block.shape[1] - first)))
    keys[own, first + own] = -1
    keys = np.partition(keys, block.shape[1] - kept, axis=1)[:, block.shape[1] - kept :]
    strongest = _LAST_COLUMN - (keys & _LAST_COLUMN)
    chosen = np.take_along_axis(weights, strongest, axis=1)
    bits = chosen.view(np.int32)
    # Among negative floats the larger magnitude is the lower value: their bits are turned round.
    signed = np.where(bits < 0, -(bits & 0x7FFFFFFF), bits).astype(np.int64)
    keys = np.sort((signed << 32) | (_LAST_COLUMN - strongest), axis=1)[:, ::-1]
    neighbors = (_LAST_COLUMN - (keys & _LAST_COLUMN)).astype(np.int32)
    return neighbors, np.take_along_axis(weights, neighbors, axis=1)


def _history(history: ArrayLike, weights: ArrayLike) -> tuple[Indices, Integers]:
    sources = np.asarray(history, dtype=np.int64)
    strengths = np.asarray(weights, dtype=np.int64)
    if sources.shape != strengths.shape:
        raise ValueError("A history needs one weight per practice.")
    return sources, strengths
