"""The integer Gram matrix G = Σ xᵤ xᵤᵀ: all that the item model needs to know of people.

Integers do not round, so adding a person and subtracting them again leaves no trace.
"""

import hashlib
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import Indices, IntegerMatrix
from recommendations.engine.interactions import Block, Interactions

# So many rows of people at a time: little memory, and sums that fit into 32 bits.
_BLOCK_ROWS = 1 << 20
# The columns are cut into so many bands, or more where a band would be more than so many cells.
_BANDS = 8
_BAND_CELLS = 1 << 22
_MIRRORED_AT_A_TIME = 64


def gram(interactions: Interactions) -> IntegerMatrix:
    """Σ xᵤ xᵤᵀ over all people: int64[n_practices, n_practices], exact.

    A person's history is short against the catalog, so the sparse product of integers is the
    fastest of the exact ways that were measured (docs/engine.md). Only the upper triangle is
    multiplied, a band of rows a thread; needs memory for the matrix, whatever the number of people.
    """
    total = np.zeros((interactions.n_practices, interactions.n_practices), dtype=np.int64)
    dtype = _exact_dtype(interactions)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for block in interactions.blocks(max_rows=_BLOCK_ROWS, dtype=dtype):
            _add_block(total, block, pool)
    mirror(total)
    return total


def _exact_dtype(interactions: Interactions) -> type[np.int32 | np.int64]:
    """The smaller integer type in which the product of a block cannot overflow.

    No cell of it is larger than the largest weight squared, once for each person of the block.
    """
    weights = interactions.weights
    largest = max(abs(int(weights.max())), abs(int(weights.min()))) if len(weights) else 0
    if largest**2 * interactions.n_people >= 1 << 63:
        raise ValueError("The weights are too large: their products do not fit into 64 bits.")
    return np.int32 if largest**2 * _BLOCK_ROWS < 1 << 31 else np.int64


def _add_block(total: IntegerMatrix, block: Block, pool: ThreadPoolExecutor) -> None:
    size = len(total)
    by_practice = block.tocsc()
    band = max(1, min(-(-size // _BANDS), _BAND_CELLS // max(1, size)))

    def add_band(first: int) -> None:
        rows = by_practice[:, first : first + band].T
        product = rows @ by_practice[:, first:].tocsr()
        total[first : first + band, first:] += product.toarray()

    list(pool.map(add_band, range(0, size, band)))


def mirror(matrix: NDArray[np.int64] | NDArray[np.float64]) -> None:
    """Copy the upper triangle of a square matrix onto the lower one, in place."""
    for first in range(0, len(matrix), _MIRRORED_AT_A_TIME):
        last = first + _MIRRORED_AT_A_TIME
        corner = np.triu(matrix[first:last, first:last])
        matrix[first:last, first:last] = corner + np.triu(corner, 1).T
        matrix[last:, first:last] = matrix[first:last, last:].T


def content_gram(tags: Iterable[Indices], *, weight: int, n_practices: int) -> IntegerMatrix:
    """The part of G that needs nobody's data: weight · Σ t tᵀ, int64[n_practices, n_practices].

    Each tag (a topic, a narrator) is an array of practice indices and enters as a pseudo-person
    who heard every practice that carries it.
    """
    if weight < 0:
        raise ValueError("The weight of the content must not be negative.")
    total = np.zeros((n_practices, n_practices), dtype=np.int64)
    for tag in tags:
        members = np.unique(tag)
        total[np.ix_(members, members)] += weight
    return total


def add_vectors(total: IntegerMatrix, vectors: Interactions, *, sign: int) -> None:
    """G ± Σ xᵤ xᵤᵀ for a few people, in place and exactly: sign +1 learns them, −1 forgets them.

    Costs the square of each history, not of the catalog. `total` is int64[n, n].
    """
    if sign not in (1, -1):
        raise ValueError("The sign is 1 to learn or -1 to forget.")
    if total.shape != (vectors.n_practices, vectors.n_practices):
        raise ValueError("The matrix must have one row and one column per practice.")
    for person in np.unique(vectors.people):
        rows = slice(vectors.offsets[person], vectors.offsets[person + 1])
        practices, weights = vectors.practices[rows], vectors.weights[rows].astype(np.int64)
        total[np.ix_(practices, practices)] += sign * np.outer(weights, weights)


def digest(matrix: IntegerMatrix, *, column_ids: NDArray[np.int64]) -> str:
    """SHA-256 (hex) of G and of the ids its rows and columns stand for.

    What is hashed: the line `gram 2 n`, n ids in ascending order, and the rows in that order, all
    as little-endian int64. Columns that hold nothing but zeros, which nobody carries, are left
    out, so the order of the columns does not matter, nor a practice that comes or goes unheard.
    """
    if matrix.shape != (len(column_ids), len(column_ids)):
        raise ValueError("The matrix must have one row and one column per id.")
    # A true G has zeros on the diagonal there; a damaged one must not hide behind that.
    carried = np.flatnonzero(matrix.any(axis=0) | matrix.any(axis=1))
    order = carried[np.argsort(column_ids[carried], kind="stable")]
    hasher = hashlib.sha256(f"gram 2 {len(order)}\n".encode())
    hasher.update(column_ids[order].astype("<i8").data)
    for row in order:
        hasher.update(matrix[row][order].astype("<i8", copy=False).data)
    return hasher.hexdigest()
