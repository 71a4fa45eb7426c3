"""Leave-last-out against the plainest oracle: a model made again for every single person."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram, gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.leave_last_out import Ranked, clearly_worse, leave_last_out
from recommendations.engine.metrics import Estimate
from recommendations.engine.ranking import ItemWeights
from tests.recommendations.engine.strategies import dense

N_PRACTICES = 13
N_COLUMNS = 15  # two contexts behind the practices
CLUSTERED = 60
TAGS = [np.array([0, 1, 2]), np.array([2, 5, 9])]


def _people(seed: int, *, count: int = 30) -> Interactions:
    """Random histories with weights 1 to 3; some people heard little, and somebody nothing."""
    rng = np.random.default_rng(seed)
    share = rng.uniform(0.05, 0.7, size=(count, 1)) * (np.arange(count)[:, np.newaxis] != 3)
    is_heard = rng.random((count, N_COLUMNS)) < share
    weights = rng.integers(1, 4, size=(count, N_COLUMNS)) * is_heard
    people, practices = np.nonzero(weights)
    return Interactions.from_rows(
        people,
        practices=practices,
        weights=weights[people, practices],
        n_people=count,
        n_practices=N_COLUMNS,
    )


def _held_out(vectors: Interactions, *, seed: int) -> NDArray[np.int64]:
    """One practice of each person, -1 for those who have none."""
    rng = np.random.default_rng(seed)
    own = [vectors.practices_of(person) for person in range(vectors.n_people)]
    own = [columns[columns < N_PRACTICES] for columns in own]
    return np.array([rng.choice(columns) if len(columns) else -1 for columns in own])


@settings(deadline=None)
@given(
    seed=st.integers(0, 10_000),
    regularization=st.sampled_from([0.5, 5.0, 300.0]),
    alpha=st.integers(0, 3),
)
def test_the_places_are_those_of_a_model_made_again_for_each_person(
    seed: int, regularization: float, alpha: int
) -> None:
    vectors = _people(seed)
    held_out = _held_out(vectors, seed=seed)
    matrix = gram(vectors) + content_gram(TAGS, weight=alpha, n_practices=N_COLUMNS)

    ranked = leave_last_out(
        ItemInverse.of(matrix, regularization=regularization).matrix,
        vectors=vectors,
        held_out=held_out,
        n_practices=N_PRACTICES,
    )

    people = np.flatnonzero(held_out >= 0)
    assert len(ranked.places) == len(people)
    for place, x, held in zip(ranked.places, dense(vectors)[people], held_out[people], strict=True):
        left = np.where(np.arange(N_COLUMNS) == held, 0, x)
        without = matrix - np.outer(x, x) + np.outer(left, left)
        scores = (left @ ease_weights(without, regularization=regularization))[:N_PRACTICES]
        rivals = scores[(left[:N_PRACTICES] == 0) & (np.arange(N_PRACTICES) != held)]
        # What rounding cannot tell apart may stand before or behind.
        assert (rivals > scores[held] + 1e-9).sum() < place
        assert place <= (rivals >= scores[held] - 1e-9).sum() + 1


def test_coverage_is_the_share_of_the_catalog_on_somebodys_first_twelve() -> None:
    vectors = Interactions.from_rows(
        [0, 0, 1, 1], practices=[0, 1, 0, 1], n_people=2, n_practices=40
    )
    matrix = gram(vectors)
    ranked = leave_last_out(
        ItemInverse.of(matrix, regularization=1.0).matrix,
        vectors=vectors,
        held_out=np.array([1, 1]),
        n_practices=40,
    )
    # Practice 1 is first for both; eleven of the others, which all tie, follow.
    assert ranked.coverage == pytest.approx(12 / 40)
    assert ranked.places.tolist() == [1, 1]


def test_a_practice_that_few_people_carry_is_ranked_by_content() -> None:
    vectors = _people(1)
    held_out = _held_out(vectors, seed=1)
    person = int(np.flatnonzero(held_out >= 0)[0])
    only_this = np.where(np.arange(vectors.n_people) == person, held_out, -1)
    rare = int(held_out[person])
    common = vectors.practices != rare
    masked = Interactions(
        vectors.people[common],
        vectors.practices[common],
        vectors.weights[common],
        vectors.n_people,
        vectors.n_practices,
    )
    tags = [np.array([rare, int(masked.practices_of(person)[0])])]
    matrix = gram(masked) + content_gram(tags, weight=5, n_practices=N_COLUMNS)
    ranked = leave_last_out(
        ItemInverse.of(matrix, regularization=5.0).matrix,
        vectors=masked,
        held_out=only_this,
        n_practices=N_PRACTICES,
    )
    x = dense(masked)[person]
    scores = (x @ ease_weights(matrix, regularization=5.0))[:N_PRACTICES]
    rivals = scores[(x[:N_PRACTICES] == 0) & (np.arange(N_PRACTICES) != rare)]
    assert ranked.places.tolist() == [(rivals > scores[rare]).sum() + 1]


def _served(matrix: NDArray[np.float64]) -> ItemWeights:
    size = len(matrix)
    return ItemWeights.from_matrix(
        matrix,
        practice_ids=np.arange(size),
        people_per_practice=np.zeros(size, dtype=np.int64),
        n_neighbors=size,
    )


def test_with_all_weights_served_the_places_stay_as_they_are() -> None:
    vectors = _in_clusters()
    held_out = _first_of_each(vectors)
    inverse = ItemInverse.of(gram(vectors), regularization=20.0)
    items = _served(inverse.item_weights())
    exact = leave_last_out(
        inverse.matrix, vectors=vectors, held_out=held_out, n_practices=CLUSTERED
    )
    served = leave_last_out(
        inverse.matrix, vectors=vectors, held_out=held_out, n_practices=CLUSTERED, items=items
    )
    np.testing.assert_array_equal(served.places, exact.places)


def test_weights_that_are_served_shuffled_are_held_back() -> None:
    vectors = _in_clusters()
    inverse = ItemInverse.of(gram(vectors), regularization=20.0)
    good = _served(inverse.item_weights())
    order = np.random.default_rng(1).permutation(CLUSTERED)
    shuffled = dataclasses.replace(good, neighbors=order[good.neighbors].astype(np.int32))
    figures = [
        Estimate.of_mean(
            leave_last_out(
                inverse.matrix,
                vectors=vectors,
                held_out=_first_of_each(vectors),
                n_practices=CLUSTERED,
                items=items,
            ).ndcg
        )
        for items in (good, shuffled)
    ]
    assert clearly_worse(figures[1], than=figures[0])


def test_somebody_who_is_not_in_the_model_cannot_be_taken_out_of_it() -> None:
    nobody = np.zeros((N_COLUMNS, N_COLUMNS), dtype=np.int64)
    vectors = _people(2)
    with pytest.raises(ValueError, match="not part of this model"):
        leave_last_out(
            ItemInverse.of(nobody, regularization=0.5).matrix,
            vectors=vectors,
            held_out=_held_out(vectors, seed=2),
            n_practices=N_PRACTICES,
        )


def test_without_anything_held_out_there_is_nothing_to_rank() -> None:
    vectors = _people(2)
    with pytest.raises(ValueError, match="nothing to rank"):
        leave_last_out(
            np.eye(N_COLUMNS),
            vectors=vectors,
            held_out=np.full(vectors.n_people, -1),
            n_practices=N_PRACTICES,
        )


def test_figures_of_each_person_are_those_of_one_relevant_practice() -> None:
    ranked = Ranked(places=np.array([1, 3, 10, 11, 20, 21]), coverage=1.0)
    assert ranked.ndcg == pytest.approx([1.0, 0.5, 1 / np.log2(11), 0.0, 0.0, 0.0])
    assert ranked.recall.tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("count", [100, 1000])
def test_equally_good_models_are_held_back_less_than_once_in_a_hundred(
    count: int, rng: np.random.Generator
) -> None:
    """Resampled from gains as a recommender has them: mostly 0, some 1, the rest between."""
    places = rng.geometric(0.06, size=5000)
    gains = Ranked(places, coverage=1.0).ndcg
    draws = rng.choice(gains, size=(4000, 2, count))
    held_back = [
        clearly_worse(Estimate.of_mean(candidate), than=Estimate.of_mean(active))
        for candidate, active in draws
    ]
    assert np.mean(held_back) < 0.01


def test_a_model_with_shuffled_weights_is_always_held_back() -> None:
    vectors = _in_clusters()
    inverse = ItemInverse.of(gram(vectors), regularization=50.0)
    good = _quality(inverse.matrix, vectors)
    for seed in range(20):
        order = np.random.default_rng(seed).permutation(CLUSTERED)
        shuffled = _quality(inverse.matrix[np.ix_(order, order)], vectors)
        assert clearly_worse(shuffled, than=good)
        assert not clearly_worse(good, than=shuffled)


def _quality(inverse: NDArray[np.float64], vectors: Interactions) -> Estimate:
    ranked = leave_last_out(
        inverse, vectors=vectors, held_out=_first_of_each(vectors), n_practices=CLUSTERED
    )
    return Estimate.of_mean(ranked.ndcg)


def _first_of_each(vectors: Interactions) -> NDArray[np.int64]:
    return np.array([vectors.practices_of(person)[0] for person in range(vectors.n_people)])


def _in_clusters() -> Interactions:
    """400 people, each with six of the twelve practices of one of five clusters."""
    rng = np.random.default_rng(0)
    own = [12 * (person % 5) + rng.choice(12, 6, replace=False) for person in range(400)]
    return Interactions.from_rows(
        np.repeat(np.arange(400), 6),
        practices=np.concatenate(own),
        n_people=400,
        n_practices=CLUSTERED,
    )
