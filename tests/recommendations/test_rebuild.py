"""A rebuild gives the same bits whoever does it, in whatever parts; an audit tells when the state
does not."""

import json
import logging
import os
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from django.core.management import call_command
from django.utils import timezone
from kombu.exceptions import OperationalError
from pytest_django import Settings

from privacy_center.models import Account
from recommendations import item_inverse, model_state
from recommendations import rebuild as rebuild_module
from recommendations.actions.listening import set_favorite
from recommendations.audit import audit
from recommendations.engine.gram_state import GramState, read_state, write_state
from recommendations.model_files import state_dir
from recommendations.models import (
    ModelAudit,
    ModelState,
    Practice,
    Release,
    TrainingVector,
    VectorChange,
)
from recommendations.rebuild import Rebuild, build_shard, exported_snapshot, rebuild
from recommendations.selectors import training_data
from recommendations.selectors.model_audit import is_audit_due
from recommendations.tasks.training import build_one_shard, reconcile, send_shards
from recommendations.trainer import train
from recommendations.turn import WEDGED_AFTER
from tests.conftest import choose, listen, make_account, wait_for, worker
from tests.contracts.apart import apart
from tests.recommendations.broker import lose_messages, waiting_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.stopping import stopping

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_messages() -> None:
    lose_messages()


@pytest.fixture
def sharing(catalog: list[Practice]) -> list[Account]:
    """Nine people who share, with different histories."""
    choice = random.Random(4)
    people = [make_account(f"person-{number}") for number in range(9)]
    for account in people:
        person = choose(account, "community")
        listen(person, *choice.choices(catalog[:12], k=10))
        set_favorite(person, choice.choice(catalog), is_favorite=True)
    return people


def _forget_memory() -> None:
    model_state._kept = None
    item_inverse._kept = None


def _rebuild(shards: int, send: Callable[[Rebuild], object] | None = None) -> GramState:
    with exported_snapshot() as snapshot:
        return rebuild(snapshot=snapshot, shards=shards, send=send)


@pytest.mark.parametrize("shards", [1, 2, 3, 8])
def test_any_number_of_shards_gives_the_same_bits(sharing: list[Account], shards: int) -> None:
    found = _rebuild(shards)
    assert found.digest == digest_from_scratch()
    assert found.people == len(sharing)
    assert list(state_dir().iterdir()) == [], "the parts are gone"


def test_shards_in_any_order_and_twice_give_the_same_bits(sharing: list[Account]) -> None:
    choice = random.Random(1)

    def at_random(work: Rebuild) -> None:
        order = [*range(work.shards), *range(work.shards)]
        choice.shuffle(order)
        for shard in order:
            build_shard(work, shard)

    assert _rebuild(5, at_random).digest == digest_from_scratch()


def test_a_real_worker_helps_and_gives_the_same_bits(
    sharing: list[Account], settings: Settings
) -> None:
    # Where the worker, which reads its own settings, leaves its parts too.
    settings.MODEL_DIR = Path(settings.VAR_DIR) / "model"
    helped: list[Path] = []

    def send_and_wait(work: Rebuild) -> None:
        send_shards(work)
        done = state_dir() / f"{work.name}-0.sha256"
        wait_for(done.exists, what="the help of the worker")
        helped.append(done)

    with worker(queues="training"):
        found = _rebuild(3, send_and_wait)
    assert helped
    assert found.digest == digest_from_scratch()


def test_a_worker_that_dies_at_a_shard_leaves_it_to_the_others(
    sharing: list[Account], tmp_path: Path
) -> None:
    def send_and_kill(work: Rebuild) -> None:
        send_shards(work)
        with stopping(
            "recommendations.rebuild.write_state",
            tmp_path / "worker",
            "--queues", "training", "--concurrency", "1", "--loglevel", "INFO",
        ) as process:  # fmt: skip
            child = process.until_stopped()
            os.kill(child, signal.SIGKILL)
            wait_for(lambda: not _is_alive(child), what="the death of the child")
            os.kill(process.pid, signal.SIGKILL)

    assert _rebuild(2, send_and_kill).digest == digest_from_scratch()


def _is_alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_a_shard_whose_rebuild_has_ended_is_left(sharing: list[Account]) -> None:
    with exported_snapshot() as snapshot:
        gone = Rebuild("gone", snapshot, slices=1, shards=1, is_kept=True)
    build_one_shard(gone.name, gone.snapshot, 1, 1, 0, is_kept=True)
    assert not TrainingVector.objects.exists()
    assert list(state_dir().iterdir()) == []


def test_without_a_broker_the_trainer_does_it_alone(
    sharing: list[Account], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OperationalError("away")

    monkeypatch.setattr("celery.canvas.group.apply_async", refuse)
    assert _rebuild(2, send_shards).digest == digest_from_scratch()


def test_an_audit_finds_the_state_equal_also_while_people_change_things(
    sharing: list[Account], catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    train(clock=timezone.now)
    listen(choose(sharing[0], "community"), catalog[20])
    original = training_data.all_column_ids
    busy = iter([lambda: choose(sharing[1], "just-listening"), lambda: None])

    def meanwhile() -> object:
        assert apart(next(busy, lambda: None)).error() is None
        return original()

    monkeypatch.setattr(rebuild_module, "all_column_ids", meanwhile)
    before = digest_from_scratch()
    found = audit(clock=timezone.now)
    assert found is not None
    assert found.is_equal
    assert found.digest == before != digest_from_scratch(), "of the moment of the snapshot"
    assert ModelAudit.objects.get() == found


def _tamper() -> None:
    """The state says of a practice what nobody did; its file and its hash agree."""
    row = ModelState.objects.get()
    path = state_dir() / row.file_name
    state = read_state(path, sha256=row.file_digest)
    gram = state.gram.copy()
    gram[-1, -1] += 1
    ModelState.objects.update(file_digest=write_state(path, replace(state, gram=gram)))
    _forget_memory()


def test_the_command_prints_both_digests_and_exits_with_1_when_they_differ(
    sharing: list[Account], capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    train(clock=timezone.now)
    call_command("audit_model")
    said = json.loads(capsys.readouterr().out)
    assert said["equal"] is True
    assert said["digest"] == said["rebuild_digest"] == digest_from_scratch()
    _tamper()
    with caplog.at_level(logging.CRITICAL), pytest.raises(SystemExit) as ended:
        call_command("audit_model", "--shards", "2")
    assert ended.value.code == 1
    said = json.loads(capsys.readouterr().out)
    assert said["equal"] is False
    assert said["digest"] != said["rebuild_digest"] == digest_from_scratch()
    assert "rebuilt from scratch" in caplog.text


def test_a_state_that_differs_is_replaced_and_a_new_release_is_made(
    sharing: list[Account],
) -> None:
    train(clock=timezone.now)
    first = Release.objects.get(state=Release.State.ACTIVE)
    _tamper()
    audit(clock=timezone.now)
    lose_messages()
    reconcile()
    assert waiting_messages() == 1
    second = train(clock=timezone.now, if_needed=True)
    assert second is not None
    assert second != first
    assert second.gram_digest == digest_from_scratch()
    found = audit(clock=timezone.now)
    assert found is not None
    assert found.is_equal


def test_fault_25_a_flipped_bit_in_the_state_is_said_and_the_state_is_rebuilt(
    sharing: list[Account], catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    train(clock=timezone.now)
    (file,) = state_dir().iterdir()
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    _forget_memory()
    listen(choose(sharing[0], "community"), catalog[30])
    with caplog.at_level(logging.CRITICAL):
        release = train(clock=timezone.now)
    assert "is not the file that was written" in caplog.text
    assert release is not None
    assert release.gram_digest == digest_from_scratch()
    assert len(list(state_dir().iterdir())) == 1


def test_after_somebody_was_forgotten_an_audit_is_due_and_not_more_often_than_it_may(
    sharing: list[Account],
) -> None:
    train(clock=timezone.now)
    assert not is_audit_due(timezone.now())
    choose(sharing[0], "just-listening")
    train(clock=timezone.now)
    assert is_audit_due(timezone.now())
    audit(clock=timezone.now)
    assert not is_audit_due(timezone.now())
    choose(sharing[1], "just-listening")
    train(clock=timezone.now)
    assert not is_audit_due(timezone.now()), "the last one was a moment ago"
    assert is_audit_due(timezone.now() + WEDGED_AFTER * 10)


def test_fault_39_a_trainer_that_is_stopped_loses_its_turn_and_publishes_nothing_later(
    sharing: list[Account], tmp_path: Path
) -> None:
    train(clock=timezone.now)
    choose(sharing[0], "just-listening")
    with stopping("_publish", tmp_path / "trainer") as stopped:
        stopped.until_stopped()
        assert train(clock=timezone.now) is None, "it is at work, as far as anybody knows"
        release = train(clock=lambda: timezone.now() + WEDGED_AFTER * 2)
        assert release is not None
        assert release.gram_digest == digest_from_scratch()
        (stopped.folder / "go").touch()
        wait_for(lambda: not _is_alive(stopped.pid), what="the end of the stopped trainer")
    assert Release.objects.get(state=Release.State.ACTIVE) == release
    assert not VectorChange.objects.exists()
    found = audit(clock=timezone.now)
    assert found is not None
    assert found.is_equal
