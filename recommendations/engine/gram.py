"""The integer Gram matrix G = Σ xᵤ xᵤᵀ: all that the item model needs to know of people.

Integers do not round, so adding a person and subtracting them again leaves no trace.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import Indices, IntegerMatrix
from recommendations.engine.interactions import Interactions

# Working memory beyond the matrix itself: rows of people at a time, cells of G at a time.
_BLOCK_ROWS = 1 << 21
_BAND_CELLS = 1 << 22


def gram(interactions: Interactions) -> IntegerMatrix:
    """Σ xᵤ xᵤᵀ over all people: int64[n_practices, n_practices], exact.

    A person's history is short against the catalog, so the product of sparse int64 matrices is
    both the fastest of the exact ways that were measured (docs/engine.md) and the simplest.
    """
    size = interactions.n_practices
    total = np.zeros((size, size), dtype=np.int64)
    band = max(1, _BAND_CELLS // max(1, size))
    for block in interactions.blocks(max_rows=_BLOCK_ROWS):
        transposed = block.T.tocsr()
        for first in range(0, size, band):
            product = transposed[first : first + band] @ block
            total[first : first + band] += product.toarray()
    return total


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


def digest(matrix: IntegerMatrix, *, practice_ids: NDArray[np.int64]) -> str:
    """SHA-256 (hex) of G and of the ids its rows stand for.

    The order of the rows does not matter: the bytes hashed are those of ascending ids, as
    little-endian int64, the ids first.
    """
    if matrix.shape != (len(practice_ids), len(practice_ids)):
        raise ValueError("The matrix must have one row and one column per practice id.")
    order = np.argsort(practice_ids, kind="stable")
    hasher = hashlib.sha256(f"gram 1 {len(practice_ids)}\n".encode())
    hasher.update(practice_ids[order].astype("<i8").tobytes())
    for row in order:
        hasher.update(matrix[row][order].astype("<i8").tobytes())
    return hasher.hexdigest()
