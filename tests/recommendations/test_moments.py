"""Between two statements: what comes, expires or dies just then changes nothing of what is true."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from privacy_center.actions.consent import decide
from privacy_center.models import Account, Method, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.learning import forgetting, learning_times
from privacy_center.selectors.subject import hold_subject
from recommendations import audit as audit_module
from recommendations import model_state, trainer
from recommendations.actions.training import accept_quality, note_everybody
from recommendations.audit import audit
from recommendations.model_files import state_dir
from recommendations.models import (
    Listen,
    ModelAudit,
    ModelState,
    Practice,
    Release,
    VectorChange,
)
from recommendations.selectors.release import current_model
from recommendations.tasks.training import audit_model, reconcile
from recommendations.trainer import train
from tests.conftest import choose, listen
from tests.contracts.apart import Apart, apart, until_one_waits_for_a_lock
from tests.recommendations.broker import lose_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.suspending import suspend

pytestmark = pytest.mark.django_db(transaction=True)

TRAIN = Purpose.LISTENING_TRAIN
State = Release.State


class Killed(BaseException):
    """Nothing is tidied up after it, as after SIGKILL."""


@pytest.fixture(autouse=True)
def _no_messages() -> None:
    lose_messages()


@pytest.fixture
def sharer(alice: Account, catalog: list[Practice]) -> Account:
    """Alice, who shares; a release has learned from her."""
    listen(choose(alice, "community"), *catalog[:3])
    assert train(clock=timezone.now) is not None
    return alice


def _leave(account: Account) -> None:
    decide(account.subject.id, {TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())


def _around(
    patch: pytest.MonkeyPatch, module: object, name: str, act: Callable[[], object], *, after: bool
) -> None:
    """Have `act` done once, right before or after a function is called."""
    original, done = getattr(module, name), list[bool]()

    def acted(*args: object, **kwargs: object) -> object:
        is_first = not done
        done.append(True)
        if is_first and not after:
            act()
        found = original(*args, **kwargs)
        if is_first and after:
            act()
        return found

    patch.setattr(module, name, acted)


@pytest.mark.parametrize(("step", "after"), [("rebuild", True), ("_take_up", False)])
def test_a_notice_that_is_published_during_a_run_is_taken_in_before_anything_is_out(
    step: str, after: bool, sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_everybody(VectorChange.Kind.LEARN)
    _around(monkeypatch, model_state, step, lambda: suspend(TRAIN), after=after)
    release = train(clock=timezone.now)
    assert release == Release.objects.get(state=State.ACTIVE)
    assert (release.people, release.gram_digest) == (0, digest_from_scratch())
    assert not VectorChange.objects.exists()


def test_an_import_during_a_rebuild_is_learned_by_the_next_run(
    sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    note_everybody(VectorChange.Kind.LEARN)
    _around(
        monkeypatch,
        model_state,
        "rebuild",
        lambda: note_everybody(VectorChange.Kind.LEARN),
        after=True,
    )
    train(clock=timezone.now)
    assert VectorChange.objects.get().batch is None


def test_a_yes_that_ends_during_an_audit_makes_no_false_alarm(
    alice: Account, catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    live = Notice.objects.filter(purpose=TRAIN, published_at__isnull=False).latest("version")
    ends = timezone.now() + timedelta(seconds=4)
    listen(choose(alice, "community", at=ends - timedelta(days=live.valid_days)), *catalog[:3])
    train(clock=timezone.now)

    def until_it_ends() -> None:
        threading.Event().wait(max(0.0, (ends - timezone.now()).total_seconds()) + 0.1)

    _around(monkeypatch, audit_module, "rebuild", until_it_ends, after=False)
    found = audit(clock=timezone.now)
    assert found is not None
    assert found.is_equal
    assert found.people == 1
    release = train(clock=timezone.now)
    assert release is not None
    assert release.people == 0, "its end is recorded before the next run"


def test_a_notice_right_before_the_moment_of_an_audit_makes_no_false_alarm(
    sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    _around(monkeypatch, audit_module, "bring_up_to_date", lambda: suspend(TRAIN), after=True)
    found = audit(clock=timezone.now)
    assert found is not None
    assert (found.is_equal, found.people) == (True, 0)


def test_law_3_nobody_who_leaves_waits_for_an_audit(
    sharer: Account, bob: Account, catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(choose(bob, "community"), *catalog[:5])
    made: list[Release | None] = []

    def leave_and_train() -> None:
        _leave(sharer)
        made.append(train(clock=timezone.now))

    _around(
        monkeypatch,
        audit_module,
        "rebuild",
        lambda: apart(leave_and_train).error(),
        after=False,
    )
    found = audit(clock=timezone.now)
    assert found is not None
    assert (found.is_equal, found.people) == (True, 2), "of the moment before she left"
    assert made[0] is not None
    assert (made[0].people, made[0].gram_digest) == (1, digest_from_scratch())


def test_audits_do_not_pile_up(sharer: Account) -> None:
    _leave(sharer)
    train(clock=timezone.now)
    for _time in range(3):
        reconcile()
    for _message in range(3):
        audit_model(if_due=True)
    assert ModelAudit.objects.count() == 1


def test_of_two_audits_at_once_one_is_made(
    sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    second: list[ModelAudit | None] = []
    _around(
        monkeypatch,
        audit_module,
        "rebuild",
        lambda: apart(lambda: second.append(audit(clock=timezone.now))).error(),
        after=False,
    )
    assert audit(clock=timezone.now) is not None
    assert second == [None]


def test_after_an_unequal_audit_nothing_of_that_state_is_served_or_learned_on(
    sharer: Account, bob: Account, catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(choose(bob, "community"), *catalog[:2])
    train(clock=timezone.now)
    # Rows that went without a word to the trainer.
    Listen.objects.filter(subject_id=bob.subject.id).delete()
    VectorChange.objects.all().delete()

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        # Right after the row that says so: it refuses the state by itself.
        _around(patch, audit_module, "retire_active", die, after=False)
        with pytest.raises(Killed):
            audit(clock=timezone.now)
    assert not ModelAudit.objects.get().is_equal
    release = train(clock=timezone.now, if_needed=True)
    assert release is not None
    assert (release.people, release.gram_digest) == (1, digest_from_scratch())
    assert train(clock=timezone.now, if_needed=True) is None, "it is built anew once"


def test_an_unequal_audit_takes_the_active_release_out_of_service(
    sharer: Account, catalog: list[Practice]
) -> None:
    Listen.objects.filter(practice=catalog[0]).delete()
    VectorChange.objects.all().delete()
    audit(clock=timezone.now)
    assert not Release.objects.filter(state=State.ACTIVE).exists()
    assert current_model(timezone.now()) is None


def test_fault_05_a_state_file_that_a_killed_trainer_left_is_removed(
    sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ModelState.objects.get().file_name
    _leave(sharer)

    def die() -> None:
        raise Killed

    with monkeypatch.context() as patch:
        _around(patch, model_state, "remove_other_states", die, after=False)
        with pytest.raises(Killed):
            train(clock=timezone.now)
    model_state._kept = None
    assert before in {file.name for file in state_dir().iterdir()}
    (state_dir() / ".half.part").write_bytes(b"half")
    reconcile()
    assert {file.name for file in state_dir().iterdir()} == {ModelState.objects.get().file_name}


def test_once_a_vector_is_out_of_the_state_it_is_nowhere(
    sharer: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(sharer, "just-listening")

    def hold_back(_candidate: object) -> None:
        raise trainer.HeldBack("It is not good enough.")

    monkeypatch.setattr(trainer, "_check", hold_back)
    train(clock=timezone.now)
    change = VectorChange.objects.get()
    assert change.batch is not None, "it waits for a release still"
    assert (bytes(change.old), bytes(change.new)) == (b"", b"")


def test_what_is_held_back_for_another_reason_is_not_tried_at_once_for_its_quality(
    sharer: Account, catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(choose(sharer, "community"), catalog[9])

    def told(*_: object) -> None:
        raise trainer.HeldBack("People could be told.")

    monkeypatch.setattr(trainer, "_attack", told)
    train(clock=timezone.now)
    accept_quality()
    runs = Release.objects.count()
    assert train(clock=timezone.now, if_needed=True) is None
    assert Release.objects.count() == runs


def test_a_certificate_names_the_first_release_without_the_person_whatever_their_clock_said(
    sharer: Account,
) -> None:
    go, held = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            hold_subject(sharer.subject.id)
            held.set()
            go.wait(4)

    holding = apart(hold)
    assert held.wait(4)
    # Their click comes before the run begins, and their decision after it is out.
    leaving = apart(lambda: _leave(sharer))
    until_one_waits_for_a_lock()
    knew = train(clock=timezone.now)
    go.set()
    assert (holding.error(), leaving.error()) == (None, None)
    without = train(clock=timezone.now)
    assert knew is not None
    assert without is not None
    assert (knew.people, without.people) == (1, 0)
    (time,) = learning_times(sharer.subject.id, TRAIN)
    found = forgetting(time)
    assert found.last_with is not None
    assert found.first_without is not None
    assert (found.last_with.id, found.first_without.id) == (knew.pk, without.pk)


def test_changes_are_held_back_only_while_the_last_run_is_published(
    sharer: Account, bob: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose(bob, "community")
    asked: list[Apart] = []
    original_check, original_fit = trainer._check_nobody_left, trainer._fit
    runs = list[bool]()

    def somebody_left(candidate: trainer.Candidate) -> None:
        if len(runs) <= trainer.MOST_DISCARDS:
            raise trainer.SomebodyLeft
        original_check(candidate)

    def fit(*args: object) -> trainer.Candidate:
        runs.append(True)
        if len(runs) == trainer.MOST_DISCARDS + 1:
            # The last run is being made: whoever leaves now does not wait for it.
            asked.append(apart(lambda: _leave(bob)))
            assert asked[0].error() is None
        return original_fit(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(trainer, "_check_nobody_left", somebody_left)
    monkeypatch.setattr(trainer, "_fit", fit)
    release = train(clock=timezone.now)
    assert release == Release.objects.get(state=State.ACTIVE)
    assert len(runs) == trainer.MOST_DISCARDS + 2, "once more for who came meanwhile"
    assert not VectorChange.objects.filter(kind="forget").exists()
    assert release.gram_digest == digest_from_scratch()
