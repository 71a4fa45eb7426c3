"""What is measured of a candidate: on whom, and when it is held back."""

from uuid import UUID

import numpy as np
import pytest
from django.utils import timezone

from privacy_center.actions.consent import decide
from privacy_center.models import Method
from privacy_center.purposes import Purpose
from recommendations.engine.gram import gram
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.ranking import ItemWeights
from recommendations.models import Listen, Practice
from recommendations.quality import (
    candidate_quality,
    has_forgotten,
    is_clearly_worse,
    membership_quality,
    rating_quality,
)
from recommendations.selectors.quality import Sample, quality_sample
from recommendations.selectors.training_data import Ratings, catalog
from tests.recommendations.sharing import contribute, share

REGULARIZATION = 20.0


def _sample(*, rare: tuple[int, ...] = (), at_most: int = 1000) -> Sample:
    about = catalog()
    return quality_sample(
        about.practice_ids,
        context_ids=about.context_ids,
        is_rare=np.isin(about.column_ids, rare),
        at_most=at_most,
    )


@pytest.fixture
def sharers(catalog: list[Practice]) -> list[UUID]:
    """120 people with six of the eight practices of one of four groups each, and one return."""
    rng = np.random.default_rng(0)
    histories = []
    for person in range(120):
        own = rng.permutation(8)[:6] + 8 * (person % 4)
        histories.append([catalog[place] for place in (*own, own[3])])
    subject_ids = share(histories)
    contribute(subject_ids)
    return subject_ids


def _model(sample: Sample) -> tuple[ItemInverse, ItemWeights]:
    about = catalog()
    inverse = ItemInverse.of(gram(sample.vectors), regularization=REGULARIZATION)
    items = ItemWeights.from_matrix(
        inverse.item_weights(),
        practice_ids=about.practice_ids,
        people_per_practice=np.zeros(len(about.practice_ids), dtype=np.int64),
        context_ids=about.context_ids,
    )
    return inverse, items


def test_the_sample_has_each_persons_vector_and_listens_in_order(
    sharers: list[UUID], catalog: list[Practice]
) -> None:
    sample = _sample()
    assert sample.vectors.n_people == sample.listens.n_people == 120
    ids = sorted(practice.pk for practice in catalog)
    for person, subject_id in enumerate(sorted(sharers)):
        rows = Listen.objects.filter(subject_id=subject_id).order_by("started_at")
        heard = list(rows.values_list("practice_id", flat=True))
        listens = sample.listens.practices[sample.listens.people == person]
        assert [ids[column] for column in listens] == heard
        assert {ids[column] for column in sample.vectors.practices_of(person)} == set(heard)


def test_the_sample_is_the_same_every_time_and_no_larger_than_asked(sharers: list[UUID]) -> None:
    first, second = _sample(at_most=30), _sample(at_most=30)
    assert first.vectors.n_people == 30
    np.testing.assert_array_equal(first.vectors.practices, second.vectors.practices)
    np.testing.assert_array_equal(first.vectors.practices, _sample().vectors.practices[:180])


@pytest.mark.parametrize("purpose", [Purpose.LISTENING_TRAIN, Purpose.LISTENING_STORE])
def test_law_2_nobody_is_measured_on_who_has_withdrawn(
    purpose: Purpose, sharers: list[UUID]
) -> None:
    before = _sample()
    gone = sorted(sharers)[0]
    if purpose == Purpose.LISTENING_STORE:
        # Nothing may be left when storing ends; the vector still is, until the trainer runs.
        Listen.objects.filter(subject_id=gone).delete()
    decide(gone, {purpose: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    after = _sample()
    assert after.vectors.n_people == before.vectors.n_people - 1
    np.testing.assert_array_equal(after.vectors.practices, before.vectors.practices[6:])


def test_a_listen_that_is_left_out_of_taste_or_was_short_is_not_measured_on(
    sharers: list[UUID],
) -> None:
    first = Listen.objects.filter(subject_id=sorted(sharers)[0]).order_by("started_at")
    Listen.objects.filter(pk=first[0].pk).update(is_excluded=True)
    Listen.objects.filter(pk=first[1].pk).update(completion=0.2)
    listens = _sample().listens
    assert (listens.people == 0).sum() == first.count() - 2


def test_columns_that_few_people_carry_are_left_out_of_vectors(
    sharers: list[UUID], catalog: list[Practice]
) -> None:
    rare = sorted(practice.pk for practice in catalog)[0]
    column = 0
    assert (_sample().vectors.practices == column).any()
    sample = _sample(rare=(rare,))
    assert not (sample.vectors.practices == column).any()
    assert (sample.listens.practices == column).any()


def test_a_candidate_is_judged_on_what_was_new_last_and_on_returns(sharers: list[UUID]) -> None:
    sample = _sample()
    inverse, items = _model(sample)
    metrics = candidate_quality(inverse.matrix, items=items, sample=sample)
    assert metrics["people_ranked"] == 120
    # Three practices of the group are left to choose from, so the order is never far off.
    assert metrics["ndcg@10"] > 0.5
    assert metrics["recall@20"] == metrics["recall@20_high"] == 1.0
    assert metrics["ndcg@10_low"] < metrics["ndcg@10"] < metrics["ndcg@10_high"]
    assert 0 < metrics["coverage@12"] <= 1
    # Everybody returned to the third last of six.
    assert metrics["again@12"] == 1.0


def test_a_candidate_with_shuffled_weights_is_held_back(sharers: list[UUID]) -> None:
    sample = _sample()
    inverse, items = _model(sample)
    good = candidate_quality(inverse.matrix, items=items, sample=sample)
    size = len(items.practice_ids)
    order = np.random.default_rng(1).permutation(size).astype(np.int32)
    shuffled = ItemWeights(
        items.practice_ids,
        order[items.neighbors],
        items.weights,
        items.people_per_practice,
        items.context_ids,
    )
    bad = candidate_quality(inverse.matrix, items=shuffled, sample=sample)
    assert is_clearly_worse(bad, than=good)
    assert not is_clearly_worse(good, than=bad)
    assert not is_clearly_worse(good, than=good)


def test_figures_of_too_few_people_are_left_out_and_hold_nothing_back(
    sharers: list[UUID],
) -> None:
    sample = _sample(at_most=19)
    inverse, items = _model(sample)
    assert candidate_quality(inverse.matrix, items=items, sample=sample) == {}
    assert (
        membership_quality(
            gram(sample.vectors), vectors=sample.vectors, regularization=20.0, items=items
        )
        == {}
    )
    few = {"ndcg@10": 0.1, "ndcg@10_low": 0.0, "ndcg@10_high": 0.2, "people_ranked": 99}
    many = {"ndcg@10": 0.9, "ndcg@10_low": 0.8, "ndcg@10_high": 1.0, "people_ranked": 100}
    assert not is_clearly_worse(few, than=many)
    assert not is_clearly_worse({}, than=many)
    assert is_clearly_worse(few | {"people_ranked": 100}, than=many)


def test_the_audit_says_whether_the_forgotten_are_forgotten(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    sample = _sample()
    _inverse, items = _model(sample)
    matrix = gram(sample.vectors)
    figures = membership_quality(
        matrix, vectors=sample.vectors, regularization=REGULARIZATION, items=items
    )
    assert has_forgotten(figures)
    assert figures["people_audited"] == 60
    assert figures["auc_members_informed_low"] > 0.5

    learn = ItemInverse.update
    monkeypatch.setattr(
        ItemInverse,
        "update",
        lambda inverse, columns, weights, *, sign: (
            learn(inverse, columns, weights, sign=1) if sign == 1 else None
        ),
    )
    leaking = membership_quality(
        matrix, vectors=sample.vectors, regularization=REGULARIZATION, items=items
    )
    assert not has_forgotten(leaking)
    assert has_forgotten({})


def test_rating_predictors_are_measured_when_there_is_something_to_predict() -> None:
    rng = np.random.default_rng(2)
    people, practices = np.divmod(rng.permutation(40 * 30)[:600], 30)
    values = rng.integers(1, 6, size=600).astype(np.float64)
    ratings = Ratings(people.astype(np.int32), practices.astype(np.int32), values)
    assert set(rating_quality(ratings)) == {"rmse_svd", "rmse_knn_baseline"}
    assert rating_quality(Ratings(ratings.people[:99], ratings.practices[:99], values[:99])) == {}
