"""How good a ranking is, from which of its first places were hits; and how sure that is.

`hits` is bool[people, places]: whether the practice at that place is one the person heard later.
`relevant` is int[people]: how many such practices there are, at least one for each person.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import Integers, Scores

# Two-sided 95% of the normal distribution.
Z_95 = 1.959963984540054


@dataclass(frozen=True)
class Estimate:
    """A value measured on some people, and the interval in which it lies with 95%."""

    value: float
    low: float
    high: float

    @classmethod
    def of_mean(cls, values: Scores) -> Self:
        """The mean of one value a person (float64[people], 0 to 1), with its normal interval.

        Normal and not bootstrap: the values are bounded, so from about 100 people on the mean is
        normal enough (tests/recommendations/engine/test_metrics.py counts how often the interval
        holds the truth), and nothing has to be drawn. For one person the interval says nothing:
        0 to 1. Raises ValueError for nobody.
        """
        if not len(values):
            raise ValueError("Nobody was measured, so there is nothing to estimate.")
        mean = float(values.mean())
        if len(values) == 1:
            return cls(mean, 0.0, 1.0)
        return cls.normal(mean, error=float(values.std(ddof=1)) / len(values) ** 0.5)

    @classmethod
    def normal(cls, value: float, *, error: float) -> Self:
        """A value between 0 and 1 with a normal standard error; the interval stays inside."""
        return cls(value, max(0.0, value - Z_95 * error), min(1.0, value + Z_95 * error))

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high


def ndcg_at(k: int, *, hits: NDArray[np.bool_], relevant: Integers) -> Scores:
    """nDCG@k with binary relevance, of each person: float64[people].

    A hit at place p (from 1) gains 1 / log₂(p + 1); the sum is divided by that of the best
    ranking there can be, which has min(k, relevant) hits at the top (Järvelin and Kekäläinen,
    2002, in the form common for implicit feedback).
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = hits[:, :k] @ discounts[: hits.shape[1]]
    best = np.cumsum(discounts)[np.minimum(relevant, k) - 1]
    each: Scores = gained / best
    return each


def recall_at(k: int, *, hits: NDArray[np.bool_], relevant: Integers) -> Scores:
    """The share of what a person heard later that is among the first k: float64[people]."""
    each: Scores = hits[:, :k].sum(axis=1) / relevant
    return each
