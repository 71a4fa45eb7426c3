"""The inverse follows people who come and leave, as if it had been inverted again each time."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine import inverse as module
from recommendations.engine.dtypes import IntegerMatrix, Matrix
from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import add_vectors, digest, gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse, Singular
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import ItemWeights, top_n
from tests.recommendations.engine.populations import clustered, only
from tests.recommendations.engine.strategies import interactions

REGULARIZATION = 2.5


def inverse_of(matrix: IntegerMatrix) -> ItemInverse:
    return ItemInverse.of(matrix, regularization=REGULARIZATION)


def true_inverse(matrix: IntegerMatrix) -> Matrix:
    """By a general solver, which shares no code with Cholesky's."""
    shifted: Matrix = matrix + REGULARIZATION * np.eye(len(matrix))
    return np.linalg.inv(shifted).astype(np.float64)


def vectors(heard: Interactions) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for person in np.unique(heard.people):
        rows = heard.people == person
        yield heard.practices[rows], heard.weights[rows]


def change(inverse: ItemInverse, heard: Interactions, *, sign: int) -> None:
    for columns, weights in vectors(heard):
        inverse.update(columns, weights, sign=sign)


def served(weights: Matrix, *, n_neighbors: int = 400) -> ItemWeights:
    size = len(weights)
    return ItemWeights.from_matrix(
        weights,
        practice_ids=np.arange(size) + 1,
        people_per_practice=np.zeros(size, dtype=np.int64),
        n_neighbors=n_neighbors,
    )


def is_same(one: ItemWeights, other: ItemWeights) -> bool:
    return np.array_equal(one.neighbors, other.neighbors) and (
        one.weights.tobytes() == other.weights.tobytes()
    )


@settings(deadline=None)
@given(interactions())
def test_it_is_the_inverse_and_symmetric(heard: Interactions) -> None:
    matrix = inverse_of(gram(heard)).matrix

    np.testing.assert_allclose(matrix, true_inverse(gram(heard)), rtol=1e-8, atol=1e-10)
    assert np.array_equal(matrix, matrix.T)


def test_the_matrix_given_is_left_as_it_is() -> None:
    matrix = np.array([[3, 1], [1, 2]], dtype=np.int64)
    inverse_of(matrix).update(np.array([0]), np.array([1]), sign=1)

    assert matrix.tolist() == [[3, 1], [1, 2]]


@pytest.mark.parametrize("regularization", [0.0, -1.0, float("nan"), float("inf")])
def test_a_regularization_that_is_no_positive_number_is_refused(regularization: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ItemInverse.of(np.eye(2, dtype=np.int64), regularization=regularization)


def test_a_matrix_that_cannot_be_inverted_is_refused() -> None:
    with pytest.raises(ValueError, match="use a larger regularization"):
        inverse_of(np.array([[0, 9], [9, 0]], dtype=np.int64))


def test_an_empty_catalog_has_an_empty_inverse() -> None:
    inverse = inverse_of(np.zeros((0, 0), dtype=np.int64))

    assert inverse.item_weights().shape == (0, 0)
    assert inverse.residual(np.zeros((0, 0), dtype=np.int64)) == 0.0


@settings(deadline=None)
@given(interactions(), interactions(), st.integers(1, 5))
def test_learning_and_forgetting_people_equals_inverting_again(
    first: Interactions, then: Interactions, most_pending: int
) -> None:
    size = max(first.n_practices, then.n_practices)
    first, then = widened(first, size), widened(then, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_MOST_PENDING", most_pending)
        inverse = inverse_of(np.zeros((size, size), dtype=np.int64))
    change(inverse, first, sign=1)
    change(inverse, then, sign=1)
    so_far = gram(first) + gram(then)
    np.testing.assert_allclose(inverse.matrix, true_inverse(so_far), rtol=1e-8, atol=1e-10)

    for columns, weights in vectors(first):
        so_far[np.ix_(columns, columns)] -= np.outer(weights.astype(int), weights.astype(int))
        try:
            inverse.update(columns, weights, sign=-1)
        except Singular:
            inverse = inverse_of(so_far)
    np.testing.assert_allclose(inverse.matrix, true_inverse(gram(then)), rtol=1e-8, atol=1e-8)


@settings(deadline=None)
@given(interactions(), interactions())
def test_forgetting_what_was_just_learned_gives_the_inverse_back(
    known: Interactions, passing: Interactions
) -> None:
    size = max(known.n_practices, passing.n_practices)
    inverse = inverse_of(gram(widened(known, size)))
    before = inverse.matrix.copy()
    # Weights as people have them: 0 to 3.
    for columns, weights in vectors(passing):
        inverse.update(columns, weights % 4, sign=1)
        inverse.update(columns, weights % 4, sign=-1)

    np.testing.assert_allclose(inverse.matrix, before, rtol=0, atol=1e-9)


def widened(heard: Interactions, n_practices: int) -> Interactions:
    return Interactions(heard.people, heard.practices, heard.weights, heard.n_people, n_practices)


@settings(deadline=None)
@given(interactions())
def test_item_weights_are_those_of_ease_after_each_single_change(heard: Interactions) -> None:
    inverse = inverse_of(np.zeros((heard.n_practices, heard.n_practices), dtype=np.int64))
    so_far = np.zeros((heard.n_practices, heard.n_practices), dtype=np.int64)
    for columns, weights in vectors(heard):
        inverse.update(columns, weights, sign=1)
        so_far[np.ix_(columns, columns)] += np.outer(weights.astype(int), weights.astype(int))
        expected = ease_weights(so_far, regularization=REGULARIZATION)
        np.testing.assert_allclose(inverse.item_weights(), expected, rtol=1e-7, atol=1e-8)
        assert not inverse.item_weights().diagonal().any()


def test_item_weights_do_not_change_with_later_updates(rng: np.random.Generator) -> None:
    inverse = inverse_of(gram(clustered(rng, people=30, practices=8)))
    weights = inverse.item_weights()
    before = weights.copy()
    inverse.update(np.array([1, 5]), np.array([2, 1]), sign=1)

    assert not np.array_equal(inverse.item_weights(), before)
    assert np.array_equal(weights, before)


def test_forgetting_somebody_who_was_never_there_is_refused_and_changes_nothing(
    rng: np.random.Generator,
) -> None:
    inverse = inverse_of(gram(clustered(rng, people=30, practices=8)))
    inverse.update(np.array([1]), np.array([2]), sign=1)
    before = inverse.matrix.copy()
    with pytest.raises(Singular, match="make it again from the matrix"):
        inverse.update(np.array([0, 3]), np.array([90, 90]), sign=-1)

    assert inverse.matrix.tobytes() == before.tobytes()


def test_forgetting_nearly_all_that_is_known_is_refused_rather_than_done_badly() -> None:
    weights = np.array([120, 3])
    alone = np.outer(weights, weights)
    inverse = ItemInverse.of(alone, regularization=1e-3)

    with pytest.raises(Singular):
        inverse.update(np.array([0, 1]), weights, sign=-1)
    assert inverse.residual(alone) < 1e-4
    # The same person beside a larger λ is no trouble.
    inverse = ItemInverse.of(alone, regularization=100.0)
    inverse.update(np.array([0, 1]), weights, sign=-1)
    np.testing.assert_allclose(inverse.matrix, np.eye(2) / 100, atol=1e-12)


def test_a_sign_that_is_neither_to_learn_nor_to_forget_is_refused() -> None:
    with pytest.raises(ValueError, match="to learn or -1 to forget"):
        inverse_of(np.eye(2, dtype=np.int64)).update(np.array([0]), np.array([1]), sign=0)


def test_the_residual_is_small_for_its_own_matrix_and_large_for_any_other(
    rng: np.random.Generator,
) -> None:
    matrix = gram(clustered(rng, people=200, practices=40))
    inverse = inverse_of(matrix)
    other = matrix.copy()
    other[3, 3] += 1

    assert inverse.residual(matrix) < 1e-10
    assert inverse.residual(other) > 1e-4


def test_thousands_of_changes_drift_by_less_than_shows(rng: np.random.Generator) -> None:
    people = clustered(rng, people=400, practices=60)
    matrix = gram(people)
    inverse = inverse_of(matrix)
    everybody = list(vectors(people))
    for _round in range(10):
        for columns, weights in everybody[:200]:
            inverse.update(columns, weights, sign=-1)
            inverse.update(columns, weights, sign=1)

    assert inverse.residual(matrix) < 1e-9
    assert is_same(served(inverse.item_weights()), served(inverse_of(matrix).item_weights()))


@pytest.mark.parametrize("seed", range(40))
def test_forgetting_by_update_serves_the_same_bits_as_inverting_again(seed: int) -> None:
    rng = np.random.default_rng(seed)
    people = clustered(rng, people=int(rng.integers(5, 150)), practices=int(rng.integers(3, 60)))
    inverse = inverse_of(gram(people))
    is_leaving = rng.random(people.n_people) < 0.3
    change(inverse, only(people, is_leaving), sign=-1)

    again = inverse_of(gram(only(people, ~is_leaving)))
    for n_neighbors in (2, 400):
        forgotten = served(inverse.item_weights(), n_neighbors=n_neighbors)
        assert is_same(forgotten, served(again.item_weights(), n_neighbors=n_neighbors))


def test_a_practice_that_only_a_forgotten_person_heard_has_weights_of_exactly_zero(
    rng: np.random.Generator,
) -> None:
    others = clustered(rng, people=100, practices=20)
    matrix = np.zeros((21, 21), dtype=np.int64)
    matrix[:20, :20] = gram(others)
    inverse = inverse_of(matrix)
    columns, weights = np.array([2, 9, 20]), np.array([1, 3, 2])
    inverse.update(columns, weights, sign=1)
    known = served(inverse.item_weights())
    inverse.update(columns, weights, sign=-1)
    forgotten = served(inverse.item_weights())

    assert known.weights[20].any()
    assert not forgotten.weights[20].any()
    assert not forgotten.weights[forgotten.neighbors == 20].any()
    assert not np.signbit(forgotten.weights[20]).any()


def test_a_thousand_forgotten_people_leave_nothing_behind(rng: np.random.Generator) -> None:
    people = clustered(rng, people=4000, practices=300)
    is_leaving = np.zeros(4000, dtype=np.bool_)
    is_leaving[rng.choice(4000, size=1000, replace=False)] = True
    leaving, staying = only(people, is_leaving), only(people, ~is_leaving)
    ids = np.arange(300) + 1

    matrix = gram(people)
    inverse = ItemInverse.of(matrix, regularization=300.0)
    before = served(inverse.item_weights(), n_neighbors=100)
    add_vectors(matrix, leaving, sign=-1)
    change(inverse, leaving, sign=-1)
    after = served(inverse.item_weights(), n_neighbors=100)

    never = gram(staying)
    assert digest(matrix, column_ids=ids) == digest(never, column_ids=ids)
    expected = served(ease_weights(never, regularization=300.0), n_neighbors=100)
    assert top_lists(after, staying) == top_lists(expected, staying)
    assert top_lists(before, staying) != top_lists(expected, staying)
    assert people_per_practice(people).min() >= 1


def top_lists(items: ItemWeights, people: Interactions) -> list[list[int]]:
    return [
        top_n(items.score(columns, weights=weights), n=20, exclude=columns).tolist()
        for columns, weights in vectors(people)
    ]
