"""The measures of a ranking, against their definitions written out in loops."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.metrics import ndcg_at, recall_at


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

    expected = sum(each) / len(each)
    actual = ndcg_at(k, hits=np.array(hits), relevant=np.array(relevant))
    assert actual == pytest.approx(expected)


@given(rankings(), st.integers(1, 8))
def test_recall_is_its_definition(ranking: tuple[list[list[bool]], list[int]], k: int) -> None:
    hits, relevant = ranking
    each = [sum(row[:k]) / count for row, count in zip(hits, relevant, strict=True)]

    expected = sum(each) / len(each)
    actual = recall_at(k, hits=np.array(hits), relevant=np.array(relevant))
    assert actual == pytest.approx(expected)


def test_a_perfect_ranking_scores_one() -> None:
    hits = np.array([[True] * 10, [True] * 3 + [False] * 7])

    assert ndcg_at(10, hits=hits, relevant=np.array([25, 3])) == pytest.approx(1.0)
