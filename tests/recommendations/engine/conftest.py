"""What the engine's tests share: one split to rank on, one seeded generator."""

import numpy as np
import pytest

from recommendations.engine.evaluation import evaluate
from tests.recommendations.engine.movielens import Split, movielens


@pytest.fixture(scope="session")
def split(tmp_path_factory: pytest.TempPathFactory) -> Split:
    return movielens(tmp_path_factory.mktemp("movielens"))


@pytest.fixture(scope="session")
def ease_result(split: Split) -> dict[str, float | int | str]:
    """EASE at its default regularization, evaluated once for all tests."""
    return evaluate(split.train, test=split.test)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)
