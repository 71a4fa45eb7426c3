"""A trainer without memory, without time, or woken again while it is at work."""

import logging
import os
import signal
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from privacy_center.models import Account
from recommendations.models import Practice, Release, VectorChange
from recommendations.selectors.release import watch
from recommendations.selectors.vector_change import is_left_undone
from recommendations.tasks.training import reconcile, train_model, wake_trainer
from recommendations.trainer import train
from recommendations.turn import TRAINER_LOCK, WEDGED_AFTER
from tests.conftest import choose, listen, wait_for
from tests.contracts.apart import apart
from tests.recommendations.broker import lose_messages, waiting_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.stopping import WORKER, stopping

pytestmark = pytest.mark.django_db(transaction=True)

State = Release.State


@pytest.fixture(autouse=True)
def _no_messages() -> None:
    lose_messages()


@pytest.fixture
def shared(alice: Account, bob: Account, catalog: list[Practice]) -> tuple[Account, Account]:
    """Alice and bob share, and a release has learned from both; then alice leaves."""
    listen(choose(alice, "community"), *catalog[:5])
    listen(choose(bob, "community"), *catalog[3:9])
    train(clock=timezone.now)
    choose(alice, "just-listening")
    return alice, bob


def _states() -> list[str]:
    """The states of all runs, oldest first."""
    return list(Release.objects.order_by("started_at").values_list("state", flat=True))


def _until_failed(times: int) -> None:
    wait_for(lambda: _states().count(State.FAILED) == times, what=f"failure {times}")


def _is_lock_free() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s",
            [TRAINER_LOCK],
        )
        return not cursor.fetchone()[0]


def test_fault_36_a_training_without_memory_is_tried_three_times_and_hinders_nothing_else(
    shared: tuple[Account, Account], tmp_path: Path
) -> None:
    with stopping("content_gram", tmp_path / "worker", *WORKER, starves=True) as worker:
        for tries in (1, 2, 3):
            _until_failed(tries)
            if tries < 3:
                wake_trainer(is_urgent=True)
        assert worker.log.count("Training ran out of memory") == 3
        wake_trainer(is_urgent=True)
        wait_for(lambda: "Training died 3 times in a row" in worker.log, what="the rest")
        # The same worker does what is not training, as before.
        reconcile.apply_async(queue="default")
        wait_for(lambda: waiting_messages() == 0, what="the other queue")
    assert _states() == [State.ACTIVE] + [State.FAILED] * 3
    assert _is_lock_free()
    assert VectorChange.objects.filter(kind="forget").exists(), "nothing is lost"


@pytest.mark.parametrize("is_stuck", [False, True], ids=["slow", "stuck"])
def test_fault_38_a_training_that_takes_too_long_is_ended_and_its_locks_are_released(
    is_stuck: bool, shared: tuple[Account, Account], tmp_path: Path
) -> None:
    lose_messages()
    train_model.apply_async(queue="urgent", soft_time_limit=2, time_limit=4)
    with stopping("_fit", tmp_path / "worker", *WORKER) as worker:
        stopped = worker.until_stopped()
        assert not _is_lock_free()
        if is_stuck:
            # It does not hear that its time is over, and is killed.
            os.kill(stopped, signal.SIGSTOP)
        wait_for(_is_lock_free, what="the release of its locks")
    assert _states() == [State.ACTIVE, State.TRAINING if is_stuck else State.FAILED]
    release = train(clock=timezone.now)
    assert release is not None
    assert release.gram_digest == digest_from_scratch()


def test_fault_35_after_48_hours_without_a_scheduler_the_site_says_so_and_one_wake_up_catches_up(
    shared: tuple[Account, Account], caplog: pytest.LogCaptureFixture
) -> None:
    lose_messages()
    stop = threading.Event()
    with caplog.at_level(logging.CRITICAL):
        watching = apart(lambda: watch(stop, every=0.02))
        VectorChange.objects.update(created_at=timezone.now() - timedelta(hours=48))
        wait_for(lambda: "have waited for more than an hour" in caplog.text, what="the alarm")
        stop.set()
        assert watching.error() is None
    assert caplog.text.count("have waited for more than an hour") == 1
    reconcile()
    assert waiting_messages() == 1
    train_model()
    assert Release.objects.get(state=State.ACTIVE).gram_digest == digest_from_scratch()
    assert not VectorChange.objects.exists()
    assert not is_left_undone(timezone.now())


def test_fault_10_a_task_that_comes_again_while_the_first_is_still_going_is_fenced(
    shared: tuple[Account, Account], tmp_path: Path
) -> None:
    with stopping("write_model", tmp_path / "trainer") as first:
        first.until_stopped()
        os.kill(first.pid, signal.SIGSTOP)
        assert train(clock=timezone.now) is None
        second = train(clock=lambda: timezone.now() + WEDGED_AFTER * 2)
        assert second is not None
        (first.folder / "go").touch()
        os.kill(first.pid, signal.SIGCONT)
        wait_for(lambda: first.has_ended, what="the end of the first")
    assert Release.objects.get(state=State.ACTIVE) == second
    assert second.gram_digest == digest_from_scratch()
    assert _states().count(State.ACTIVE) == 1
