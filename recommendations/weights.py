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


def weigh(heard: Counts, whole: Counts, favorites: Counts) -> NDArray[np.int8]:
    """Weights 0 to 3 for rows of (times heard, times heard whole, times made a favorite).

    One for having heard it or marked it, one more for coming back to the end three times, and one
    more for hearing a favorite.
    """
    is_heard = np.asarray(heard) > 0
    is_favorite = np.asarray(favorites) > 0
    returns = np.asarray(whole) >= RETURNS_FROM
    weights: NDArray[np.int8] = (
        (is_heard | is_favorite).astype(np.int8)
        + returns.astype(np.int8)
        + (is_heard & is_favorite).astype(np.int8)
    )
    return weights
