"""Maximal marginal relevance, against its definition written out in loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.diversity import likeness, spread

tag_sets = st.lists(st.sets(st.sampled_from("abcdef")), min_size=1, max_size=12)


@settings(deadline=None)
@given(
    tags=tag_sets,
    n=st.integers(0, 14),
    balance=st.sampled_from([0.0, 0.3, 0.7, 1.0]),
    seed=st.integers(0, 1000),
)
def test_each_next_one_is_the_best_by_score_and_likeness_to_those_before(
    tags: list[set[str]], n: int, balance: float, seed: int
) -> None:
    scores = np.random.default_rng(seed).integers(-3, 9, size=len(tags)).astype(np.float64)
    alike = likeness(tags)
    chosen = spread(scores, alike=alike, n=n, balance=balance).tolist()

    assert len(chosen) == len(set(chosen)) == min(n, len(tags))
    width = max(scores.max() - scores.min(), 1e-300)
    for place, one in enumerate(chosen):
        worth = {
            other: balance * (scores[other] - scores.min()) / width
            - (1 - balance) * max((alike[other, t] for t in chosen[:place]), default=0.0)
            for other in range(len(tags))
            if other not in chosen[:place]
        }
        assert worth[one] == pytest.approx(max(worth.values()))
        if place == 0:
            assert scores[one] == scores.max() or balance == 0.0


@settings(deadline=None)
@given(tags=tag_sets, seed=st.integers(0, 1000))
def test_with_the_score_alone_the_order_is_that_of_the_scores(
    tags: list[set[str]], seed: int
) -> None:
    scores = np.random.default_rng(seed).integers(0, 5, size=len(tags)).astype(np.float64)
    chosen = spread(scores, alike=likeness(tags), n=len(tags), balance=1.0)
    assert chosen.tolist() == np.argsort(-scores, kind="stable").tolist()


@settings(deadline=None)
@given(tag_sets)
def test_likeness_is_the_share_of_tags_in_common(tags: list[set[str]]) -> None:
    alike = likeness(tags)
    for row, own in enumerate(tags):
        for column, other in enumerate(tags):
            either = own | other
            assert alike[row, column] == (len(own & other) / len(either) if either else 0.0)


def test_a_near_duplicate_of_the_best_waits_for_something_else() -> None:
    tags = [{"rain", "sleep"}, {"rain", "sleep"}, {"sea", "morning"}, {"breath"}]
    chosen = spread(np.array([1.0, 0.99, 0.8, 0.0]), alike=likeness(tags), n=3, balance=0.7)
    assert chosen.tolist() == [0, 2, 1]


def test_nothing_to_choose_from_is_an_empty_shelf() -> None:
    assert spread(np.empty(0), alike=likeness([]), n=12).tolist() == []
