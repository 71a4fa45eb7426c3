"""EASE: the weights that least squares would find, as a Surprise algorithm."""

import copy
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surprise import Dataset, Reader, Trainset, accuracy, dump
from surprise.model_selection import GridSearchCV, cross_validate

from recommendations.engine.ease import EASE, ease_weights
from recommendations.engine.gram import gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.trainset import ArrayTrainset
from tests.recommendations.engine.frames import Frame
from tests.recommendations.engine.strategies import dense, interactions


def ratings(rng: np.random.Generator) -> Frame:
    pairs = rng.choice(20 * 12, size=90, replace=False)
    return Frame(pairs // 12, pairs % 12, rng.integers(1, 6, size=90))


def dataset(rng: np.random.Generator) -> Dataset:
    return Dataset.load_from_df(ratings(rng), Reader(rating_scale=(1, 5)))


def trainset(rng: np.random.Generator) -> ArrayTrainset:
    return ArrayTrainset(*ratings(rng).columns)


@settings(deadline=None)
@given(interactions(), st.sampled_from([0.0, 0.2, 0.5]))
def test_weights_solve_the_least_squares_problem_with_a_zero_diagonal(
    heard: Interactions, dropout: float
) -> None:
    regularization = 3.5
    x = dense(heard).astype(np.float64)
    # Ridge regression of each column on the others, solved by a different method (QR/SVD).
    ridge = regularization + dropout / (1 - dropout) * (x**2).sum(axis=0)
    stacked = np.vstack((x, np.diag(np.sqrt(ridge))))
    expected = np.zeros((x.shape[1], x.shape[1]))
    for column in range(x.shape[1]):
        others = np.arange(x.shape[1]) != column
        target = np.concatenate((x[:, column], np.zeros(x.shape[1])))
        expected[others, column] = np.linalg.lstsq(stacked[:, others], target, rcond=None)[0]

    weights = ease_weights(gram(heard), regularization=regularization, dropout=dropout)
    np.testing.assert_allclose(weights, expected, rtol=1e-6, atol=1e-8)
    assert not weights.diagonal().any()


@pytest.mark.parametrize("regularization", [0.0, -1.0, float("nan"), float("inf")])
def test_a_regularization_that_is_no_positive_number_is_refused(regularization: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        ease_weights(np.eye(2, dtype=np.int64), regularization=regularization)


@pytest.mark.parametrize("dropout", [-0.1, 1.0, 1.5, float("nan")])
def test_a_dropout_that_is_no_share_is_refused(dropout: float) -> None:
    with pytest.raises(ValueError, match="from 0 to below 1"):
        ease_weights(np.eye(2, dtype=np.int64), regularization=1.0, dropout=dropout)


def test_a_matrix_that_cannot_be_inverted_is_refused() -> None:
    indefinite = np.array([[0, 9], [9, 0]], dtype=np.int64)

    with pytest.raises(ValueError, match="use a larger regularization"):
        ease_weights(indefinite, regularization=1.0)


def test_an_empty_catalog_has_empty_weights() -> None:
    assert ease_weights(np.zeros((0, 0), dtype=np.int64), regularization=1.0).shape == (0, 0)


def test_fit_returns_the_algorithm(rng: np.random.Generator) -> None:
    algorithm = EASE(regularization=2)

    assert algorithm.fit(trainset(rng)) is algorithm


def test_the_score_is_the_sum_of_weights_over_the_history(rng: np.random.Generator) -> None:
    known = trainset(rng)
    algorithm = EASE(regularization=2).fit(known)
    x = np.zeros((known.n_users, known.n_items))
    for user, item, _ in known.all_ratings():
        x[user, item] = 1

    expected = x @ ease_weights((x.T @ x).astype(np.int64), regularization=2)
    everybody = np.arange(known.n_users)
    np.testing.assert_allclose(algorithm.score_block(everybody), expected, atol=1e-12)
    for user, item in [(0, 0), (3, 5), (known.n_users - 1, known.n_items - 1)]:
        prediction = algorithm.predict(known.to_raw_uid(user), known.to_raw_iid(item))
        assert prediction.est == pytest.approx(expected[user, item], abs=1e-12)
        assert prediction.details == {"was_impossible": False}


def test_scores_are_not_clipped_unless_asked(rng: np.random.Generator) -> None:
    known = trainset(rng)
    algorithm = EASE(regularization=2).fit(known)
    user, item = known.to_raw_uid(0), known.to_raw_iid(0)

    assert algorithm.predict(user, item).est < 1
    assert algorithm.predict(user, item, clip=True).est == 1


def test_an_unknown_person_or_practice_scores_zero(rng: np.random.Generator) -> None:
    known = trainset(rng)
    algorithm = EASE(regularization=2).fit(known)

    for user, item in [(999, known.to_raw_iid(0)), (known.to_raw_uid(0), 999)]:
        prediction = algorithm.predict(user, item)
        assert prediction.est == 0.0
        assert prediction.details["was_impossible"]


def test_surprises_own_trainset_gives_the_same_model(rng: np.random.Generator) -> None:
    frame = ratings(rng)
    theirs: Trainset = Dataset.load_from_df(frame, Reader()).build_full_trainset()
    ours = ArrayTrainset(*frame.columns)

    one, other = EASE(regularization=2).fit(theirs), EASE(regularization=2).fit(ours)
    assert np.array_equal(one.item_weights, other.item_weights)
    testset = theirs.build_testset()
    assert one.test(testset) == other.test(testset)


def test_a_pair_rated_twice_counts_once() -> None:
    twice = EASE(regularization=2).fit(ArrayTrainset([1, 1, 1], [5, 5, 6], [3, 4, 5]))
    once = EASE(regularization=2).fit(ArrayTrainset([1, 1], [5, 6], [3, 5]))

    assert np.array_equal(twice.item_weights, once.item_weights)


def test_it_takes_part_in_cross_validation(rng: np.random.Generator) -> None:
    result = cross_validate(EASE(regularization=2), dataset(rng), measures=["rmse"], cv=3)

    assert len(result["test_rmse"]) == 3
    assert np.isfinite(result["test_rmse"]).all()


def test_surprises_measures_of_accuracy_take_its_predictions(rng: np.random.Generator) -> None:
    known = trainset(rng)
    predictions = EASE(regularization=2).fit(known).test(known.build_testset())
    errors = np.array([prediction.est - prediction.r_ui for prediction in predictions])

    assert accuracy.rmse(predictions, verbose=False) == pytest.approx(np.sqrt((errors**2).mean()))
    assert accuracy.mse(predictions, verbose=False) == pytest.approx((errors**2).mean())
    assert accuracy.mae(predictions, verbose=False) == pytest.approx(np.abs(errors).mean())
    assert 0 <= accuracy.fcp(predictions, verbose=False) <= 1


def test_it_takes_part_in_a_grid_search(rng: np.random.Generator) -> None:
    grid = {"regularization": [1.0, 50.0]}
    search = GridSearchCV(EASE, grid, measures=["rmse"], cv=3, refit=True)
    search.fit(dataset(rng))

    assert search.best_params["rmse"]["regularization"] in grid["regularization"]
    assert search.best_estimator["rmse"].regularization in grid["regularization"]


def test_a_dump_is_refused_and_says_what_to_do(rng: np.random.Generator, tmp_path: Path) -> None:
    algorithm = EASE(regularization=2).fit(trainset(rng))

    with pytest.raises(TypeError, match="holds people's data") as refusal:
        dump.dump(str(tmp_path / "dump"), algo=algorithm)
    assert "write_model" in str(refusal.value)
    assert b"ArrayTrainset" not in (tmp_path / "dump").read_bytes()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_predicts_the_same(duplicate: object, rng: np.random.Generator) -> None:
    assert callable(duplicate)
    known = trainset(rng)
    algorithm = EASE(regularization=2).fit(known)
    twin = duplicate(algorithm)

    assert twin is not algorithm
    assert twin.test(known.build_testset()) == algorithm.test(known.build_testset())
