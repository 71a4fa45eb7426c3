"""G with what is counted along with it, in memory and as a file: all that is known of people."""

import hashlib
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from recommendations.engine.dtypes import IntegerMatrix
from recommendations.engine.gram import add_vectors, digest, gram
from recommendations.engine.interactions import Interactions

_BLOCK_BYTES = 1 << 20


class DamagedState(Exception):
    """A state file that is missing or not the one that was written; the state must be rebuilt."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """The vectors of some people: row r says that person `people[r]` (an index below `n_people`)
    has `weights[r]` (1 to 255) of `columns[r]` (an id). Ordered by person, then by column; each
    pair once."""

    people: NDArray[np.int32]
    columns: NDArray[np.int64]
    weights: NDArray[np.uint8]
    n_people: int

    @classmethod
    def none(cls) -> Self:
        """Nobody's."""
        return cls(
            np.empty(0, dtype=np.int32), np.empty(0, dtype=np.int64), np.empty(0, np.uint8), 0
        )

    @classmethod
    def joined(cls, parts: Collection[Self]) -> Self:
        """The vectors of all these, one after the other."""
        if not parts:
            return cls.none()
        firsts = np.cumsum([0, *(part.n_people for part in parts)], dtype=np.int32)
        return cls(
            np.concatenate(
                [part.people + first for part, first in zip(parts, firsts[:-1], strict=True)]
            ),
            np.concatenate([part.columns for part in parts]),
            np.concatenate([part.weights for part in parts]),
            int(firsts[-1]),
        )

    def over(self, column_ids: NDArray[np.int64]) -> Interactions:
        """The same with indices into `column_ids` (ascending) in place of ids; what is not among
        them is left out."""
        index = np.searchsorted(column_ids, self.columns)
        known = index < len(column_ids)
        known[known] = column_ids[index[known]] == self.columns[known]
        return Interactions(
            self.people[known],
            index[known].astype(np.int32),
            self.weights[known],
            self.n_people,
            len(column_ids),
        )

    def served(self, column_ids: NDArray[np.int64], *, is_rare: NDArray[np.bool_]) -> Interactions:
        """The same by the columns of a release (`column_ids` in its order), without those that it
        leaves out (`is_rare`: bool[n])."""
        order = np.argsort(column_ids)
        own = self.over(column_ids[order])
        columns = order[own.practices]
        kept = ~is_rare[columns]
        return Interactions.from_rows(
            own.people[kept],
            practices=columns[kept],
            weights=own.weights[kept],
            n_people=own.n_people,
            n_practices=own.n_practices,
        )


@dataclass(frozen=True, eq=False)
class GramState:
    """G = Σ x xᵀ over consenting people, and how many they are.

    `gram` is int64[n, n] by `column_ids` (int64[n], ascending), `people_per_column` int64[n] how
    many people carry each; `people` and `interactions` count the vectors and their entries. All of
    it is sums of integers, so taking somebody out gives what would be there without them.
    """

    column_ids: NDArray[np.int64]
    gram: IntegerMatrix
    people_per_column: NDArray[np.int64]
    people: int = 0
    interactions: int = 0

    @classmethod
    def empty(cls, column_ids: NDArray[np.int64]) -> Self:
        """Nobody yet."""
        size = len(column_ids)
        return cls(
            column_ids, np.zeros((size, size), dtype=np.int64), np.zeros(size, dtype=np.int64)
        )

    @classmethod
    def of(cls, vectors: Vectors, *, column_ids: NDArray[np.int64]) -> Self:
        """The sum over these people; every column must be among `column_ids`."""
        own = vectors.over(column_ids)
        return cls(
            column_ids,
            gram(own),
            np.bincount(own.practices, minlength=len(column_ids)),
            len(np.unique(own.people)),
            len(own.people),
        )

    def widened(self, column_ids: NDArray[np.int64]) -> Self:
        """The same over more columns, which nobody carries yet; itself if there is none more."""
        union = np.union1d(self.column_ids, column_ids)
        if len(union) == len(self.column_ids):
            return self
        place = np.searchsorted(union, self.column_ids)
        wide = type(self).empty(union)
        wide.gram[np.ix_(place, place)] = self.gram
        wide.people_per_column[place] = self.people_per_column
        return replace(wide, people=self.people, interactions=self.interactions)

    def changed(self, *, old: Vectors, new: Vectors) -> Self:
        """The state with the vectors `old` taken out and `new` added. Changes `gram` in place."""
        state = self.widened(np.unique(np.concatenate((old.columns, new.columns))))
        people, interactions = state.people, state.interactions
        for vectors, sign in ((old, -1), (new, 1)):
            own = vectors.over(state.column_ids)
            add_vectors(state.gram, own, sign=sign)
            np.add.at(state.people_per_column, own.practices, sign)
            people += sign * len(np.unique(own.people))
            interactions += sign * len(own.people)
        return replace(state, people=people, interactions=interactions)

    def part(self, column_ids: NDArray[np.int64]) -> tuple[IntegerMatrix, NDArray[np.int64]]:
        """G and the people per column, of these columns in this order."""
        place = np.searchsorted(self.column_ids, column_ids)
        return self.gram[np.ix_(place, place)], self.people_per_column[place]

    def plus(self, other: Self) -> Self:
        """The sum of two states of different people. May change `gram` in place."""
        total, part = self.widened(other.column_ids), other.widened(self.column_ids)
        np.add(total.gram, part.gram, out=total.gram)
        return replace(
            total,
            people_per_column=total.people_per_column + part.people_per_column,
            people=total.people + part.people,
            interactions=total.interactions + part.interactions,
        )

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of what people contributed (`gram.digest`)."""
        return digest(self.gram, column_ids=self.column_ids)


def write_state(path: Path, state: GramState) -> str:
    """Write the file so that it is there whole or not at all; returns its SHA-256 (hex)."""
    part = path.with_name(f".{path.name}.part")
    try:
        save_file(
            {
                "column_ids": state.column_ids,
                "gram": np.ascontiguousarray(state.gram),
                "people_per_column": state.people_per_column,
            },
            part,
            metadata={
                "counts": json.dumps({"people": state.people, "interactions": state.interactions})
            },
        )
        sha256 = _sha256(part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    return sha256


def read_state(path: Path, *, sha256: str) -> GramState:
    """Read a file whose SHA-256 (hex) is known from a trusted place; raises DamagedState."""
    try:
        if _sha256(path) != sha256:
            raise DamagedState(f"The state file {path.name} is not the file that was written.")
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            counts = json.loads(file.metadata()["counts"])
    except FileNotFoundError as error:
        raise DamagedState(f"The state file {path.name} is missing.") from error
    except (SafetensorError, KeyError, ValueError) as error:
        raise DamagedState(f"The state file {path.name} is not in the form of a state.") from error
    return GramState(**arrays, **counts)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
