"""How good a ranking is, from which of its first places were hits.

`hits` is bool[people, places]: whether the practice at that place is one the person heard later.
`relevant` is int[people]: how many such practices there are, at least one for each person.
"""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.dtypes import Integers


def ndcg_at(k: int, *, hits: NDArray[np.bool_], relevant: Integers) -> float:
    """nDCG@k with binary relevance, mean over people.

    A hit at place p (from 1) gains 1 / log₂(p + 1); the sum is divided by that of the best
    ranking there can be, which has min(k, relevant) hits at the top (Järvelin and Kekäläinen,
    2002, in the form common for implicit feedback).
    """
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    gained = hits[:, :k] @ discounts[: hits.shape[1]]
    best = np.cumsum(discounts)[np.minimum(relevant, k) - 1]
    return float(np.mean(gained / best))


def recall_at(k: int, *, hits: NDArray[np.bool_], relevant: Integers) -> float:
    """The share of what a person heard later that is among the first k, mean over people."""
    return float(np.mean(hits[:, :k].sum(axis=1) / relevant))
