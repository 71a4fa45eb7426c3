"""What a synthetic population listens to: few popular practices, many rare ones, and tastes.

Nobody in it exists. The same seed and the same practices make the same people and listens.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

# The upper and the lower half of a UUID: uint64[n, 2].
Halves = NDArray[np.uint64]

DAYS = 60
DAY = 24 * 60 * 60 * 1_000_000
PEOPLE_AT_ONCE = 5000
# The practice of rank r is heard in proportion to r^-0.8.
TAIL = 0.8
# The share of somebody's listens that comes from their first taste, and from their second.
FIRST, SECOND = 0.60, 0.25


@dataclass(frozen=True, eq=False)
class Batch:
    """Some people, and their listens in the order of the people, each one's latest first.

    `practices` are places among the practices of the population, `ago` says how many microseconds
    ago a listen began, `completion` which share of the practice was heard.
    """

    people: Halves
    listens: Halves
    practices: NDArray[np.int64]
    ago: NDArray[np.int64]
    completion: NDArray[np.float64]


def population(
    people: int, *, tastes: NDArray[np.int64], listens: int, seed: int
) -> Iterator[Batch]:
    """`people` people with `listens` listens each, over the last 60 days.

    `tastes` (int64[m]) says which taste each of the practices is to: those with the same number go
    together.
    """
    appeal = _Appeal.of(tastes, np.random.default_rng(seed))
    for first in range(0, people, PEOPLE_AT_ONCE):
        random = np.random.default_rng([seed, first])
        last = min(first + PEOPLE_AT_ONCE, people)
        practices, is_liked = appeal.heard(random, last - first, listens)
        ago = random.integers(DAY, DAYS * DAY, size=(last - first, listens))
        yield Batch(
            people=ascending_ids(random, first, last, of=people),
            listens=ascending_ids(random, first * listens, last * listens, of=people * listens),
            practices=practices,
            ago=np.sort(ago, axis=1).ravel(),
            completion=_completion(random, is_liked),
        )


def ascending_ids(random: Generator, first: int, last: int, *, of: int) -> Halves:
    """Ids `first` to `last` (exclusive) of `of`: random UUIDs in the form of version 4 (RFC 9562)
    that ascend, so that an index is written from left to right. `of` is at most 2^48."""
    count, stride = last - first, (1 << 48) // of
    start = np.arange(first, last, dtype=np.uint64) * np.uint64(stride)
    upper = start + random.integers(stride, size=count, dtype=np.uint64)
    version = random.integers(1 << 12, size=count, dtype=np.uint64) | np.uint64(4 << 12)
    lower = random.integers(1 << 62, size=count, dtype=np.uint64) | np.uint64(2 << 62)
    return np.stack((upper << np.uint64(16) | version, lower), axis=1)


@dataclass(frozen=True, eq=False)
class _Appeal:
    """How practices are drawn: a taste first, then one of its practices by popularity.

    `share` (float[t]) is how much of all listening belongs to each taste. `order` (int[m]) has the
    practices taste by taste; `upto` (float[m]) is for each of them the number of its taste plus the
    share of the taste that is heard up to it, so that a draw is one search.
    """

    share: NDArray[np.float64]
    order: NDArray[np.int64]
    upto: NDArray[np.float64]

    @classmethod
    def of(cls, tastes: NDArray[np.int64], random: Generator) -> Self:
        popularity = (1.0 + random.permutation(len(tastes))) ** -TAIL
        order = np.argsort(tastes, kind="stable")
        _, number = np.unique(tastes[order], return_inverse=True)
        total = np.bincount(number, popularity[order])
        before = np.concatenate(([0.0], np.cumsum(total)[:-1]))
        upto = number + (np.cumsum(popularity[order]) - before[number]) / total[number]
        is_last = np.append(number[1:] != number[:-1], True)
        # Sums of shares may round to less than a whole.
        upto[is_last] = number[is_last] + 1.0
        return cls(total / total.sum(), order, upto)

    def heard(
        self, random: Generator, people: int, listens: int
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The practices of each listen, and whether they are to the person's taste."""
        # Tastes are more even among people than listens are: a rare one is somebody's first.
        by_people = np.sqrt(self.share) / np.sqrt(self.share).sum()
        own = random.choice(len(self.share), size=(2, people, 1), p=by_people)
        other = random.choice(len(self.share), size=(people, listens), p=self.share)
        which = random.random((people, listens))
        taste = np.where(which < FIRST, own[0], np.where(which < FIRST + SECOND, own[1], other))
        place = np.searchsorted(self.upto, taste + random.random((people, listens)), side="right")
        return self.order[place].ravel(), (which < FIRST + SECOND).ravel()


def _completion(random: Generator, is_liked: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Shares heard: most of what is liked is heard to the end, the rest is left half-way."""
    return random.beta(np.where(is_liked, 6.0, 2.0), np.where(is_liked, 1.2, 2.0))
