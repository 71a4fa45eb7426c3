"""Where the ranking tests find MovieLens 1M; without it, a synthetic set of the same form."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_REPOSITORY = Path(__file__).parents[3]
_SHARE_HELD_OUT = 0.2
_CLUSTERS = 12
_AFFINITY = 40.0


@dataclass(frozen=True)
class Split:
    """A training file and a test file; `is_real` is False for the synthetic set."""

    train: Path
    test: Path
    is_real: bool


def movielens(fallback: Path, *, people: int = 600, practices: int = 300) -> Split:
    """The files in MOVIELENS_DIR or ../shared/data/ml-1m, else a synthetic set in `fallback`."""
    place = os.environ.get("MOVIELENS_DIR")
    folder = Path(place) if place else _REPOSITORY.parent / "shared" / "data" / "ml-1m"
    if (folder / "train.txt").exists():
        return Split(folder / "train.txt", folder / "test.txt", is_real=True)
    return _synthetic(fallback, people=people, practices=practices)


def _synthetic(folder: Path, *, people: int, practices: int) -> Split:
    """People who mostly hear the practices of one cluster, popular ones more often."""
    rng = np.random.default_rng(1)
    heard = _histories(rng, people=people, practices=practices)
    held_out = heard & (rng.random(heard.shape) < _SHARE_HELD_OUT)
    train, test = folder / "train.txt", folder / "test.txt"
    train.write_text(_lines(heard & ~held_out))
    test.write_text(_lines(held_out))
    return Split(train, test, is_real=False)


def _histories(rng: np.random.Generator, *, people: int, practices: int) -> NDArray[np.bool_]:
    popularity = 1.0 / np.arange(1, practices + 1) ** 0.4
    cluster_of_practice = rng.integers(_CLUSTERS, size=practices)
    cluster_of_person = rng.integers(_CLUSTERS, size=people)
    is_own = cluster_of_person[:, np.newaxis] == cluster_of_practice
    rate = popularity * np.where(is_own, _AFFINITY, 1.0)
    length = practices / 15
    expected = rate / rate.sum(axis=1, keepdims=True) * length
    heard: NDArray[np.bool_] = rng.random((people, practices)) < expected
    return heard


def _lines(heard: NDArray[np.bool_]) -> str:
    return "".join(
        " ".join(map(str, (person, *np.flatnonzero(row)))) + "\n"
        for person, row in enumerate(heard)
    )
