"""Listens in the order of time: which practice was new to a person last, which they returned to."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import Indices


@dataclass(frozen=True, eq=False)
class Listens:
    """One row per listen, ordered by person, then by time.

    `people` are indices below `n_people`, `practices` are columns of the model. Raises ValueError
    when the people are out of order or out of range.
    """

    people: Indices
    practices: Indices
    n_people: int

    def __post_init__(self) -> None:
        if len(self.people) != len(self.practices):
            raise ValueError("people and practices must have the same length.")
        if (np.diff(self.people) < 0).any():
            raise ValueError("Listens must be ordered by person, then by time.")
        if len(self.people) and not 0 <= self.people[0] <= self.people[-1] < self.n_people:
            raise ValueError(f"people must be indices from 0 to {self.n_people - 1}.")

    @property
    def is_new(self) -> NDArray[np.bool_]:
        """Which listens are a person's first of that practice: bool[listens]."""
        order = np.lexsort((np.arange(len(self.people)), self.practices, self.people))
        people, practices = self.people[order], self.practices[order]
        is_first = np.ones(len(order), dtype=np.bool_)
        is_first[1:] = (people[1:] != people[:-1]) | (practices[1:] != practices[:-1])
        is_new = np.empty(len(order), dtype=np.bool_)
        is_new[order] = is_first
        return is_new

    def last_new(self) -> Indices:
        """The practice that was new to each person last: int64[n_people]; -1 for those who heard
        fewer than two, of whom nothing would be left to rank by."""
        is_new = self.is_new
        last = np.full(self.n_people, -1, dtype=np.int64)
        # Of several values for one index NumPy keeps the last, which is the latest.
        last[self.people[is_new]] = self.practices[is_new]
        new_each = np.bincount(self.people[is_new], minlength=self.n_people)
        last[new_each < 2] = -1
        return last

    def return_places(self) -> NDArray[np.int64]:
        """Where on "Listen again" the practice stood to which each person returned last:
        int64[n_people], from 1; 0 for those who never returned to one.

        That shelf has what was heard last first, so the place is one more than the number of other
        practices heard between the return and the listen before it of the same practice.
        """
        places = np.zeros(self.n_people, dtype=np.int64)
        returns = np.flatnonzero(~self.is_new)
        last = np.full(self.n_people, -1, dtype=np.int64)
        last[self.people[returns]] = returns
        for person in np.flatnonzero(last >= 0):
            at = last[person]
            begin = np.searchsorted(self.people, person)
            before = self.practices[begin:at]
            since = before[np.flatnonzero(before == self.practices[at])[-1] + 1 :]
            places[person] = len(np.unique(since)) + 1
        return places
