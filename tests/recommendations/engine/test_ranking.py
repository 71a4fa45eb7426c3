"""Serving: scores, the order of the catalog, and reasons that add up exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine.ranking import ItemWeights, top_n

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


def random_matrix(rng: np.random.Generator, size: int) -> Matrix:
    matrix = rng.normal(size=(size, size))
    np.fill_diagonal(matrix, 0)
    return matrix


def item_weights(matrix: Matrix, *, n_neighbors: int = 400) -> ItemWeights:
    return ItemWeights.from_matrix(
        matrix,
        practice_ids=np.arange(len(matrix)) + 100,
        people_per_practice=np.zeros(len(matrix), dtype=np.int64),
        n_neighbors=n_neighbors,
    )


def test_with_all_neighbors_the_score_is_the_product_with_the_matrix(
    rng: np.random.Generator,
) -> None:
    matrix = random_matrix(rng, 9)

    score = item_weights(matrix).score([4, 0, 7], weights=[1, 3, 2])
    expected = matrix[4] + 3 * matrix[0] + 2 * matrix[7]
    np.testing.assert_allclose(score, expected, rtol=1e-6)
    assert score.dtype == np.float64


def test_nobody_has_a_score_without_a_history(rng: np.random.Generator) -> None:
    assert item_weights(random_matrix(rng, 5)).score([], weights=[]).tolist() == [0.0] * 5


def test_a_history_without_its_weights_is_refused(rng: np.random.Generator) -> None:
    with pytest.raises(ValueError, match="one weight per practice"):
        item_weights(random_matrix(rng, 5)).score([1, 2], weights=[1])


@given(st.integers(0, 2**32), st.integers(1, 12), st.integers(1, 12), st.data())
def test_the_parts_of_an_explanation_add_up_to_the_score_exactly(
    seed: int, size: int, n_neighbors: int, data: st.DataObject
) -> None:
    items = item_weights(random_matrix(np.random.default_rng(seed), size), n_neighbors=n_neighbors)
    history = data.draw(st.lists(st.integers(0, size - 1), unique=True))
    weights = data.draw(st.lists(st.integers(1, 9), min_size=len(history), max_size=len(history)))

    score = items.score(history, weights=weights)
    for practice in range(size):
        parts = items.explain(practice, history=history, weights=weights)
        total = 0.0
        for _, part in parts:
            total += part
        assert total == score[practice]
        positions = [position for position, _ in parts]
        assert positions == sorted(set(positions))
        assert all(practice in items.neighbors[history[position]] for position in positions)


def with_contexts(matrix: Matrix, *, contexts: int, n_neighbors: int = 400) -> ItemWeights:
    """The last rows and columns of the matrix are those of contexts."""
    size = len(matrix) - contexts
    return ItemWeights.from_matrix(
        matrix,
        practice_ids=np.arange(size) + 100,
        people_per_practice=np.zeros(size, dtype=np.int64),
        context_ids=-1 - np.arange(contexts),
        n_neighbors=n_neighbors,
    )


@given(st.integers(0, 2**32), st.integers(1, 8), st.integers(1, 4), st.integers(1, 12))
def test_a_context_speaks_of_practices_and_nothing_speaks_of_it(
    seed: int, size: int, contexts: int, n_neighbors: int
) -> None:
    matrix = random_matrix(np.random.default_rng(seed), size + contexts)
    items = with_contexts(matrix, contexts=contexts, n_neighbors=n_neighbors)

    assert items.neighbors.shape == (size + contexts, min(n_neighbors, size - 1))
    assert not (items.neighbors >= size).any()
    history, weights = list(range(size + contexts)), [1] * (size + contexts)
    score = items.score(history, weights=weights)
    assert score.shape == (size,)
    for practice in range(size):
        total = 0.0
        for _, part in items.explain(practice, history=history, weights=weights):
            total += part
        assert total == score[practice]
        assert not (items.similar(practice, n=size) >= size).any()


def test_a_practice_is_weighed_as_if_there_were_no_contexts_when_the_matrix_is_the_same(
    rng: np.random.Generator,
) -> None:
    matrix = random_matrix(rng, 9)
    alone, beside = item_weights(matrix[:6, :6]), with_contexts(matrix, contexts=3)

    assert np.array_equal(alone.neighbors, beside.neighbors[:6])
    assert np.array_equal(alone.weights, beside.weights[:6])
    expected = matrix[7, :6].copy()
    score = beside.score([7], weights=[1])
    kept = np.argsort(-np.abs(expected))[:5]
    np.testing.assert_allclose(score[kept], expected[kept], rtol=1e-6)


def test_a_context_of_which_nothing_was_learned_is_none() -> None:
    matrix = np.zeros((4, 4))
    matrix[2, 0] = 0.5
    items = with_contexts(matrix, contexts=2)

    assert [items.context(pk) for pk in (-1, -2, -3, 100)] == [2, None, None, None]


def test_the_strongest_weights_are_kept_whatever_their_sign() -> None:
    matrix = np.array(
        [[0.0, 0.5, -0.9, 0.1], [1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 0.0, 0.0], [0.3, 0.2, 0.1, 0.0]]
    )
    items = item_weights(matrix, n_neighbors=2)

    assert items.neighbors.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]
    np.testing.assert_allclose(items.weights[0], [0.5, -0.9], rtol=1e-6)
    assert [items.neighbors.dtype.name, items.weights.dtype.name] == ["int32", "float32"]


@settings(deadline=None)
@given(
    st.integers(0, 2**32), st.integers(1, 90), st.integers(0, 2), st.integers(0, 95), st.booleans()
)
def test_each_row_keeps_its_strongest_in_the_documented_order(
    seed: int, size: int, contexts: int, n_neighbors: int, has_ties: bool
) -> None:
    rng = np.random.default_rng(seed)
    matrix = random_matrix(rng, size + contexts)
    if has_ties:
        matrix = np.round(matrix) * rng.choice([0.25, -0.25], size=matrix.shape)
    items = with_contexts(matrix, contexts=contexts, n_neighbors=n_neighbors)

    rounded = (np.round(matrix * 2**24) / 2**24).astype(np.float32)
    for row, weights in enumerate(rounded[:, :size].tolist()):
        others = [column for column in range(size) if column != row]
        kept = sorted(others, key=lambda column: (-abs(weights[column]), column))
        kept = kept[: min(n_neighbors, size - 1)]
        kept.sort(key=lambda column: (-weights[column], column))
        assert items.neighbors[row].tolist() == kept
        assert items.weights[row].tolist() == [weights[column] for column in kept]


def test_a_practice_is_never_its_own_neighbor_not_even_among_zeros() -> None:
    items = item_weights(np.zeros((3, 3)), n_neighbors=2)

    assert items.neighbors.tolist() == [[1, 2], [0, 2], [0, 1]]


def test_what_rounding_errors_leave_becomes_exactly_zero() -> None:
    matrix = np.array([[0.0, 1e-16, -1e-16], [2.9e-8, 0.0, 0.1], [-0.0, 3.1e-8, 0.0]])
    items = item_weights(matrix)

    assert items.weights[0].tobytes() == bytes(8)
    assert items.neighbors[0].tolist() == [1, 2]
    assert items.weights[1].tolist() == [np.float32(np.round(0.1 * 2**24) / 2**24), 0.0]
    assert items.weights[2].tolist() == [2.0**-24, 0.0]


def test_weights_that_are_not_numbers_are_refused() -> None:
    matrix = np.full((3, 3), np.nan)

    with pytest.raises(ValueError, match="finite"):
        item_weights(matrix, n_neighbors=1)


def test_a_catalog_of_one_practice_has_no_neighbors() -> None:
    items = item_weights(np.zeros((1, 1)))

    assert items.neighbors.shape == (1, 0)
    assert items.score([0], weights=[1]).tolist() == [0.0]
    assert items.explain(0, history=[0], weights=[1]) == []


def test_similar_practices_are_those_spoken_for_best_first() -> None:
    matrix = np.array([[0.0, 0.2, 0.7, -0.9], [0.0] * 4, [0.0] * 4, [0.0] * 4])
    items = item_weights(matrix)

    assert items.similar(0, n=5).tolist() == [2, 1]
    assert items.similar(0, n=1).tolist() == [2]
    assert items.similar(1, n=5).tolist() == []


@given(
    st.lists(st.sampled_from([-1.5, 0.0, 0.5, 2.0, 3.25]), max_size=30),
    st.integers(0, 35),
    st.data(),
)
def test_top_n_is_the_head_of_a_sort_with_lower_indices_first(
    scores: list[float], n: int, data: st.DataObject
) -> None:
    indices = st.integers(0, max(0, len(scores) - 1))
    exclude = data.draw(st.lists(indices, max_size=8)) if scores else []

    best = top_n(np.array(scores), n=n, exclude=np.array(exclude, dtype=np.int32))
    allowed = [index for index in range(len(scores)) if index not in exclude]
    assert best.tolist() == sorted(allowed, key=lambda index: (-scores[index], index))[:n]


def test_top_n_leaves_the_scores_as_they_are() -> None:
    scores = np.array([1.0, 2.0])

    assert top_n(scores, n=1, exclude=np.array([1])).tolist() == [0]
    assert scores.tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    ("neighbors", "weights", "people", "reason"),
    [
        ([[2], [0]], [[0.5], [0.5]], [1, 1], "indices of practices"),
        ([[-1], [0]], [[0.5], [0.5]], [1, 1], "indices of practices"),
        ([[1], [0]], [[0.5], [np.nan]], [1, 1], "finite"),
        ([[1]], [[0.5]], [1, 1], "one row per practice"),
        ([[1], [0]], [[0.5, 1], [0.5, 1]], [1, 1], "one row per practice"),
        ([[1], [0]], [[0.5], [0.5]], [1], "one count per practice"),
        ([[1], [0], [1]], [[0.5]] * 3, [1, 1], "one row per practice"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    neighbors: list[list[int]], weights: list[list[float]], people: list[int], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        ItemWeights(
            np.array([10, 11], dtype=np.int64),
            np.array(neighbors, dtype=np.int32),
            np.array(weights, dtype=np.float32),
            np.array(people, dtype=np.int64),
        )


def test_a_context_has_a_negative_id() -> None:
    with pytest.raises(ValueError, match="negative"):
        ItemWeights.from_matrix(
            np.zeros((3, 3)),
            practice_ids=np.array([10, 11]),
            people_per_practice=np.zeros(2, dtype=np.int64),
            context_ids=np.array([12]),
        )
