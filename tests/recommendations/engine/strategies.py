"""Hypothesis strategies for small sets of interactions."""

import numpy as np
from hypothesis import strategies as st

from recommendations.engine.interactions import Interactions


@st.composite
def interactions(draw: st.DrawFn) -> Interactions:
    """A few people and practices with any small weights, in any order of rows."""
    n_people = draw(st.integers(1, 8))
    n_practices = draw(st.integers(1, 7))
    cells = draw(
        st.dictionaries(
            st.tuples(st.integers(0, n_people - 1), st.integers(0, n_practices - 1)),
            st.integers(-128, 127),
        )
    )
    return Interactions.from_rows(
        [person for person, _ in cells],
        practices=[practice for _, practice in cells],
        weights=np.array(list(cells.values()), dtype=np.int8),
        n_people=n_people,
        n_practices=n_practices,
    )


def dense(interactions: Interactions) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """The same as a plain matrix: int64[people, practices]."""
    matrix = np.zeros((interactions.n_people, interactions.n_practices), dtype=np.int64)
    matrix[interactions.people, interactions.practices] = interactions.weights
    return matrix
