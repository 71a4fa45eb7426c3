"""Leave-last-out: how well a model ranks the last practice of each person, had it never seen it.

Nothing is trained again: what one practice of one person adds to the inverse is taken out of it by
the formula of Sherman, Morrison and Woodbury (Hager, "Updating the inverse of a matrix", SIAM
Review 1989), person by person, without a copy of the matrix.
"""

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from recommendations.engine.dtypes import Indices, Matrix, Scores
from recommendations.engine.interactions import Interactions
from recommendations.engine.metrics import Estimate
from recommendations.engine.ranking import ItemWeights

NDCG_PLACES = 10
RECALL_PLACES = 20
SHELF_PLACES = 12

# A row a person; scipy's class takes its types only as text.
_Histories: TypeAlias = "sp.csr_array[np.integer[Any], tuple[int, int]]"
# float64 values of working memory: a block of people by the catalog, a few times over.
_BLOCK_CELLS = 1 << 20


@dataclass(frozen=True, eq=False)
class Ranked:
    """Where the held-out practice of each person came: `places` is int[people ranked], from 1.

    `coverage` is the share of the catalog that is among the first 12 of at least one of them.
    """

    places: NDArray[np.int64]
    coverage: float

    @property
    def ndcg(self) -> Scores:
        """nDCG@10 of each person: one practice is relevant, so 1 / log₂(place + 1) or 0."""
        gains: Scores = np.where(self.places <= NDCG_PLACES, 1.0 / np.log2(self.places + 1.0), 0.0)
        return gains

    @property
    def recall(self) -> Scores:
        """Recall@20 of each person: 1 if the practice is among the first 20, else 0."""
        return (self.places <= RECALL_PLACES).astype(np.float64)


def leave_last_out(
    inverse: Matrix,
    *,
    vectors: Interactions,
    held_out: Indices,
    n_practices: int,
    items: ItemWeights | None = None,
) -> Ranked:
    """Rank for each person as the model would that learned all of them but their held-out practice.

    `inverse` is P = (S + λI)⁻¹, float64[c, c] and symmetric; `vectors` are the x of some of the
    people in S, with S's columns: where S leaves out what few people carry, `vectors` must leave it
    out too. `held_out` is int[people]: the column of the practice, -1 for whoever is not ranked. A
    held-out practice that is not in x at all is ranked by what the others say of it. The first
    `n_practices` columns can be recommended; those behind are contexts. What is left of x is left
    out of the ranking, and equal scores are in the order of the columns.

    For x and x' = x without the held-out practice, S' = S − x xᵀ + x'x'ᵀ, and with U = [x, x'],
    K = diag(−1, 1): P' = P − PU (K + UᵀPU)⁻¹ UᵀP. The score of k is −(x'ᵀP')ₖ / P'ₖₖ, for which
    Px and Px' are enough: O(c · |x|) a person.

    With `items` the scores are those of the weights that are served: what they leave out or round
    is then part of the figure, and only the effect of the held-out practice comes from P.

    Raises ValueError when nobody is ranked, and when somebody's x cannot be in S.
    """
    people = np.flatnonzero(held_out >= 0)
    if not len(people):
        raise ValueError("Nobody has a practice to hold out, so there is nothing to rank.")
    matrix = vectors.matrix
    diagonal = inverse.diagonal().copy()
    places = np.empty(len(people), dtype=np.int64)
    shown = np.zeros(n_practices, dtype=np.bool_)
    size = max(1, _BLOCK_CELLS // max(1, len(inverse)))
    for first in range(0, len(people), size):
        block = people[first : first + size]
        histories, last = matrix[block], held_out[block]
        scores = _scores(inverse, diagonal, histories, last, items)[:, :n_practices]
        _leave_out(scores, histories, last)
        places[first : first + size] = _places(scores, last)
        shown[_first_columns(scores)] = True
    return Ranked(places, coverage=float(shown.mean()))


def clearly_worse(candidate: Estimate, *, than: Estimate) -> bool:
    """Whether a candidate is held back: its 95% interval lies wholly below the other one's.

    For two independent measurements of equally good models the means must differ by 2 · 1.96
    standard errors, where their difference has √2 of them: one false alarm in about 360. On the
    same people it is rarer still.
    """
    return candidate.high < than.low


def _scores(
    inverse: Matrix,
    diagonal: Scores,
    histories: _Histories,
    last: Indices,
    items: ItemWeights | None,
) -> Scores:
    """Scores without the held-out practices: float64[people, columns]. The names are those of the
    formula: `full` is Px, `rest` is Px', and (aa, ab; ab, bb) is UᵀPU."""
    rows = np.arange(len(last))
    weight = np.asarray(histories[rows, last], dtype=np.float64)
    full: Scores = np.asarray(histories @ inverse)
    rest: Scores = full - weight[:, np.newaxis] * inverse[last]
    owner = np.repeat(rows, np.diff(histories.indptr))
    parts = histories.data * full[owner, histories.indices]
    aa = np.bincount(owner, weights=parts, minlength=len(rows))
    ab = aa - weight * full[rows, last]
    bb = ab - weight * rest[rows, last]
    if (aa >= 1.0).any():
        raise ValueError(
            "Somebody's history is not part of this model, so it cannot be taken out of it."
            " Measure with the vectors that the model was made from."
        )
    determinant = (aa - 1.0) * (bb + 1.0) - ab * ab
    t_aa, t_ab, t_bb = ((part / determinant)[:, np.newaxis] for part in (bb + 1.0, -ab, aa - 1.0))
    ab, bb = ab[:, np.newaxis], bb[:, np.newaxis]
    raw = rest - full * (t_aa * ab + t_ab * bb) - rest * (t_ab * ab + t_bb * bb)
    scale = diagonal - (t_aa * full + 2.0 * t_ab * rest) * full - t_bb * rest * rest
    scores: Scores = -raw / scale
    if items is None:
        return scores
    served = _served(items, histories, last)
    scores[:, : served.shape[1]] += served + (rest / diagonal)[:, : served.shape[1]]
    return scores


def _served(items: ItemWeights, histories: _Histories, last: Indices) -> Scores:
    """What the served weights say to x': float64[people, practices]."""
    served = np.empty((len(last), len(items.practice_ids)))
    for row, held in enumerate(last):
        begin, end = histories.indptr[row : row + 2]
        history, weights = histories.indices[begin:end], histories.data[begin:end]
        kept = history != held
        served[row] = items.score(history[kept], weights=weights[kept])
    return served


def _leave_out(scores: Scores, histories: _Histories, last: Indices) -> None:
    """-inf for what is left of each history."""
    rows = np.repeat(np.arange(len(last)), np.diff(histories.indptr))
    columns = histories.indices
    is_left = (columns < scores.shape[1]) & (columns != last[rows])
    scores[rows[is_left], columns[is_left]] = -np.inf


def _places(scores: Scores, last: Indices) -> NDArray[np.int64]:
    """The place of the held-out practice of each row, from 1."""
    own = scores[np.arange(len(last)), last][:, np.newaxis]
    is_before = np.arange(scores.shape[1]) < last[:, np.newaxis]
    better = (scores > own) | ((scores == own) & is_before)
    places: NDArray[np.int64] = better.sum(axis=1) + 1
    return places


def _first_columns(scores: Scores) -> Indices:
    """The columns among the first 12 of any row."""
    kept = min(SHELF_PLACES, scores.shape[1])
    best = np.argpartition(-scores, kept - 1, axis=1)[:, :kept]
    is_shown = np.take_along_axis(scores, best, axis=1) > -np.inf
    return np.unique(best[is_shown])
