"""From what a person did with a practice to one small integer: the vector the model learns.

The same function weighs a history for training and for a person's own shelves.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.integer[Any]]

# A listen counts when half of the practice was heard, and is whole at nine tenths.
HEARD_FROM = 0.5
WHOLE_FROM = 0.9
RETURNS_FROM = 3
MOST_OF_ONE_MOOD = 3


def weight_parts(heard: Counts, whole: Counts, favorites: Counts) -> NDArray[np.int8]:
    """Three parts, 0 or 1 each, for rows of (times heard, times heard whole, times made a
    favorite): int8[3, n].

    One for having heard it or marked it, one more for coming back to the end three times, and one
    more for hearing a favorite.
    """
    is_heard = np.asarray(heard) > 0
    is_favorite = np.asarray(favorites) > 0
    returns = np.asarray(whole) >= RETURNS_FROM
    return np.array([is_heard | is_favorite, returns, is_heard & is_favorite], dtype=np.int8)


def weigh(heard: Counts, whole: Counts, favorites: Counts) -> NDArray[np.int8]:
    """Weights 0 to 3: the sum of their parts."""
    weights: NDArray[np.int8] = weight_parts(heard, whole, favorites).sum(axis=0, dtype=np.int8)
    return weights


def weigh_moods(check_ins: Counts) -> NDArray[np.int8]:
    """Weights 0 to 3: how often the person checked in with a mood; more often says no more."""
    return np.minimum(check_ins, MOST_OF_ONE_MOOD).astype(np.int8)
