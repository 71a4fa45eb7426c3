"""Moods are columns of the Gram matrix: learned by the same mechanism, forgotten as exactly."""

from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from privacy_center.interface import Purpose
from privacy_center.models import Account, AgeBand
from recommendations.actions.mood import delete_check_ins
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import read_model
from recommendations.models import CheckIn, Mood, Practice, Release, VectorChange
from recommendations.trainer import train
from tests.conftest import choose, listen, make_account
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.learned import learned
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, keep_mood, share_mood
from tests.recommendations.suspending import suspend


def _release() -> Release:
    release = train(clock=timezone.now)
    assert release is not None
    return release


def _model(release: Release) -> ItemWeights:
    path = Path(django_settings.RELEASE_DIR) / release.file_name
    return read_model(path, sha256=release.file_digest).items


def _column(mood: Mood) -> dict[int, int]:
    """What the Gram matrix says of a mood: its row, by the ids of the columns."""
    state = learned()
    row = list(state.column_ids).index(mood.context_id)
    return dict(zip(state.column_ids.tolist(), state.gram[row].tolist(), strict=True))


@pytest.mark.parametrize(
    ("valence", "energy", "mood"),
    [
        (-2, 1, Mood.RESTLESS), (-1, 2, Mood.RESTLESS), (-1, 0, Mood.LOW), (-2, -2, Mood.LOW),
        (0, -1, Mood.TIRED), (0, 0, Mood.EVEN), (0, 2, Mood.EVEN), (1, 0, Mood.CALM),
        (2, -2, Mood.CALM), (1, 1, Mood.BRIGHT), (2, 2, Mood.BRIGHT),
    ],
)  # fmt: skip
def test_the_database_gives_every_check_in_its_mood(
    alice: Account, valence: int, energy: int, mood: Mood
) -> None:
    assert feel(share_mood(alice), valence, energy).mood == mood


@pytest.mark.django_db(transaction=True)
def test_a_release_with_moods_is_what_training_from_scratch_gives(
    alice: Account, bob: Account, charlie: Account, catalog: list[Practice]
) -> None:
    for account, preset, uses in (
        (alice, "community", (TRAIN,)),
        (bob, "community", (STORE, PERSONALIZE)),
        (charlie, "just-listening", (TRAIN,)),
    ):
        choose(account, preset)
        person = share_mood(account, *uses)
        if person.can_store:
            listen(person, *catalog[:4])
        for _ in range(5):
            feel(person, -1, 1)
        feel(person, 2, 0)
    release = _release()
    assert release.people == 3
    assert release.gram_digest == digest_from_scratch()
    weights = _column(Mood.RESTLESS)
    # Three at most of one mood: alice and charlie; what alice heard; nothing of bob's moods.
    assert weights[Mood.RESTLESS.context_id] == 9 + 9
    assert weights[Mood.CALM.context_id] == 3 + 3
    assert weights[catalog[0].pk] == 3


@pytest.mark.django_db(transaction=True)
def test_after_a_no_to_mood_training_the_digest_is_that_of_a_database_without_the_check_ins(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:4])
    feel(share_mood(bob, TRAIN), 1, 1)
    without = _release().gram_digest
    feel(share_mood(alice, TRAIN, PERSONALIZE), -1, 1)
    assert _release().gram_digest != without
    keep_mood(alice, TRAIN)
    assert CheckIn.objects.count() == 2
    assert _release().gram_digest == without


@pytest.mark.django_db(transaction=True)
def test_a_deleted_check_in_is_out_of_the_next_release_which_is_urgent(alice: Account) -> None:
    person = share_mood(alice, TRAIN)
    feel(person, 1, 1)
    without = _release().gram_digest
    second = feel(person, -2, -2)
    assert _release().gram_digest != without
    assert delete_check_ins(person, CheckIn.objects.filter(pk=second.pk)) == 1
    assert VectorChange.objects.get().kind == VectorChange.Kind.FORGET
    assert _release().gram_digest == without


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("purpose", [STORE, TRAIN])
def test_while_a_new_notice_waits_for_its_yes_nothing_is_learned_of_moods(
    alice: Account, purpose: Purpose
) -> None:
    without = _release().gram_digest
    feel(share_mood(alice, TRAIN), 1, 1)
    learned = _release().gram_digest
    assert learned != without
    suspend(purpose)
    assert VectorChange.objects.get().kind == VectorChange.Kind.FORGET
    assert _release().gram_digest == without
    share_mood(alice, TRAIN, STORE)
    assert VectorChange.objects.first()
    assert _release().gram_digest == learned == digest_from_scratch()


def test_every_yes_and_no_to_mood_is_noted_for_the_trainer(alice: Account) -> None:
    share_mood(alice, STORE)
    share_mood(alice, PERSONALIZE)
    assert not VectorChange.objects.exists()
    share_mood(alice, TRAIN)
    assert VectorChange.objects.get().kind == VectorChange.Kind.LEARN
    VectorChange.objects.all().delete()
    keep_mood(alice, STORE)
    assert [change.kind for change in VectorChange.objects.all()] == ["forget"]


def _people_who_feel(
    count: int, catalog: list[Practice], *, name: str, valence: int, energy: int
) -> None:
    """So many people who share everything, feel the same and hear the same practices."""
    for number in range(count):
        account = make_account(f"{name}-{number}", band=AgeBand.ADULT)
        listen(choose(account, "community"), *catalog)
        feel(share_mood(account, TRAIN), valence, energy)


@pytest.mark.django_db(transaction=True)
def test_a_mood_speaks_for_what_people_who_felt_so_heard_and_nothing_speaks_for_a_mood(
    catalog: list[Practice], settings: Settings
) -> None:
    settings.SMALLEST_GROUP, settings.EASE_REGULARIZATION = 3, 10.0
    _people_who_feel(4, catalog[:3], name="restless", valence=-1, energy=1)
    _people_who_feel(4, catalog[10:13], name="bright", valence=1, energy=1)
    _people_who_feel(2, catalog[20:23], name="rare", valence=0, energy=-1)
    model = _model(_release())
    ids = [practice.pk for practice in catalog]
    assert model.practice_ids.tolist() == ids
    assert len(model.people_per_practice) == len(ids)
    assert model.neighbors.max() < len(ids)
    row = model.context(Mood.RESTLESS.context_id)
    assert row is not None
    scores = model.score([row], weights=[1])
    assert len(scores) == len(ids)
    best = {ids[i] for i in np.argsort(-scores)[:3]}
    assert best == {practice.pk for practice in catalog[:3]}
    # Fewer people than may be told of, and none at all: nothing was learned.
    assert model.context(Mood.TIRED.context_id) is None
    assert model.context(Mood.LOW.context_id) is None


@pytest.mark.django_db(transaction=True)
def test_the_quality_of_a_release_is_measured_on_practices_alone(
    catalog: list[Practice], settings: Settings
) -> None:
    settings.SMALLEST_GROUP = 3
    _people_who_feel(21, catalog[:8], name="shares", valence=-1, energy=1)
    assert 0 <= _release().metrics["ndcg@10"] <= 1
