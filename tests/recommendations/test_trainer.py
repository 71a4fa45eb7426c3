"""Training under faults: whatever dies, waits or comes twice, what is served stays right."""

import logging
import os
import signal
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import psutil
import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from django.utils import timezone

from privacy_center.models import Account
from recommendations import trainer
from recommendations.model_files import release_dir
from recommendations.model_state import Current
from recommendations.models import Practice, Release, VectorChange
from recommendations.selectors import release as release_selector
from recommendations.selectors.release import current_model
from recommendations.selectors.training_data import Catalog
from recommendations.selectors.vector_change import CHANGES_LOCK
from recommendations.tasks.training import reconcile, train_model
from recommendations.trainer import REST, repair, train
from recommendations.turn import TRAINER_LOCK
from tests.conftest import choose, listen, person_of, wait_for
from tests.contracts.apart import Apart, apart, until_one_waits_for_a_lock
from tests.recommendations.broker import lose_messages, waiting_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.stopping import WORKER, stopping

pytestmark = pytest.mark.django_db(transaction=True)

State = Release.State
Kind = VectorChange.Kind
# Every step of a run, in order; `_publish` begins with waiting for its lock.
STEPS = ("_read", "_fit", "write_model", "_publish")


@pytest.fixture(autouse=True)
def _no_messages() -> None:
    lose_messages()


@pytest.fixture
def shared(alice: Account, bob: Account, catalog: list[Practice]) -> tuple[Account, Account]:
    """Alice and bob share; a release has learned from both."""
    listen(choose(alice, "community"), *catalog[:5])
    listen(choose(bob, "community"), *catalog[3:9])
    train(clock=timezone.now)
    return alice, bob


def _states() -> list[str]:
    """The states of all runs, oldest first."""
    return list(Release.objects.order_by("started_at").values_list("state", flat=True))


def _active() -> Release:
    return Release.objects.get(state=State.ACTIVE)


def _files() -> list[str]:
    return sorted(file.name for file in release_dir().iterdir())


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: not psutil.pid_exists(pid) or _is_dead(pid), what="the death of a process")


def _is_dead(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.torture
def test_fault_02_a_killed_child_is_tried_three_times_then_rests_and_says_so(
    shared: tuple[Account, Account], tmp_path: Path
) -> None:
    old = _active()
    choose(shared[0], "just-listening")
    with stopping("_fit", tmp_path / "worker", *WORKER) as worker:
        for attempt in (1, 2, 3):
            child = worker.until_stopped(attempt)
            assert psutil.Process(child).ppid() == worker.pid
            _kill(child)
        wait_for(lambda: "Training died 3 times in a row" in worker.log, what="saying so")
        assert len(worker.stopped()) == 3
        wait_for(lambda: waiting_messages() == 0, what="the end of the redeliveries")
    assert _states() == [State.ACTIVE, State.LOST, State.LOST, State.LOST]
    assert _active() == old
    assert VectorChange.objects.filter(kind=Kind.FORGET).exists()


def _die(times: int) -> None:
    """So many runs in a row were killed a moment ago."""
    for _ in range(times):
        Release.objects.create(
            started_at=timezone.now(), algorithm="ease", regularization=1.0, state=State.LOST
        )


def test_fault_02_two_dead_runs_do_not_stop_the_third(shared: tuple[Account, Account]) -> None:
    _die(2)
    assert train(clock=timezone.now) is not None


def test_fault_02_the_rest_ends_after_ten_minutes(shared: tuple[Account, Account]) -> None:
    _die(3)
    assert train(clock=timezone.now) is None
    assert train(clock=lambda: timezone.now() + REST) is not None


def test_fault_02_the_rest_ends_when_somebody_leaves_but_for_one_try_only(
    shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    _die(3)
    choose(shared[0], "just-listening")
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_fit", _fail)
        with pytest.raises(MemoryError):
            train(clock=timezone.now)
        assert train(clock=timezone.now) is None
    assert _states().count(State.FAILED) == 1


def _fail(*_: object, **__: object) -> None:
    raise MemoryError


def test_fault_02_new_listens_do_not_end_the_rest(
    shared: tuple[Account, Account], catalog: list[Practice]
) -> None:
    _die(3)
    listen(choose(shared[0], "community"), catalog[10])
    assert train(clock=timezone.now) is None


def test_fault_04_after_a_kill_during_training_the_old_release_goes_on_serving(
    shared: tuple[Account, Account], tmp_path: Path, catalog: list[Practice]
) -> None:
    old = _active()
    listen(choose(shared[0], "community"), catalog[10])
    with stopping("_fit", tmp_path / "trainer") as process:
        assert process.until_stopped() == process.pid
        assert current_model(timezone.now()) is not None
        _kill(process.pid)
    assert _states() == [State.ACTIVE, State.TRAINING]
    release_selector._loaded = None
    assert current_model(timezone.now()) is not None
    reconcile()
    assert _states() == [State.ACTIVE, State.LOST]
    assert (_active(), _files()) == (old, [old.file_name])
    assert train(clock=timezone.now) == _active() != old


def test_fault_05_a_file_that_was_written_but_not_published_is_removed(
    shared: tuple[Account, Account], tmp_path: Path
) -> None:
    old = _active()
    with stopping("_publish", tmp_path / "trainer") as process:
        process.until_stopped()
        reconcile()
        assert len(_files()) == 2, "a trainer at work keeps its file"
        _kill(process.pid)
    reconcile()
    assert _files() == [old.file_name]
    assert _states() == [State.ACTIVE, State.LOST]


def test_fault_05_half_a_file_is_removed(shared: tuple[Account, Account]) -> None:
    (release_dir() / f".{_active().file_name}.x.part").write_bytes(b"half")
    reconcile()
    assert _files() == [_active().file_name]


def _before(step: str, act: Callable[[], object], patch: pytest.MonkeyPatch) -> None:
    """Have `act` done, on another connection, each time a run comes to a step."""
    original = getattr(trainer, step)

    def acted(*args: object, **kwargs: object) -> object:
        assert apart(act).error() is None
        return original(*args, **kwargs)

    patch.setattr(trainer, step, acted)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("preset", ["just-for-me", "just-listening"])
def test_fault_12_whoever_leaves_before_a_step_of_a_run_is_in_nothing_it_publishes(
    step: str, preset: str, shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _bob = shared
    with_alice = _active().gram_digest
    with monkeypatch.context() as patch:
        _before(step, lambda: choose(alice, preset), patch)
        release = train(clock=timezone.now)
    assert release == _active()
    assert release.gram_digest == digest_from_scratch() != with_alice
    assert release.people == 1
    assert _files() == [release.file_name]
    first = [] if step == "_read" else [State.DISCARDED]
    assert _states() == [State.RETIRED, *first, State.ACTIVE]
    assert not Release.objects.filter(state=State.DISCARDED, published_at__isnull=False).exists()
    assert not VectorChange.objects.filter(kind=Kind.FORGET).exists()


def test_fault_12_a_withdrawal_under_way_holds_publication_and_is_seen_by_it(
    shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _bob = shared
    with transaction.atomic():
        choose(alice, "just-listening")
        run = apart(lambda: train(clock=timezone.now))
        until_one_waits_for_a_lock()
        # It read before the withdrawal committed, so alice is in what it wants to publish.
        assert len(_files()) == 2
    assert run.error() is None
    assert _states() == [State.RETIRED, State.DISCARDED, State.ACTIVE]
    assert _active().gram_digest == digest_from_scratch()


def _holds_changes() -> bool:
    """Whether a trainer holds changes back at this moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
            " AND mode = 'ExclusiveLock' AND granted",
            [CHANGES_LOCK],
        )
        return bool(cursor.fetchone()[0])


def test_fault_10_whoever_leaves_while_a_run_ends_does_not_wait_for_the_reconciler(
    shared: tuple[Account, Account], catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, bob = shared
    listen(person_of(bob), catalog[0])

    def leave_and_lose_the_message() -> None:
        choose(alice, "just-listening")
        # It found the trainer at work and did nothing, which is what losing it does.
        lose_messages()

    with monkeypatch.context() as patch:
        _before("_measure", leave_and_lose_the_message, patch)
        train_model()
    assert waiting_messages() == 1
    train_model()
    assert _active().gram_digest == digest_from_scratch()
    assert waiting_messages() == 1, "nobody waits any more, and nobody is woken"


def test_fault_12_a_withdrawal_during_publication_waits_and_wakes_the_next_run(
    shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _bob = shared
    withdrawals: list[Apart] = []

    def publish_slowly() -> None:
        withdrawals.append(apart(lambda: choose(alice, "just-listening")))
        until_one_waits_for_a_lock()

    def clock() -> datetime:
        # It is read under the lock, right before the release becomes the active one.
        if _holds_changes() and not withdrawals:
            publish_slowly()
        return timezone.now()

    train(clock=clock)
    assert withdrawals[0].error() is None
    assert _states() == [State.RETIRED, State.ACTIVE]
    assert VectorChange.objects.filter(kind=Kind.FORGET).exists()
    assert waiting_messages() > 0
    train_model()
    assert _active().gram_digest == digest_from_scratch()


def test_fault_12_a_run_that_lost_its_connection_publishes_nothing(
    shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _active()

    def cut() -> None:
        patch.undo()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_locks"
                " WHERE locktype = 'advisory' AND objid = %s",
                [TRAINER_LOCK],
            )
        # The lock went with the connection: another trainer may begin, and finish.
        wait_for(lambda: train(clock=timezone.now), what="another trainer's turn")

    with monkeypatch.context() as patch:
        _before("_fit", cut, patch)
        run = apart(lambda: train(clock=timezone.now))
        assert isinstance(run.error(), OperationalError)
    assert old.pk != _active().pk
    assert _states().count(State.ACTIVE) == 1
    assert _files() == [_active().file_name]


def test_fault_25_a_flipped_bit_is_not_served_is_said_and_is_replaced(
    shared: tuple[Account, Account], caplog: pytest.LogCaptureFixture
) -> None:
    old = _active()
    _flip_a_bit(release_dir() / old.file_name)
    release_selector._loaded = None
    with caplog.at_level(logging.CRITICAL):
        assert current_model(timezone.now()) is None
    assert "is not the file that was written" in caplog.text
    assert "A good place to begin" in Client().get("/").content.decode()
    caplog.clear()
    reconcile()
    assert "is not the file that was written" in caplog.text
    assert (_states(), waiting_messages()) == ([State.DAMAGED], 1)
    train_model()
    assert _active() != old
    assert _files() == [_active().file_name]
    assert current_model(timezone.now()) is not None


def _flip_a_bit(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)


def test_fault_08_a_lost_message_after_damage_is_sent_again(
    shared: tuple[Account, Account],
) -> None:
    _flip_a_bit(release_dir() / _active().file_name)
    for _time in (1, 2):
        reconcile()
        assert waiting_messages() == 1
        lose_messages()


def test_fault_08_a_lost_message_after_a_withdrawal_is_sent_again(
    shared: tuple[Account, Account],
) -> None:
    choose(shared[0], "just-listening")
    lose_messages()
    reconcile()
    assert waiting_messages() == 1


def test_nothing_is_sent_while_nothing_is_due(shared: tuple[Account, Account]) -> None:
    reconcile()
    assert waiting_messages() == 0


def test_learning_waits_a_little_and_forgetting_does_not(
    shared: tuple[Account, Account], catalog: list[Practice]
) -> None:
    listen(choose(shared[0], "community"), catalog[10])
    reconcile()
    assert waiting_messages() == 0
    VectorChange.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    reconcile()
    assert waiting_messages() == 1


@pytest.fixture
def held_fit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """A trainer that stops before it fits; call the fixture to let it go on."""
    lock = 7
    original = trainer._fit

    def fit(release: Release, read: tuple[Current, Catalog]) -> object:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s), pg_advisory_unlock(%s)", [lock, lock])
        return original(release, read)

    monkeypatch.setattr(trainer, "_fit", fit)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [lock])

    def go_on() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])

    yield go_on
    go_on()


def test_fault_34_of_two_trainers_at_once_one_runs(
    shared: tuple[Account, Account], held_fit: Callable[[], None]
) -> None:
    first = apart(lambda: train(clock=timezone.now))
    until_one_waits_for_a_lock()
    assert train(clock=timezone.now) is None
    repair(clock=timezone.now)
    held_fit()
    assert first.error() is None
    assert _states() == [State.RETIRED, State.ACTIVE]


def test_fault_34_two_beats_make_one_run(
    shared: tuple[Account, Account], catalog: list[Practice]
) -> None:
    choose(shared[0], "just-listening")
    beats = [apart(reconcile), apart(reconcile)]
    assert [beat.error() for beat in beats] == [None, None]
    assert waiting_messages() == 3, "one of the withdrawal itself, one of each beat"
    for _message in range(3):
        train_model()
    assert _states() == [State.RETIRED, State.ACTIVE]


def test_fault_09_deliveries_at_once_make_one_run(shared: tuple[Account, Account]) -> None:
    choose(shared[0], "just-listening")
    deliveries = [apart(train_model) for _ in range(6)]
    assert [delivery.error() for delivery in deliveries] == [None] * 6
    assert _states() == [State.RETIRED, State.ACTIVE]


def test_a_run_that_fails_leaves_no_file_and_the_old_release(
    shared: tuple[Account, Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = _active()
    with monkeypatch.context() as patch:
        patch.setattr(trainer, "_publish", _fail)
        with pytest.raises(MemoryError):
            train(clock=timezone.now)
    assert _states() == [State.ACTIVE, State.FAILED]
    assert (_active(), _files()) == (old, [old.file_name])
    assert train(clock=timezone.now) is not None, "the lock was given back"


def test_without_anybodys_data_a_release_of_content_alone_is_made(
    db: None, catalog: list[Practice]
) -> None:
    reconcile()
    assert waiting_messages() == 1
    train_model()
    assert (_active().people, _active().interactions) == (0, 0)
    model = current_model(timezone.now())
    assert model is not None
    assert model.weights.any()


def test_an_empty_catalog_trains_too(db: None) -> None:
    Practice.objects.all().delete()
    release = train(clock=timezone.now)
    assert release is not None
    assert current_model(timezone.now()) is not None
    assert Client().get("/").status_code == 200


def test_law_3_a_release_that_somebody_waits_to_leave_goes_after_50_s_and_not_before(
    shared: tuple[Account, Account],
) -> None:
    train(clock=timezone.now)
    file = release_dir() / Release.objects.get(state=State.ACTIVE).file_name
    left = timezone.now()
    choose(shared[0], "just-listening")
    repair(clock=lambda: left + timedelta(seconds=49))
    assert file.exists()
    repair(clock=lambda: timezone.now() + timedelta(seconds=51))
    assert not file.exists()
    assert not Release.objects.filter(state=State.ACTIVE).exists()
