"""The inverse that a release is made of, kept from one run to the next.

A few changed people are a few rank-one updates. More are cheaper inverted again, which also ends
what rounding has added up.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import IntegerMatrix
from recommendations.engine.gram_state import Vectors
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse, Singular

# Updates cost as much as an inverse from about one in three practices on (docs/engine.md).
PRACTICES_PER_UPDATE = 6
# Far above the rounding of an inverse, far below what moves a weight that is served.
LARGEST_RESIDUAL = 1e-7
PROBES = 3
PROBE_SEED = 0


@dataclass(frozen=True, eq=False)
class _Kept:
    """An inverse, and what it is the inverse of."""

    matrix: IntegerMatrix
    regularization: float
    inverse: ItemInverse


_kept: _Kept | None = None


def item_inverse(
    matrix: IntegerMatrix,
    *,
    regularization: float,
    column_ids: NDArray[np.int64],
    is_rare: NDArray[np.bool_],
    changes: tuple[Vectors, Vectors] | None,
) -> ItemInverse:
    """(S + λI)⁻¹ for S = `matrix`: int64[n, n] by `column_ids`.

    `changes` are the old and the new vectors of who changed since the state before; `is_rare`
    (bool[n]) are the columns that S leaves out of them. When they explain all that S differs by,
    and are few, the last inverse is updated.
    """
    global _kept
    kept, _kept = _kept, None
    inverse = None
    if kept is not None and kept.regularization == regularization and changes:
        gone, come = (vectors.served(column_ids, is_rare=is_rare) for vectors in changes)
        few = (gone.n_people + come.n_people) * PRACTICES_PER_UPDATE <= len(column_ids)
        if few and _explains(matrix, kept.matrix, gone, come):
            inverse = _updated(kept.inverse, gone, come)
    if inverse is None or inverse.residual(matrix) > LARGEST_RESIDUAL:
        inverse = ItemInverse.of(matrix, regularization=regularization)
    _kept = _Kept(matrix, regularization, inverse)
    return inverse


def without_rare(people: IntegerMatrix, is_rare: NDArray[np.bool_]) -> IntegerMatrix:
    """G without what it says of practices that too few people heard, and of moods that too few came
    with: their neighbors, which anybody can see, come from content alone and tell nothing of those
    few."""
    shown = people.copy()
    shown[is_rare, :] = 0
    shown[:, is_rare] = 0
    return shown


def _explains(
    matrix: IntegerMatrix, before: IntegerMatrix, gone: Interactions, come: Interactions
) -> bool:
    """Whether `matrix` is `before` without those who are gone and with those who came: compared on
    random vectors, in integers (Freivalds 1977), so that nothing else can have changed unseen."""
    if matrix.shape != before.shape:
        return False
    numbers = np.random.default_rng(PROBE_SEED)
    probes = numbers.integers(-(1 << 20), 1 << 20, size=(len(matrix), PROBES))
    came, went = (np.asarray(people.matrix.T @ (people.matrix @ probes)) for people in (come, gone))
    return bool(np.array_equal(matrix @ probes - before @ probes, came - went))


def _updated(inverse: ItemInverse, gone: Interactions, come: Interactions) -> ItemInverse | None:
    """Those who came first: what is learned keeps the matrix away from singular."""
    try:
        for people, sign in ((come, 1), (gone, -1)):
            for person in np.unique(people.people):
                rows = slice(people.offsets[person], people.offsets[person + 1])
                inverse.update(people.practices[rows], people.weights[rows], sign=sign)
    except Singular:
        return None
    return inverse
