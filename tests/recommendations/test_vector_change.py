"""What waits to be learned or forgotten: one change a person, and none is lost or taken up half."""

from datetime import timedelta
from uuid import UUID

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from privacy_center.interface import purposes_in_force
from privacy_center.models import Account
from recommendations.actions.listening import NotConsented
from recommendations.actions.training import note_catalog, note_change, note_everybody
from recommendations.models import Listen, Practice, Release, TrainingVector, VectorChange
from recommendations.tasks.training import train_model
from recommendations.trainer import train
from tests.conftest import choose, listen, person_of
from tests.contracts.apart import apart, until_one_waits_for_a_lock
from tests.recommendations.broker import lose_messages
from tests.recommendations.from_scratch import digest_from_scratch
from tests.recommendations.learned import learned

pytestmark = pytest.mark.django_db(transaction=True)

Kind = VectorChange.Kind
SOMEBODY = UUID("00000000-0000-4000-8000-000000000001")


@pytest.fixture(autouse=True)
def _no_messages() -> None:
    lose_messages()


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        ((Kind.LEARN, Kind.LEARN), Kind.LEARN),
        ((Kind.LEARN, Kind.FORGET), Kind.FORGET),
        ((Kind.FORGET, Kind.LEARN), Kind.FORGET),
        ((Kind.FORGET, Kind.FORGET), Kind.FORGET),
    ],
)
def test_a_burst_of_one_person_is_one_change_of_the_more_urgent_kind(
    kinds: tuple[VectorChange.Kind, ...], kind: VectorChange.Kind
) -> None:
    for one in kinds:
        note_change(SOMEBODY, one)
    assert VectorChange.objects.get().kind == kind


def test_whoever_asked_to_be_forgotten_has_waited_since_they_first_did() -> None:
    note_change(SOMEBODY, Kind.LEARN)
    long_ago = timezone.now() - timedelta(hours=3)
    VectorChange.objects.update(created_at=long_ago)
    note_change(SOMEBODY, Kind.FORGET)
    asked = VectorChange.objects.get().created_at
    assert asked > long_ago, "since they asked, not since they last listened"
    note_change(SOMEBODY, Kind.FORGET)
    note_change(SOMEBODY, Kind.LEARN)
    assert VectorChange.objects.get().created_at == asked


def test_what_is_everybodys_waits_once_and_does_not_replace_what_is_somebodys() -> None:
    for _time in (1, 2):
        note_everybody(Kind.FORGET)
        note_catalog()
        note_change(SOMEBODY, Kind.LEARN)
    assert sorted(VectorChange.objects.values_list("kind", "subject_id")) == [
        ("catalog", None),
        ("forget", None),
        ("learn", SOMEBODY),
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "catalog", "subject_id": SOMEBODY},
        {"kind": "learn", "subject_id": SOMEBODY, "old": b"123456789"},
    ],
)
def test_the_database_keeps_what_a_change_may_say(wrong: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        VectorChange.objects.create(created_at=timezone.now(), **wrong)


@pytest.mark.parametrize("vector", [b"", b"12345678", b"1234567890"])
def test_the_database_refuses_a_vector_of_no_entries_or_of_half_a_one(vector: bytes) -> None:
    with pytest.raises(IntegrityError):
        TrainingVector.objects.create(subject_id=SOMEBODY, vector=vector)


def test_a_change_is_there_if_and_only_if_what_it_is_about_is(
    alice: Account, practice: Practice
) -> None:
    person = choose(alice, "community")
    VectorChange.objects.all().delete()
    with transaction.atomic():
        listen(person, practice)
        assert VectorChange.objects.exists()
        transaction.set_rollback(True)
    assert not Listen.objects.exists()
    assert not VectorChange.objects.exists()


def test_what_is_being_written_is_passed_over_and_taken_up_the_next_time(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    train(clock=timezone.now)
    listen(choose(bob, "community"), *catalog[:2])
    with transaction.atomic():
        # It locks the change that waits already, and adds what nobody else can see yet.
        listen(person_of(bob), catalog[5])
        run = apart(lambda: train(clock=timezone.now))
        # Publication waits for it; the vectors were read before.
        until_one_waits_for_a_lock()
    assert run.error() is None
    assert VectorChange.objects.get().subject_id == bob.subject.id
    release = train(clock=timezone.now)
    assert release is not None
    assert release.gram_digest == digest_from_scratch()
    assert not VectorChange.objects.exists()


def test_a_batch_says_what_each_contributed_before_and_contributes_now(
    alice: Account, catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    train(clock=timezone.now)
    before = bytes(TrainingVector.objects.get().vector)
    listen(person_of(alice), catalog[7])
    with monkeypatch.context() as patch:
        patch.setattr("recommendations.model_state.write_state", _fail)
        with pytest.raises(MemoryError):
            train(clock=timezone.now)
    change = VectorChange.objects.get()
    assert bytes(change.old) == before
    assert bytes(change.new) == bytes(TrainingVector.objects.get().vector) != before
    assert train(clock=timezone.now) is not None
    assert not VectorChange.objects.exists()


def _fail(*_: object) -> None:
    raise MemoryError


def test_fault_13_after_a_hundred_flips_while_the_trainer_runs_the_last_one_holds(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community"), *catalog[:5])
    listen(choose(alice, "community"), *catalog[3:9])
    train(clock=timezone.now)

    def flip(times: int) -> None:
        for number in range(times):
            choose(alice, "just-for-me" if number % 2 else "community")

    def train_often() -> None:
        for _time in range(10):
            train_model()

    works = [apart(lambda: flip(50)), apart(lambda: flip(50)), apart(train_often)]
    assert [work.error() for work in works] == [None] * 3
    for preset in ("community", "just-for-me"):
        choose(alice, preset)
        train_model()
        active = Release.objects.get(state=Release.State.ACTIVE)
        assert active.gram_digest == digest_from_scratch()
        assert active.people == (2 if preset == "community" else 1)


def test_fault_16_a_listen_that_meets_a_withdrawal_of_everything_leaves_no_row_and_no_vector(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community"), *catalog[:5])
    never_had_alice = learned().digest
    person = choose(alice, "community")
    listen(person, *catalog[3:9])
    train(clock=timezone.now)

    def hear() -> None:
        for practice in catalog[10:30]:
            try:
                listen(person, practice)
            except NotConsented:
                return

    hearing = apart(hear)
    choose(alice, "just-listening")
    assert hearing.error() is None
    release = train(clock=timezone.now)
    assert release is not None
    assert purposes_in_force(alice.subject.id) == {}
    assert not Listen.objects.filter(subject_id=alice.subject.id).exists()
    assert not TrainingVector.objects.filter(pk=alice.subject.id).exists()
    assert not VectorChange.objects.exists()
    assert release.gram_digest == never_had_alice == learned().digest
