"""Rankings are measured as the literature does, ratings as Surprise does."""

from pathlib import Path

import numpy as np
import pytest
from surprise import SVD, AlgoBase, BaselineOnly, Dataset, Reader, accuracy
from surprise.model_selection import train_test_split

from recommendations.engine.dtypes import Indices, Scores
from recommendations.engine.ease import EASE, ease_weights
from recommendations.engine.evaluation import (
    ALGORITHMS,
    evaluate,
    evaluate_ranking,
    rating_errors,
    score_block,
)
from recommendations.engine.gram import gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.popularity import Popularity, people_per_practice
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.readers import read_pairs
from recommendations.engine.trainset import ArrayTrainset
from tests.recommendations.engine.frames import Frame
from tests.recommendations.engine.movielens import Split

KEYS = {
    "algorithm",
    "ndcg@10",
    "recall@20",
    "people_ranked",
    "fit_seconds",
    "people",
    "practices",
    "interactions",
}


@pytest.fixture
def small(tmp_path: Path) -> tuple[Path, Path]:
    """Two groups with a taste each; ids are neither dense nor in order."""
    train, test = tmp_path / "train.txt", tmp_path / "test.txt"
    train.write_text("900 5 6\n7 6 5 8\n8 5 8 6\n20 40 41\n21 41 40 42\n22 42 40 41\n")
    test.write_text("900 8\n20 42\n50 41\n")
    return train, test


def test_ease_ranks_as_well_as_the_reference(
    split: Split, ease_result: dict[str, float | int | str]
) -> None:
    popularity = evaluate(split.train, test=split.test, algorithm="popularity")

    assert set(ease_result) == set(popularity) == KEYS
    assert float(ease_result["ndcg@10"]) > 1.4 * float(popularity["ndcg@10"])
    if split.is_real:
        assert float(ease_result["ndcg@10"]) >= 0.430
        assert float(popularity["ndcg@10"]) == pytest.approx(0.200, abs=0.001)
        counts = [ease_result[key] for key in ("people", "practices", "interactions")]
        assert counts == [6040, 3260, 801218]


def test_another_regularization_is_the_one_used(
    split: Split, ease_result: dict[str, float | int | str]
) -> None:
    smaller = evaluate(split.train, test=split.test, regularization=500)

    assert smaller["ndcg@10"] != ease_result["ndcg@10"]
    if split.is_real:
        assert float(smaller["ndcg@10"]) >= 0.427


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_evaluates_files_with_any_ids(
    small: tuple[Path, Path], algorithm: str
) -> None:
    train, test = small
    result = evaluate(train, test=test, algorithm=algorithm, regularization=1)

    assert set(result) == KEYS
    assert (result["people"], result["practices"], result["interactions"]) == (6, 6, 16)
    assert result["people_ranked"] == 3


def test_ease_ranks_by_taste_and_popularity_cannot(small: tuple[Path, Path]) -> None:
    train, test = small
    ease = evaluate(train, test=test, regularization=1)

    # Persons 900 and 20 get their practice first. Person 50 has no history: all practices tie,
    # in the order of their ids, and practice 41 is the fifth of six.
    assert ease["ndcg@10"] == pytest.approx((1 + 1 + 1 / np.log2(6)) / 3)
    popularity = evaluate(train, test=test, algorithm="popularity")
    assert float(popularity["ndcg@10"]) < float(ease["ndcg@10"])


def test_what_a_person_heard_is_left_out_of_their_ranking() -> None:
    train = Interactions.from_rows([0], practices=[0], n_people=1, n_practices=30)
    test = Interactions.from_rows([0], practices=[1], n_people=1, n_practices=30)

    def by_index(people: Indices) -> Scores:
        return np.tile(-np.arange(30.0), (len(people), 1))

    assert evaluate_ranking(by_index, train=train, test=test) == {
        "ndcg@10": 1.0,
        "recall@20": 1.0,
        "people_ranked": 1,
    }


def test_only_people_with_something_held_out_are_ranked() -> None:
    train = Interactions.from_rows([0, 1, 2], practices=[0, 0, 0], n_people=3, n_practices=2)
    test = Interactions.from_rows([2], practices=[1], n_people=3, n_practices=2)
    asked: list[int] = []

    def remember(people: Indices) -> Scores:
        asked.extend(people.tolist())
        return np.zeros((len(people), 2))

    assert evaluate_ranking(remember, train=train, test=test)["people_ranked"] == 1
    assert asked == [2]


def test_a_limited_evaluation_takes_the_same_sample_every_time() -> None:
    everybody = np.arange(50)
    train = Interactions.from_rows(everybody, practices=[0] * 50, n_people=50, n_practices=2)
    test = Interactions.from_rows(everybody, practices=[1] * 50, n_people=50, n_practices=2)
    asked: list[list[int]] = []

    def remember(people: Indices) -> Scores:
        asked.append(people.tolist())
        return np.zeros((len(people), 2))

    for _ in range(2):
        result = evaluate_ranking(remember, train=train, test=test, people_limit=8)
        assert result["people_ranked"] == 8
    assert asked[0] == asked[1]
    assert len(set(asked[0])) == 8


def test_nobody_to_evaluate_is_an_error() -> None:
    nobody = Interactions.from_rows([], practices=[], n_people=1, n_practices=1)

    with pytest.raises(ValueError, match="nothing to evaluate"):
        evaluate_ranking(lambda people: np.zeros((len(people), 1)), train=nobody, test=nobody)


def test_an_unknown_algorithm_names_the_known_ones(small: tuple[Path, Path]) -> None:
    with pytest.raises(ValueError, match="ease, svd, knn_baseline, popularity"):
        evaluate(small[0], test=small[1], algorithm="magic")


@pytest.mark.parametrize(
    "algorithm",
    [
        EASE(regularization=2),
        Popularity(),
        SVD(n_factors=4, n_epochs=3, random_state=1),
        SVD(n_factors=4, n_epochs=3, biased=False, random_state=1),
        BaselineOnly(verbose=False),
    ],
    ids=["EASE", "Popularity", "SVD", "SVD without biases", "BaselineOnly"],
)
def test_scores_of_a_block_are_surprises_predictions(
    algorithm: AlgoBase, rng: np.random.Generator
) -> None:
    # Person 5 and practice 2 do not occur: what is unknown must score as predict has it.
    pairs = rng.permutation([(p, i) for p in (4, 0, 3, 1, 2) for i in (5, 0, 4, 1, 3)])[:18]
    known = ArrayTrainset(pairs[:, 0], pairs[:, 1], rng.integers(1, 6, size=18))
    fitted = algorithm.fit(known)

    people = np.array([3, 5, 0])
    expected = [
        [fitted.predict(person, item, clip=False).est for item in range(6)] for person in people
    ]
    actual = score_block(fitted, n_practices=6)(people)
    np.testing.assert_allclose(actual, expected, rtol=1e-12, atol=1e-12)


def test_the_weights_that_are_served_keep_the_quality(
    split: Split, ease_result: dict[str, float | int | str]
) -> None:
    train, test = read_pairs(split.train), read_pairs(split.test)
    n_people = int(max(train.people.max(), test.people.max())) + 1
    n_practices = int(max(train.practices.max(), test.practices.max())) + 1
    heard, held_out = (
        Interactions.from_rows(
            pairs.people, practices=pairs.practices, n_people=n_people, n_practices=n_practices
        )
        for pairs in (train, test)
    )
    items = ItemWeights.from_matrix(
        ease_weights(gram(heard), regularization=1000),
        practice_ids=np.arange(n_practices),
        people_per_practice=people_per_practice(heard),
    )

    def served(people: Indices) -> Scores:
        return np.array([score(heard.practices_of(person)) for person in people])

    def score(history: Indices) -> Scores:
        return items.score(history, weights=np.ones(len(history), dtype=np.int64))

    quality = evaluate_ranking(served, train=heard, test=held_out, people_limit=500)
    assert float(quality["ndcg@10"]) > 0.95 * float(ease_result["ndcg@10"])


def test_rating_errors_are_surprises(rng: np.random.Generator) -> None:
    frame = Frame(rng.integers(30, size=300), rng.integers(20, size=300), rng.integers(1, 6, 300))
    data = Dataset.load_from_df(frame, Reader(rating_scale=(1, 5)))
    trainset, testset = train_test_split(data, test_size=0.25, random_state=1)

    errors = rating_errors(SVD(random_state=2), trainset=trainset, testset=testset)
    predictions = SVD(random_state=2).fit(trainset).test(testset)
    assert errors == {
        "rmse": accuracy.rmse(predictions, verbose=False),
        "mae": accuracy.mae(predictions, verbose=False),
    }
