"""The measures of a ranking, against their definitions written out in loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.metrics import Estimate, ndcg_at, recall_at


@st.composite
def rankings(draw: st.DrawFn) -> tuple[list[list[bool]], list[int]]:
    """Hits at 6 places for some people, and how many relevant practices each has."""
    hits = draw(st.lists(st.lists(st.booleans(), min_size=6, max_size=6), min_size=1, max_size=5))
    relevant = [max(1, sum(row)) + draw(st.integers(0, 9)) for row in hits]
    return hits, relevant


@given(rankings(), st.integers(1, 8))
def test_ndcg_is_its_definition(ranking: tuple[list[list[bool]], list[int]], k: int) -> None:
    hits, relevant = ranking
    each = []
    for row, count in zip(hits, relevant, strict=True):
        gained = sum(1 / math.log2(place + 1) for place, hit in enumerate(row[:k], 1) if hit)
        best = sum(1 / math.log2(place + 1) for place in range(1, min(k, count) + 1))
        each.append(gained / best)

    assert ndcg_at(k, hits=np.array(hits), relevant=np.array(relevant)) == pytest.approx(each)


@given(rankings(), st.integers(1, 8))
def test_recall_is_its_definition(ranking: tuple[list[list[bool]], list[int]], k: int) -> None:
    hits, relevant = ranking
    each = [sum(row[:k]) / count for row, count in zip(hits, relevant, strict=True)]

    assert recall_at(k, hits=np.array(hits), relevant=np.array(relevant)) == pytest.approx(each)


def test_a_perfect_ranking_scores_one() -> None:
    hits = np.array([[True] * 10, [True] * 3 + [False] * 7])

    assert ndcg_at(10, hits=hits, relevant=np.array([25, 3])) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize("count", [100, 1000])
def test_the_interval_of_a_mean_holds_the_truth_about_95_times_in_100(count: int) -> None:
    """Gains as a recommender has them: three in four people have none."""
    rng = np.random.default_rng(11)
    places = rng.geometric(0.03, size=20_000)
    gains = np.where(places <= 10, 1 / np.log2(places + 1), 0.0)
    draws = rng.choice(gains, size=(2000, count))
    held = [float(gains.mean()) in Estimate.of_mean(values) for values in draws]
    assert 0.93 < np.mean(held) < 0.97


def test_an_interval_stays_between_zero_and_one_and_one_person_says_nothing() -> None:
    two_of_three = Estimate.of_mean(np.array([1.0, 0.0, 1.0]))
    assert two_of_three.value == pytest.approx(2 / 3)
    assert two_of_three.low == pytest.approx(0.0133, abs=1e-3)
    assert two_of_three.high == 1.0
    assert Estimate.of_mean(np.array([1.0])) == Estimate(1.0, low=0.0, high=1.0)


def test_nobody_measured_is_an_error() -> None:
    with pytest.raises(ValueError, match="Nobody was measured"):
        Estimate.of_mean(np.array([]))
