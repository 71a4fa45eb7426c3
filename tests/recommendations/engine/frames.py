"""The one method of a data frame that Surprise asks for, over plain arrays."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike


class Frame:
    """Three columns: users, items, ratings."""

    def __init__(self, users: ArrayLike, items: ArrayLike, ratings: ArrayLike) -> None:
        self.columns = (np.asarray(users), np.asarray(items), np.asarray(ratings, dtype=float))

    def itertuples(self, index: bool = True) -> Iterator[tuple[int | str, int | str, float]]:
        users, items, ratings = (column.tolist() for column in self.columns)
        return zip(users, items, ratings, strict=True)
