"""The membership audit: exact forgetting passes, whoever was drawn, and every leak is found."""

from collections.abc import Callable
from typing import Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu, norm

from recommendations.engine.dtypes import Indices, Integers, Scores
from recommendations.engine.gram import gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.membership import (
    MembershipFigures,
    attack,
    auc_with_interval,
    membership_audit,
)
from recommendations.engine.ranking import ItemWeights

N_PRACTICES = 58
N_COLUMNS = 60  # two contexts behind the practices

Update = Callable[..., None]
Sign = Literal[1, -1]


def _people(seed: int, *, count: int = 400) -> Interactions:
    """People who mostly hear the practices of one of six clusters, with weights 1 to 3."""
    rng = np.random.default_rng(seed)
    is_own = rng.integers(6, size=(count, 1)) == rng.integers(6, size=N_COLUMNS)
    is_heard = rng.random((count, N_COLUMNS)) < np.where(is_own, 0.5, 0.06)
    people, columns = np.nonzero(is_heard)
    return Interactions.from_rows(
        people,
        practices=columns,
        weights=rng.integers(1, 4, size=len(people)),
        n_people=count,
        n_practices=N_COLUMNS,
    )


def _audit(vectors: Interactions, *, regularization: float, seed: int = 0) -> MembershipFigures:
    figures = membership_audit(
        gram(vectors),
        vectors,
        regularization=regularization,
        n_practices=N_PRACTICES,
        seed=seed,
    )
    assert figures is not None
    return figures


@pytest.mark.parametrize("regularization", [0.1, 20.0, 300.0])
@pytest.mark.parametrize("seed", range(5))
def test_nobody_can_tell_the_forgotten_from_those_who_were_never_in(
    regularization: float, seed: int
) -> None:
    figures = _audit(_people(seed), regularization=regularization, seed=seed)
    assert figures.has_forgotten
    assert figures.forgotten.value == pytest.approx(0.5)
    assert figures.forgotten_informed.value == pytest.approx(0.5)
    assert figures.people == 100


def test_members_can_be_told_and_more_easily_by_who_knows_more() -> None:
    figures = _audit(_people(1), regularization=20.0)
    assert figures.members.low > 0.5
    assert figures.members_informed.low > figures.members.high


def _skipped(real: Update) -> Update:
    """Whoever leaves stays in."""

    def update(inverse: ItemInverse, columns: Indices, weights: Integers, *, sign: Sign) -> None:
        if sign == 1:
            real(inverse, columns, weights, sign=sign)

    return update


def _all_but_one(real: Update) -> Update:
    """Of whoever leaves, one practice stays."""

    def update(inverse: ItemInverse, columns: Indices, weights: Integers, *, sign: Sign) -> None:
        left = slice(1, None) if sign == -1 else slice(None)
        real(inverse, columns[left], weights[left], sign=sign)

    return update


@pytest.mark.parametrize("leak", [_skipped, _all_but_one])
@pytest.mark.parametrize("regularization", [20.0, 300.0])
def test_who_is_not_really_forgotten_is_found(
    leak: Callable[[Update], Update], regularization: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ItemInverse, "update", leak(ItemInverse.update))
    figures = _audit(_people(2), regularization=regularization)
    assert not figures.has_forgotten
    assert figures.forgotten_informed.low > 0.5


def test_a_model_of_few_people_gives_the_forgotten_away_even_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ItemInverse, "update", _skipped(ItemInverse.update))
    figures = _audit(_people(3, count=90), regularization=0.1)
    assert figures.forgotten.low > 0.5


def test_the_audit_leaves_the_matrix_as_it_was() -> None:
    vectors = _people(4)
    served = gram(vectors)
    membership_audit(served, vectors, regularization=1.0, n_practices=N_PRACTICES)
    np.testing.assert_array_equal(served, gram(vectors))


def test_the_audit_says_the_same_every_time() -> None:
    assert _audit(_people(5), regularization=20.0) == _audit(_people(5), regularization=20.0)


def test_too_few_people_are_not_audited() -> None:
    vectors = _people(6, count=70)
    assert membership_audit(gram(vectors), vectors, regularization=20.0, n_practices=58) is None


@settings(deadline=None)
@given(st.integers(0, 10_000))
def test_the_attack_alone_is_the_mean_share_of_the_catalog_ranked_below(seed: int) -> None:
    vectors, items, other = _people(seed, count=5), _items(seed), _items(seed + 1)
    ranks, gains = attack(items, vectors), attack(items, vectors, reference=other)
    for person in range(5):
        own = [column for column in vectors.practices_of(person) if column < N_PRACTICES]
        if not own:
            assert (ranks[person], gains[person]) == (0.0, 0.0)
            continue
        known = _scores(items, vectors, person)
        below = [(known < known[column]).mean() for column in own]
        assert ranks[person] == pytest.approx(np.mean(below))
        gained = (known - _scores(other, vectors, person))[own]
        assert gains[person] == pytest.approx(gained.mean(), abs=1e-6)


def _items(seed: int) -> ItemWeights:
    weights = np.random.default_rng(seed).normal(size=(N_COLUMNS, N_COLUMNS))
    np.fill_diagonal(weights, 0.0)
    return ItemWeights.from_matrix(
        weights,
        practice_ids=np.arange(N_PRACTICES),
        people_per_practice=np.zeros(N_PRACTICES, dtype=np.int64),
        context_ids=np.array([-2, -1]),
    )


def _scores(items: ItemWeights, vectors: Interactions, person: int) -> Scores:
    rows = slice(vectors.offsets[person], vectors.offsets[person + 1])
    return items.score(vectors.practices[rows], weights=vectors.weights[rows])


def test_the_area_is_that_of_mann_and_whitney(rng: np.random.Generator) -> None:
    inside, outside = rng.integers(0, 9, size=80) / 2, rng.integers(0, 8, size=60) / 2
    statistic = mannwhitneyu(inside, outside).statistic
    assert auc_with_interval(inside, outside).value == pytest.approx(statistic / (80 * 60))


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5])
def test_the_interval_of_the_area_holds_the_truth_about_95_times_in_100(
    shift: float, rng: np.random.Generator
) -> None:
    truth = float(norm.cdf(shift / np.sqrt(2)))
    held = [
        truth in auc_with_interval(rng.normal(shift, size=100), rng.normal(size=100))
        for _ in range(1000)
    ]
    assert 0.92 < np.mean(held) < 0.98


def test_an_area_needs_two_people_a_side() -> None:
    with pytest.raises(ValueError, match="at least two"):
        auc_with_interval(np.array([1.0]), np.array([0.0, 1.0]))
