"""People's histories enter the engine in one order, each pair once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine.interactions import Interactions
from tests.recommendations.engine.strategies import dense, interactions


def rows(people: list[int], practices: list[int]) -> Interactions:
    return Interactions.from_rows(people, practices=practices, n_people=3, n_practices=3)


def test_rows_are_put_in_order_with_their_weights() -> None:
    ordered = Interactions.from_rows(
        [2, 0, 2], practices=[1, 2, 0], weights=[7, 8, 9], n_people=3, n_practices=3
    )

    assert ordered.people.tolist() == [0, 2, 2]
    assert ordered.practices.tolist() == [2, 0, 1]
    assert ordered.weights.tolist() == [8, 9, 7]


def test_without_weights_every_pair_weighs_one() -> None:
    assert rows([0, 1], [1, 1]).weights.tolist() == [1, 1]


def test_a_pair_named_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="name each pair once"):
        rows([1, 0, 1], [2, 2, 2])


def test_rows_out_of_order_are_refused() -> None:
    with pytest.raises(ValueError, match="from_rows puts them in order"):
        Interactions(np.array([1, 0]), np.array([0, 0]), np.array([1, 1]), 2, 1)


@pytest.mark.parametrize(("person", "practice"), [(3, 0), (-1, 0), (0, 3), (0, -1)])
def test_indices_out_of_range_are_refused(person: int, practice: int) -> None:
    with pytest.raises(ValueError, match="must be indices from 0 to 2"):
        rows([person], [practice])


def test_weights_that_could_round_are_refused() -> None:
    with pytest.raises(ValueError, match="integers sum without rounding"):
        Interactions.from_rows([0], practices=[0], weights=[0.5], n_people=1, n_practices=1)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        Interactions(np.array([0]), np.array([0, 1]), np.array([1]), 1, 2)


@given(interactions(), st.integers(1, 20))
def test_blocks_are_the_matrix_cut_between_people(heard: Interactions, max_rows: int) -> None:
    blocks = [block.toarray() for block in heard.blocks(max_rows=max_rows, dtype=np.int32)]

    assert np.array_equal(np.concatenate(blocks), dense(heard))
    assert np.array_equal(heard.matrix.toarray(), dense(heard))
    assert all(np.count_nonzero(block) <= max_rows for block in blocks if len(block) > 1)


@given(interactions())
def test_a_persons_practices_are_those_of_their_rows(heard: Interactions) -> None:
    for person in range(heard.n_people):
        expected = heard.practices[heard.people == person]
        assert np.array_equal(heard.practices_of(person), expected)
