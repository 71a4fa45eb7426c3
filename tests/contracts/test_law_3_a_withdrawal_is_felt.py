"""Law 3: a withdrawal holds at once for the person, and within 60 s for every model and file."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from pytest_django import Settings

from privacy_center.actions.consent import decide
from privacy_center.interface import Purpose
from privacy_center.models import Account, Method
from recommendations.engine.release import read_model
from recommendations.models import Practice, Release, VectorChange
from recommendations.selectors.release import current_model
from recommendations.selectors.shelves import Shelf, shelves
from recommendations.tasks.training import reconcile
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen, person_of, wait_for, worker
from tests.recommendations.broker import lose_messages
from tests.recommendations.from_scratch import digest_from_scratch

State = Release.State


def _active() -> Release:
    return Release.objects.get(state=State.ACTIVE)


def _shelves(account: Account) -> Sequence[Shelf]:
    return shelves(person_of(account), now=timezone.now(), intention=None, utc_offset_minutes=0)


@pytest.mark.django_db(transaction=True)
def test_a_release_that_a_withdrawal_waits_for_is_served_for_15_minutes_and_no_longer(
    alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    train(clock=timezone.now)
    choose(alice, "just-listening")
    (asked,) = VectorChange.objects.filter(kind=VectorChange.Kind.FORGET)
    limit = asked.created_at + timedelta(minutes=15)
    assert current_model(limit) is not None
    assert current_model(limit + timedelta(microseconds=1)) is None
    train(clock=timezone.now)
    assert current_model(limit + timedelta(hours=1)) is not None


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", ["just-listening", "personalize off"])
def test_personal_shelves_end_with_the_next_page(
    way: str, alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    train(clock=timezone.now)
    assert any(shelf.is_personal for shelf in _shelves(alice))
    if way == "just-listening":
        choose(alice, "just-listening")
    else:
        wishes = {Purpose.LISTENING_PERSONALIZE: False}
        decide(alice.subject.id, wishes, method=Method.PRIVACY_PAGE, at=NOW)
    shown = _shelves(alice)
    assert {shelf.key for shelf in shown if shelf.is_personal} <= {"again"}
    assert not any("you listened" in shelf.title.lower() for shelf in shown)


def _planted(catalog: list[Practice]) -> Practice:
    """A practice that nobody but alice ever heard."""
    return catalog[-1]


def _weights_of(practice: Practice) -> bytes:
    """What the active release says about a practice, as it stands in the file."""
    release = _active()
    model = read_model(
        Path(django_settings.RELEASE_DIR) / release.file_name, sha256=release.file_digest
    )
    index = int(np.searchsorted(model.items.practice_ids, practice.pk))
    row: bytes = model.items.weights[index].tobytes()
    return row


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_message_lost", [False, True], ids=["message", "message lost"])
def test_within_60_s_a_release_without_the_person_is_out_and_no_file_holds_them(
    is_message_lost: bool,
    alice: Account,
    bob: Account,
    catalog: list[Practice],
    settings: Settings,
) -> None:
    settings.RELEASE_DIR = folder = Path(settings.VAR_DIR) / "releases"
    # So that one person can be seen in the file at all.
    settings.SMALLEST_GROUP = 1
    listen(choose(bob, "community"), *catalog[:6])
    without_alice = digest_from_scratch()
    listen(choose(alice, "community"), *catalog[:4], *[_planted(catalog)] * 3)
    train(clock=timezone.now)
    old, traces = _active(), _weights_of(_planted(catalog))
    assert _traces(folder, traces)
    choose(alice, "just-listening")
    if is_message_lost:
        lose_messages()
        reconcile()
    with worker():
        wait_for(
            lambda: _active().gram_digest == without_alice and not _traces(folder, traces),
            what="a release without her and without a trace of her",
            seconds=60,
        )
    assert not (folder / old.file_name).exists()
    assert [file.name for file in folder.iterdir()] == [_active().file_name]
    assert not VectorChange.objects.filter(kind=VectorChange.Kind.FORGET).exists()


def _traces(folder: Path, traces: bytes) -> list[Path]:
    """The files that hold what only alice's data can have made."""
    found = []
    for file in folder.iterdir():
        try:
            found += [file] if traces in file.read_bytes() else []
        except FileNotFoundError:
            continue
    return found
