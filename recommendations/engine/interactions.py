"""Who did what: the one form in which people's histories enter the engine."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

import numpy as np
import scipy.sparse as sp
from numpy.typing import ArrayLike, NDArray

from recommendations.engine.dtypes import Indices, Integers

Integer = TypeVar("Integer", bound=np.integer[Any])
Block: TypeAlias = sp.csr_array[Integer, tuple[int, int]]


@dataclass(frozen=True, eq=False)
class Interactions:
    """One row per (person, practice), ordered by person, then by practice.

    `people` and `practices` are indices below `n_people` and `n_practices`; `weights` are small
    integers (1 = heard it). All three have the same length. Raises ValueError when the rows are
    out of range, out of order, or name a pair twice.
    """

    people: Indices
    practices: Indices
    weights: Integers
    n_people: int
    n_practices: int

    def __post_init__(self) -> None:
        if not len(self.people) == len(self.practices) == len(self.weights):
            raise ValueError("people, practices and weights must have the same length.")
        _require_range(self.people, self.n_people, "people")
        _require_range(self.practices, self.n_practices, "practices")
        later_person = self.people[1:] > self.people[:-1]
        later_practice = self.practices[1:] > self.practices[:-1]
        same_person = self.people[1:] == self.people[:-1]
        if not np.all(later_person | (same_person & later_practice)):
            raise ValueError(
                "Rows must be ordered by person and practice and name each pair once."
                " Interactions.from_rows puts them in order."
            )

    @classmethod
    def from_rows(
        cls,
        people: ArrayLike,
        *,
        practices: ArrayLike,
        weights: ArrayLike | None = None,
        n_people: int,
        n_practices: int,
    ) -> "Interactions":
        """The same rows in order, with weight 1 where no weights are given.

        Raises ValueError when a pair is named twice.
        """
        person = np.asarray(people, dtype=np.int32)
        practice = np.asarray(practices, dtype=np.int32)
        weight = np.ones(len(person), dtype=np.int8) if weights is None else np.asarray(weights)
        if not np.issubdtype(weight.dtype, np.integer):
            raise ValueError("Weights must be integers: only integers sum without rounding.")
        order = np.lexsort((practice, person))
        return cls(person[order], practice[order], weight[order], n_people, n_practices)

    @cached_property
    def offsets(self) -> NDArray[np.int64]:
        """Where each person's rows begin: int64[n_people + 1]."""
        counts = np.bincount(self.people, minlength=self.n_people)
        return np.concatenate(([0], np.cumsum(counts)))

    def practices_of(self, person: int) -> Indices:
        """What one person heard: indices of practices, ascending."""
        return self.practices[self.offsets[person] : self.offsets[person + 1]]

    @property
    def matrix(self) -> Block[np.int64]:
        """The weights as a sparse int64 matrix, a row a person."""
        return self._rows(0, self.n_people, np.int64)

    def blocks(self, *, max_rows: int, dtype: type[Integer]) -> Iterator[Block[Integer]]:
        """The matrix in consecutive blocks of people, each of about `max_rows` rows at most."""
        first = 0
        while first < self.n_people:
            limit = self.offsets[first] + max_rows
            fitting = int(np.searchsorted(self.offsets, limit, side="right")) - 1
            last = min(max(fitting, first + 1), self.n_people)
            yield self._rows(first, last, dtype)
            first = last

    def _rows(self, first: int, last: int, dtype: type[Integer]) -> Block[Integer]:
        offsets = self.offsets[first : last + 1]
        rows = slice(int(offsets[0]), int(offsets[-1]))
        return sp.csr_array(
            (self.weights[rows].astype(dtype), self.practices[rows], offsets - offsets[0]),
            shape=(last - first, self.n_practices),
        )


def _require_range(indices: Indices, size: int, name: str) -> None:
    if len(indices) and (indices.min() < 0 or indices.max() >= size):
        raise ValueError(f"{name} must be indices from 0 to {size - 1}.")
