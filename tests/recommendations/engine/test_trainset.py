"""The array Trainset is Surprise's own to the last bit, in a fraction of the memory."""

import copy
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from surprise import (
    NMF,
    SVD,
    AlgoBase,
    BaselineOnly,
    CoClustering,
    Dataset,
    KNNBaseline,
    KNNBasic,
    KNNWithMeans,
    KNNWithZScore,
    Reader,
    SlopeOne,
    SVDpp,
    Trainset,
    dump,
)

from recommendations.engine.trainset import ArrayTrainset, RawId, rating_columns
from tests.recommendations.engine.frames import Frame

ALGORITHMS: dict[str, Callable[[], AlgoBase]] = {
    "SVD": lambda: SVD(n_factors=8, n_epochs=4, random_state=3),
    "SVD without biases": lambda: SVD(n_factors=8, n_epochs=4, biased=False, random_state=3),
    "SVDpp": lambda: SVDpp(n_factors=4, n_epochs=2, random_state=3),
    "SVDpp from cached ratings": lambda: SVDpp(
        n_factors=4, n_epochs=2, random_state=3, cache_ratings=True
    ),
    "NMF": lambda: NMF(n_factors=4, n_epochs=3, random_state=3),
    "KNNBaseline": lambda: KNNBaseline(verbose=False),
    "KNNBaseline of items": lambda: KNNBaseline(
        sim_options={"name": "pearson_baseline", "user_based": False}, verbose=False
    ),
    "KNNBasic": lambda: KNNBasic(sim_options={"name": "cosine"}, verbose=False),
    "KNNWithMeans": lambda: KNNWithMeans(sim_options={"user_based": False}, verbose=False),
    "KNNWithZScore": lambda: KNNWithZScore(sim_options={"name": "pearson"}, verbose=False),
    "BaselineOnly by ALS": lambda: BaselineOnly(verbose=False),
    "BaselineOnly by SGD": lambda: BaselineOnly(bsl_options={"method": "sgd"}, verbose=False),
    "SlopeOne": lambda: SlopeOne(),
    "CoClustering": lambda: CoClustering(n_epochs=3, random_state=3),
}


def surprises(frame: Frame) -> Trainset:
    return Dataset.load_from_df(frame, Reader(rating_scale=(1, 5))).build_full_trainset()


def random_frame(rng: np.random.Generator, *, names: bool) -> Frame:
    """Ratings in no order; half stars, so that sums round."""
    pairs = rng.choice(60 * 40, size=900, replace=False)
    users, items = pairs // 40 * 7 - 50, pairs % 40 * 3 + 1000
    ratings = rng.integers(2, 11, size=900) / 2 + 0.1
    if names:
        return Frame([f"u{user}" for user in users], [f"é{item}" for item in items], ratings)
    return Frame(users, items, ratings)


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    number = st.one_of(st.integers(-3, 3), st.sampled_from([10**15, -(10**15)]))
    raw_id = draw(st.sampled_from([number, st.text(alphabet="ab ", min_size=1, max_size=3)]))
    rating = draw(
        st.sampled_from([st.integers(1, 5), st.floats(-1e300, 1e300), st.sampled_from([0.5, 3.3])])
    )
    rows = draw(st.lists(st.tuples(raw_id, raw_id, rating), min_size=1, max_size=25))
    users, items, ratings = zip(*rows, strict=True)
    return Frame(list(users), list(items), list(ratings))


@given(frames())
def test_everything_public_is_as_surprise_has_it(frame: Frame) -> None:
    theirs, ours = surprises(frame), ArrayTrainset(*frame.columns)

    assert (ours.n_users, ours.n_items, ours.n_ratings) == (
        theirs.n_users,
        theirs.n_items,
        theirs.n_ratings,
    )
    assert ours.rating_scale == theirs.rating_scale
    assert list(ours.all_ratings()) == list(theirs.all_ratings())
    assert list(ours.ur.items()) == list(theirs.ur.items())
    assert list(ours.ir.items()) == sorted(theirs.ir.items())
    assert list(ours.all_users()) == list(theirs.all_users())
    assert list(ours.all_items()) == list(theirs.all_items())
    assert ours.global_mean == theirs.global_mean
    assert ours.build_testset() == theirs.build_testset()
    assert ours.build_anti_testset(fill=2) == theirs.build_anti_testset(fill=2)
    for user in theirs.all_users():
        raw = theirs.to_raw_uid(user)
        assert ours.to_raw_uid(user) == raw
        assert type(ours.to_raw_uid(user)) is type(raw)
        assert ours.to_inner_uid(raw) == user
    for item in theirs.all_items():
        assert ours.to_inner_iid(theirs.to_raw_iid(item)) == item


@pytest.mark.parametrize("names", [False, True], ids=["numbers", "names"])
@pytest.mark.parametrize("name", ALGORITHMS)
def test_surprises_algorithms_predict_the_same_to_the_last_bit(
    name: str, names: bool, rng: np.random.Generator
) -> None:
    frame = random_frame(rng, names=names)
    testset = [*surprises(frame).build_anti_testset()[::7], ("nobody", "nothing", 3.0)]

    theirs = ALGORITHMS[name]().fit(surprises(frame)).test(testset)
    ours = ALGORITHMS[name]().fit(ArrayTrainset(*frame.columns)).test(testset)
    assert ours == theirs


@settings(max_examples=25)
@given(frames())
def test_svd_is_the_same_on_any_ratings(frame: Frame) -> None:
    theirs = SVD(n_factors=3, n_epochs=2, random_state=1).fit(surprises(frame))
    ours = SVD(n_factors=3, n_epochs=2, random_state=1).fit(ArrayTrainset(*frame.columns))

    assert theirs.pu.tobytes() == ours.pu.tobytes()
    assert theirs.qi.tobytes() == ours.qi.tobytes()


def test_rating_columns_are_all_ratings(rng: np.random.Generator) -> None:
    frame = random_frame(rng, names=False)

    theirs = rating_columns(surprises(frame))
    ours = rating_columns(ArrayTrainset(*frame.columns))
    for one, other in zip(theirs, ours, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("raw_id", [3, "a", "nobody", None, 1.0])
def test_an_unknown_raw_id_is_a_value_error(raw_id: RawId) -> None:
    trainset = ArrayTrainset(["a", "b"], [1, 2], [1, 2])

    if raw_id != "a":
        with pytest.raises(ValueError, match="is not part of the trainset"):
            trainset.to_inner_uid(raw_id)
    with pytest.raises(ValueError, match="is not part of the trainset"):
        ArrayTrainset([1, 2], [1, 2], [1, 2]).to_inner_uid(raw_id)


@pytest.mark.parametrize("inner_id", [-1, 2, "UKN__x"])
def test_an_inner_id_that_does_not_exist_is_unknown(inner_id: int) -> None:
    trainset = ArrayTrainset(["a", "b"], [1, 2], [1, 2])

    assert not trainset.knows_user(inner_id)
    assert not trainset.knows_item(inner_id)
    assert trainset.ur[inner_id] == []
    with pytest.raises(ValueError, match="is not a valid inner id"):
        trainset.to_raw_uid(inner_id)


def test_ratings_that_no_small_type_holds_come_back_unchanged() -> None:
    ratings = [0.1, 1e300, 3.0, 2.0**-1074]
    trainset = ArrayTrainset([1, 1, 1, 1], [1, 2, 3, 4], ratings)

    assert [rating for _, _, rating in trainset.all_ratings()] == ratings


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="same length"):
        ArrayTrainset([1, 2], [1, 2], [1])


@pytest.mark.parametrize("users", [[1.5, 2.5], [[1, 2]], [None, "a"]])
def test_raw_ids_are_integers_or_strings(users: list[object]) -> None:
    with pytest.raises(ValueError, match="integers or strings"):
        ArrayTrainset(np.array(users), [1, 2], [1, 2])


def test_more_people_than_sixteen_bits_hold_keep_their_order() -> None:
    users = np.arange(70_000)[::-1]
    trainset = ArrayTrainset(users, users % 3, np.ones(70_000))

    assert trainset.to_inner_uid(0) == 69_999
    assert trainset.ur[69_999] == [(trainset.to_inner_iid(0), 1.0)]
    assert [user for user, _, _ in trainset.all_ratings()] == list(range(70_000))


def test_a_rating_costs_seven_bytes_at_most() -> None:
    rng = np.random.default_rng(5)
    users, items = rng.integers(500, size=200_000), rng.integers(300, size=200_000)
    ratings = rng.integers(1, 6, size=200_000)

    tracemalloc.start()
    trainset = ArrayTrainset(users, items, ratings)
    both_sides = trainset.ur[0], trainset.ir[0]
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert all(both_sides)
    assert kept < 7 * 200_000


def test_an_algorithm_fitted_on_it_cannot_be_dumped(tmp_path: Path) -> None:
    algorithm = SVD(n_factors=2, n_epochs=1).fit(ArrayTrainset(["secret"], ["b"], [1]))

    with pytest.raises(TypeError, match="never pickled"):
        dump.dump(str(tmp_path / "dump"), algo=algorithm)
    assert b"secret" not in (tmp_path / "dump").read_bytes()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_has_the_same_ratings(
    duplicate: Callable[[ArrayTrainset], ArrayTrainset], rng: np.random.Generator
) -> None:
    trainset = ArrayTrainset(*random_frame(rng, names=True).columns)

    assert list(duplicate(trainset).all_ratings()) == list(trainset.all_ratings())
