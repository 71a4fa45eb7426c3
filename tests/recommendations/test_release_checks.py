"""Candidate, checks, active: what is held back, what that means for the site, and how it ends."""

import logging
from collections.abc import Sequence
from uuid import UUID

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from privacy_center.actions.consent import decide
from privacy_center.interface import Purpose
from privacy_center.models import Account, Method
from recommendations import trainer
from recommendations.actions.training import accept_quality, note_catalog, note_everybody
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse
from recommendations.model_files import release_dir
from recommendations.models import ModelState, Practice, Release, VectorChange
from recommendations.quality import Metrics
from recommendations.selectors.release import current_model
from recommendations.selectors.vector_change import work_due
from recommendations.surprise_items import ALGORITHMS, surprise_item_weights
from recommendations.trainer import REST, train
from tests.conftest import choose, listen
from tests.recommendations.broker import lose_messages, waiting_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.sharing import share

pytestmark = pytest.mark.django_db(transaction=True)

State = Release.State
PEOPLE = 240


@pytest.fixture
def sharers(catalog: list[Practice]) -> list[UUID]:
    """240 people with six of the eight practices of one of four groups each; a release is out."""
    rng = np.random.default_rng(0)
    histories = []
    for person in range(PEOPLE):
        own = rng.permutation(8)[:6] + 8 * (person % 4)
        histories.append([catalog[place] for place in own])
    subject_ids = share(histories)
    note_everybody(VectorChange.Kind.LEARN)
    assert train(clock=timezone.now) is not None
    return subject_ids


def _active() -> Release:
    return Release.objects.get(state=State.ACTIVE)


def _shuffled(self: ItemInverse) -> np.ndarray:
    """Weights that say something of everything, and nothing right."""
    weights = np.random.default_rng(1).permuted(_item_weights(self), axis=1)
    np.fill_diagonal(weights, 0.0)
    return weights


_item_weights = ItemInverse.item_weights


def _leave(subject_id: UUID) -> None:
    decide(
        subject_id, {Purpose.LISTENING_TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now()
    )


def test_a_release_says_how_good_how_diverse_and_how_discreet_it_is(sharers: list[UUID]) -> None:
    metrics = _active().metrics
    assert metrics["ndcg@10_low"] < metrics["ndcg@10"] < metrics["ndcg@10_high"]
    assert metrics["ndcg@10"] > 0.3
    assert 0 < metrics["coverage@12"] <= 1
    assert metrics["people_ranked"] == PEOPLE
    assert metrics["auc_forgotten_low"] <= 0.5 <= metrics["auc_forgotten_high"]
    assert metrics["auc_members_informed"] > 0.5
    assert metrics["lag_seconds"] > 0


def test_a_candidate_that_ranks_clearly_worse_is_held_back_and_the_active_one_stays(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    good = _active()
    note_catalog()
    monkeypatch.setattr(ItemInverse, "item_weights", _shuffled)
    with caplog.at_level(logging.CRITICAL):
        bad = train(clock=timezone.now)
    assert bad is not None
    assert (bad.state, bad.held_because) == (
        State.HELD,
        "It ranks clearly worse than the release before.",
    )
    assert "is held back" in caplog.text
    assert _active() == good
    assert [file.name for file in release_dir().iterdir()] == [good.file_name]
    assert VectorChange.objects.exists(), "what waited goes on waiting"
    assert train(clock=timezone.now) is None, "the next one would be as bad"
    assert train(clock=lambda: timezone.now() + REST) is not None


def test_staff_may_have_the_next_one_published_whatever_its_quality(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    note_catalog()
    monkeypatch.setattr(ItemInverse, "item_weights", _shuffled)
    train(clock=timezone.now)
    lose_messages()
    accept_quality()
    assert waiting_messages() == 1
    accepted = train(clock=timezone.now)
    assert accepted == _active()
    assert not ModelState.objects.get().is_quality_accepted, "it is for one release"


def test_law_3_when_a_forgetting_release_is_held_back_the_active_one_goes_at_once(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave(sharers[0])
    monkeypatch.setattr(ItemInverse, "item_weights", _shuffled)
    bad = train(clock=timezone.now)
    assert bad is not None
    assert (bad.state, bad.is_forgetting) == (State.HELD, True)
    assert not Release.objects.filter(state=State.ACTIVE).exists()
    assert list(release_dir().iterdir()) == []
    assert current_model(timezone.now()) is None
    assert "A good place to begin" in Client().get("/").content.decode()
    monkeypatch.undo()
    good = train(clock=lambda: timezone.now() + REST)
    assert good == _active()
    assert good.gram_digest == digest_from_scratch()
    assert good.is_forgetting


def _shows_the_forgotten(*_: object, **__: object) -> Metrics:
    return {"auc_forgotten": 0.9, "auc_forgotten_low": 0.8, "auc_forgotten_high": 1.0}


def test_a_candidate_in_which_the_forgotten_can_be_told_is_held_back(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = _active()
    note_catalog()
    monkeypatch.setattr(trainer, "membership_quality", _shows_the_forgotten)
    bad = train(clock=timezone.now)
    assert bad is not None
    assert bad.state == State.HELD
    assert "could be told" in bad.held_because
    assert _active() == good


def test_a_forgetting_release_is_attacked_once_it_is_out_and_taken_back_if_that_succeeds(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    _leave(sharers[0])
    first = train(clock=timezone.now)
    assert first is not None
    assert first.state == State.ACTIVE
    assert Release.objects.get(pk=first.pk).metrics["auc_forgotten"] == pytest.approx(0.5, abs=0.1)
    _leave(sharers[1])
    monkeypatch.setattr(trainer, "membership_quality", _shows_the_forgotten)
    train(clock=timezone.now)
    taken_back = Release.objects.first()
    assert taken_back is not None
    assert (taken_back.state, taken_back.published_at is not None) == (State.HELD, True)
    assert list(release_dir().iterdir()) == []
    assert current_model(timezone.now()) is None


def test_a_digest_that_is_not_that_of_the_state_holds_the_release_back(
    sharers: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    note_catalog()
    original = trainer._fit

    def damaged(*args: object) -> trainer.Candidate:
        candidate = original(*args)  # type: ignore[arg-type]
        ModelState.objects.update(gram_digest="0" * 64)
        return candidate

    monkeypatch.setattr(trainer, "_fit", damaged)
    bad = train(clock=timezone.now)
    assert bad is not None
    assert (bad.state, "digest" in bad.held_because) == (State.HELD, True)


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_an_algorithm_that_cannot_forget_is_replaced_by_ease_until_it_is_trained_again(
    algorithm: str, alice: Account, bob: Account, catalog: list[Practice], settings: Settings
) -> None:
    settings.RECOMMENDER, settings.SMALLEST_GROUP = algorithm, 1
    listen(choose(bob, "community"), *catalog[:6], *catalog[2:4] * 2)
    listen(choose(alice, "community"), *catalog[:4], *[catalog[-1]] * 3)
    knew = train(clock=timezone.now)
    assert knew is not None
    assert (knew.algorithm, knew.state) == (algorithm, State.ACTIVE)
    with_alice = current_model(timezone.now())
    assert with_alice is not None
    assert with_alice.weights[len(catalog) - 1].any()
    choose(alice, "just-listening")
    between = train(clock=timezone.now)
    assert between is not None
    assert between.algorithm == "ease"
    assert [file.name for file in release_dir().iterdir()] == [between.file_name]
    due = work_due(timezone.now())
    assert due is not None
    assert not due.is_urgent
    again = train(clock=timezone.now, if_needed=True)
    assert again is not None
    assert (again.algorithm, again.state) == (algorithm, State.ACTIVE)
    without_alice = current_model(timezone.now())
    assert without_alice is not None
    assert not without_alice.weights[len(catalog) - 1].any()
    assert work_due(timezone.now()) is None


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_what_surprise_learns_is_symmetric_and_nothing_is_said_of_what_nobody_heard(
    algorithm: str,
) -> None:
    rng = np.random.default_rng(2)
    rows = [(person, item) for person in range(30) for item in rng.choice(9, 4, replace=False)]
    vectors = Interactions.from_rows(
        [person for person, _item in rows],
        practices=[item for _person, item in rows],
        weights=rng.integers(1, 4, size=len(rows)),
        n_people=30,
        n_practices=10,
    )
    weights = surprise_item_weights(algorithm, vectors)
    assert weights.shape == (10, 10)
    np.testing.assert_allclose(weights, weights.T, atol=1e-12)
    assert not weights.diagonal().any()
    assert not weights[9].any()
    assert weights[:9, :9].any()


def test_without_anybody_surprise_says_nothing() -> None:
    nobody: Sequence[int] = []
    empty = Interactions.from_rows(nobody, practices=nobody, n_people=0, n_practices=3)
    assert not surprise_item_weights("svd", empty).any()
