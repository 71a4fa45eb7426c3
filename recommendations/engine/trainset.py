"""A Surprise Trainset kept in NumPy arrays: a few bytes a rating, built in milliseconds.

Inner ids and the order of all ratings are those of Surprise's own Trainset, so every algorithm
of Surprise that is fitted on it gives the same predictions to the last bit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from surprise import Trainset

from recommendations.engine.dtypes import Indices
from recommendations.engine.unpicklable import Unpicklable

RawId: TypeAlias = int | str
RawIds: TypeAlias = NDArray[np.integer[Any]] | NDArray[np.str_]
Ratings: TypeAlias = NDArray[np.float64]

_ROWS_AT_A_TIME = 1 << 16
_RATING_DTYPES = (np.int8, np.float16, np.float32)


class ArrayTrainset(Unpicklable, Trainset):  # type: ignore[misc, unused-ignore]
    """Ratings as arrays, with every public method and attribute of `surprise.Trainset`.

    `users` and `items` hold raw ids (integers or strings), `ratings` numbers, all in one order,
    a row a rating. Ratings come back as Python floats, as from `Dataset.load_from_df`. The
    mappings `ur` and `ir` are read-only and make their lists on demand. The arguments are not
    kept. Raises ValueError when the lengths differ.
    """

    def __init__(
        self,
        users: ArrayLike,
        items: ArrayLike,
        ratings: ArrayLike,
        *,
        rating_scale: tuple[float, float] = (1, 5),
    ) -> None:
        values = _smallest_exact(np.asarray(ratings))
        self.raw_users, inner_users = _number_by_appearance(np.asarray(users))
        self.raw_items, inner_items = _number_by_appearance(np.asarray(items))
        if not len(inner_users) == len(inner_items) == len(values):
            raise ValueError("users, items and ratings must have the same length.")
        by_user = Rows(_Ungrouped(inner_users, inner_items, values), size=len(self.raw_users))
        by_item = Rows(_Ungrouped(inner_items, inner_users, values), size=len(self.raw_items))
        super().__init__(
            by_user,
            by_item,
            len(self.raw_users),
            len(self.raw_items),
            len(values),
            rating_scale,
            InnerIds(self.raw_users),
            InnerIds(self.raw_items),
        )
        self._inner2raw_id_users = OuterIds(self.raw_users)
        self._inner2raw_id_items = OuterIds(self.raw_items)

    def all_ratings(self) -> Iterator[tuple[int, int, float]]:
        """Yield (inner user id, inner item id, rating), in Surprise's order."""
        for first in range(0, self.n_ratings, _ROWS_AT_A_TIME):
            users, items, ratings = self.ur.columns(first, first + _ROWS_AT_A_TIME)
            yield from zip(users.tolist(), items.tolist(), ratings.tolist(), strict=True)

    @cached_property
    def global_mean(self) -> np.floating[Any]:
        """The mean of all ratings, summed in Surprise's order."""
        ratings: Ratings = self.ur.columns(0, self.n_ratings)[2]
        return np.mean(ratings)


@dataclass(frozen=True)
class _Ungrouped:
    """A row a rating, in the order given."""

    keys: Indices
    others: Indices
    values: NDArray[Any]


@dataclass(frozen=True)
class _Grouped:
    """The ratings of key k are those from offsets[k] to offsets[k + 1], in the order given."""

    offsets: NDArray[np.int64]
    others: Indices
    values: NDArray[Any]


class Rows(Mapping[int, list[tuple[int, float]]]):
    """Ratings grouped by one side: what Surprise calls `ur` and `ir`, read-only.

    As with Surprise's, an id without ratings has an empty list. The grouping is done at the
    first question, so an algorithm that never asks for one side does not pay for it.
    """

    def __init__(self, columns: _Ungrouped, *, size: int) -> None:
        self._columns: _Ungrouped | _Grouped = columns
        self._size = size
        self._latest: tuple[int, list[tuple[int, float]]] = (-1, [])

    def __len__(self) -> int:
        return self._size

    def __iter__(self) -> Iterator[int]:
        return iter(range(self._size))

    def __contains__(self, key: object) -> bool:
        return isinstance(key, int | np.integer) and bool(0 <= key < self._size)

    def __getitem__(self, key: int) -> list[tuple[int, float]]:
        # Surprise asks for the same row several times in a row; one list is remembered.
        latest_key, latest_row = self._latest
        if key == latest_key:
            return latest_row
        if key not in self:
            return []
        grouped = self._grouped()
        rows = slice(int(grouped.offsets[key]), int(grouped.offsets[key + 1]))
        values = grouped.values[rows].astype(np.float64)
        row = list(zip(grouped.others[rows].tolist(), values.tolist(), strict=True))
        self._latest = (key, row)
        return row

    def columns(self, first: int, last: int) -> tuple[Indices, Indices, Ratings]:
        """Ratings `first` to `last` as arrays: the grouping side, the other side, the ratings."""
        grouped = self._grouped()
        last = min(last, len(grouped.others))
        keys = np.searchsorted(grouped.offsets, np.arange(first, last), side="right") - 1
        return keys, grouped.others[first:last], grouped.values[first:last].astype(np.float64)

    def _grouped(self) -> _Grouped:
        # The columns are replaced in one assignment: two threads do the work twice at worst.
        columns = self._columns
        if isinstance(columns, _Ungrouped):
            columns = _group(columns, size=self._size)
            self._columns = columns
        return columns


class InnerIds(Mapping[RawId, int]):
    """Raw id → inner id, by bisection instead of a dict of Python objects."""

    def __init__(self, raw_ids: RawIds) -> None:
        self._raw_ids = raw_ids
        self._order = np.argsort(raw_ids, kind="stable").astype(np.int32)

    def __len__(self) -> int:
        return len(self._raw_ids)

    def __iter__(self) -> Iterator[RawId]:
        return iter(self._raw_ids.tolist())

    def __getitem__(self, raw_id: RawId) -> int:
        wanted = str if self._raw_ids.dtype.kind == "U" else int | np.integer
        if not isinstance(raw_id, wanted):
            raise KeyError(raw_id)
        place = int(np.searchsorted(self._raw_ids, raw_id, sorter=self._order))
        if place == len(self._order) or self._raw_ids[self._order[place]] != raw_id:
            raise KeyError(raw_id)
        return int(self._order[place])


class OuterIds(Mapping[int, RawId]):
    """Inner id → raw id, as a Python int or str."""

    def __init__(self, raw_ids: RawIds) -> None:
        self._raw_ids = raw_ids

    def __len__(self) -> int:
        return len(self._raw_ids)

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self)))

    def __getitem__(self, inner_id: int) -> RawId:
        if not (isinstance(inner_id, int | np.integer) and 0 <= inner_id < len(self)):
            raise KeyError(inner_id)
        raw_id: RawId = self._raw_ids.item(int(inner_id))
        return raw_id


def rating_columns(trainset: Trainset) -> tuple[Indices, Indices, Ratings]:
    """All ratings of any Surprise Trainset as arrays: inner users, inner items, ratings."""
    if isinstance(trainset, ArrayTrainset):
        columns: tuple[Indices, Indices, Ratings] = trainset.ur.columns(0, trainset.n_ratings)
        return columns
    record = np.dtype([("user", np.int32), ("item", np.int32), ("rating", np.float64)])
    table = np.fromiter(trainset.all_ratings(), dtype=record, count=trainset.n_ratings)
    return table["user"], table["item"], table["rating"]


def _number_by_appearance(raw: NDArray[Any]) -> tuple[RawIds, Indices]:
    """The distinct raw ids in order of first appearance, and each row's index among them."""
    if raw.dtype.kind not in "iuU" or raw.ndim != 1:
        raise ValueError("Raw ids must be a one-dimensional array of integers or strings.")
    if raw.dtype.kind == "U" or raw.dtype == np.uint64 or not len(raw):
        return _number_by_sorting(raw)
    if int(raw.max()) - int(raw.min()) > 2 * len(raw):
        return _number_by_sorting(raw)
    return _number_by_table(raw)


def _number_by_sorting(raw: NDArray[Any]) -> tuple[RawIds, Indices]:
    distinct, first, place = np.unique(raw, return_index=True, return_inverse=True)
    order = np.argsort(first)
    number = np.empty(len(order), dtype=_smallest_index(len(order)))
    number[order] = np.arange(len(order))
    return distinct[order], number[place]


def _number_by_table(raw: NDArray[np.integer[Any]]) -> tuple[RawIds, Indices]:
    """The same for integer ids that are dense enough to be looked up in a table."""
    lowest = int(raw.min())
    shifted = np.subtract(raw, lowest, dtype=np.int64) if lowest else raw
    first = np.full(int(shifted.max()) + 1, len(raw))
    np.minimum.at(first, shifted, np.arange(len(raw)))
    seen = np.flatnonzero(first < len(raw))
    in_order = seen[np.argsort(first[seen])]
    number = np.empty(len(first), dtype=_smallest_index(len(seen)))
    number[in_order] = np.arange(len(in_order))
    return (in_order + lowest).astype(raw.dtype), number[shifted]


def _smallest_index(size: int) -> type[np.uint16 | np.int32]:
    return np.uint16 if size <= 1 << 16 else np.int32


def _smallest_exact(ratings: NDArray[Any]) -> NDArray[Any]:
    """The ratings in the smallest type that gives every one of them back unchanged."""
    exact = ratings.astype(np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        for dtype in _RATING_DTYPES:
            small = exact.astype(dtype)
            if np.array_equal(small, exact):
                return small
    return exact


def _group(columns: _Ungrouped, *, size: int) -> _Grouped:
    keys = columns.keys
    offsets = np.concatenate(([0], np.cumsum(np.bincount(keys, minlength=size))))
    if np.all(keys[1:] >= keys[:-1]):
        return _Grouped(offsets, columns.others, columns.values)
    order = np.argsort(keys, kind="stable")
    return _Grouped(offsets, columns.others[order], columns.values[order])
