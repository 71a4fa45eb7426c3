"""Random people with tastes: what the engine's tests learn from where size matters."""

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.interactions import Interactions

_CLUSTERS = 8
_AFFINITY = 20.0


def clustered(rng: np.random.Generator, *, people: int, practices: int) -> Interactions:
    """People who mostly hear the practices of one cluster, popular ones more often, with weights
    of 1 to 3."""
    popularity = 1.0 / np.arange(1, practices + 1) ** 0.5
    cluster_of_practice = rng.integers(_CLUSTERS, size=practices)
    is_own = rng.integers(_CLUSTERS, size=(people, 1)) == cluster_of_practice
    rate = popularity * np.where(is_own, _AFFINITY, 1.0)
    lengths = rng.integers(2, max(3, practices // 6), size=(people, 1))
    heard = rng.random(rate.shape) < lengths * rate / rate.sum(axis=1, keepdims=True)
    person, practice = np.nonzero(heard)
    return Interactions(
        person.astype(np.int32),
        practice.astype(np.int32),
        rng.integers(1, 4, size=len(person)).astype(np.int8),
        people,
        practices,
    )


def only(heard: Interactions, people: NDArray[np.bool_]) -> Interactions:
    """The rows of some of the people: bool[n_people]."""
    rows = people[heard.people]
    return Interactions(
        heard.people[rows],
        heard.practices[rows],
        heard.weights[rows],
        heard.n_people,
        heard.n_practices,
    )
