"""Law 1 for how people feel: no check-in without an explicit yes to `mood:store` that it names."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from privacy_center.interface import Person
from privacy_center.models import Account, ConsentRecord, ConsentState
from privacy_center.purposes import Purpose
from recommendations import holder
from recommendations.actions.listening import NotConsented
from recommendations.actions.mood import delete_check_ins, forget_mood
from recommendations.models import CheckIn, Practice
from tests.conftest import NOW, choose, person_of
from tests.contracts.apart import Apart, apart, until_one_waits_for_a_lock
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, keep_mood, share_mood

INSERT = """
INSERT INTO recommendations_checkin
    (id, subject_id, consent_id, practice_id, moment, valence, energy, sealed, at)
VALUES (gen_random_uuid(), %s, %s, NULL, 'none', 1, 1, '\\x00', now())
"""


def _insert(subject_id: UUID, consent_id: UUID) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, [subject_id, consent_id])


def _record(account: Account, purpose: Purpose = STORE) -> UUID:
    """The last record of somebody's decision about a purpose."""
    return ConsentState.objects.get(subject=account.subject, purpose=purpose).record_id


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _commit(change: Callable[[], object]) -> None:
    """The change, and what the triggers that wait for the commit say of it."""
    with transaction.atomic():
        change()
        _run("SET CONSTRAINTS ALL IMMEDIATE")
        _run("SET CONSTRAINTS ALL DEFERRED")


def test_a_check_in_under_a_live_yes_enters(alice: Account) -> None:
    share_mood(alice)
    _insert(alice.subject.id, _record(alice))
    assert CheckIn.objects.count() == 1


@pytest.mark.parametrize("preset", ["just-listening", "just-for-me", "community"])
def test_no_preset_lets_a_check_in_be_kept(alice: Account, preset: str) -> None:
    person = choose(alice, preset)
    with pytest.raises(NotConsented):
        feel(person, 1, 1)
    for record in ConsentRecord.objects.filter(subject=alice.subject):
        with pytest.raises(IntegrityError, match="no row without"):
            _insert(alice.subject.id, record.pk)


def test_the_database_refuses_every_other_record_than_the_yes_in_force(
    alice: Account, bob: Account
) -> None:
    choose(alice, "community")
    share_mood(alice, PERSONALIZE, TRAIN)
    share_mood(bob)
    first = _record(alice)
    others = [_record(alice, p) for p in (Purpose.LISTENING_STORE, PERSONALIZE, TRAIN)]
    keep_mood(alice)
    share_mood(alice)
    for record in (*others, first, _record(bob), uuid4()):
        with pytest.raises(IntegrityError, match="no row without"):
            _insert(alice.subject.id, record)
    _insert(alice.subject.id, _record(alice))


def test_the_database_refuses_to_end_storing_while_check_ins_are_left(alice: Account) -> None:
    share_mood(alice)
    _insert(alice.subject.id, _record(alice))
    state = ConsentState.objects.filter(subject=alice.subject, purpose=STORE)
    with pytest.raises(IntegrityError, match="still stored"):
        _commit(state.delete)
    _commit(lambda: None)
    with pytest.raises(IntegrityError, match="still stored"), transaction.atomic():
        _run("TRUNCATE privacy_center_consentstate")
    assert CheckIn.objects.count() == 1


def test_the_database_refuses_to_end_a_renewed_yes_while_check_ins_are_left(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    share_mood(alice)
    share_mood(alice, at=NOW + timedelta(days=720))
    assert ConsentState.objects.get(subject=alice.subject, purpose=STORE).decision == "renewed"
    monkeypatch.setattr(holder, "forget_mood", lambda subject_id: None)
    _insert(alice.subject.id, _record(alice))
    with pytest.raises(IntegrityError, match="still stored"):
        _commit(lambda: keep_mood(alice))


def test_the_database_refuses_to_move_a_check_in_to_another_person_or_consent(
    alice: Account, bob: Account
) -> None:
    share_mood(alice)
    share_mood(bob)
    _insert(alice.subject.id, _record(alice))
    for change in (
        {"consent_id": _record(bob)},
        {"subject_id": bob.subject.id, "consent_id": _record(bob)},
    ):
        with pytest.raises(IntegrityError, match="a row keeps"), transaction.atomic():
            CheckIn.objects.update(**change)
    assert CheckIn.objects.get().subject_id == alice.subject.id


@pytest.mark.parametrize(
    "column",
    ["valence = 3", "energy = -3", "moment = 'before'", "moment = 'none', practice_id = {}"],
)
def test_the_database_refuses_a_check_in_that_cannot_be(
    alice: Account, practice: Practice, column: str
) -> None:
    share_mood(alice)
    _insert(alice.subject.id, _record(alice))
    statement = f"UPDATE recommendations_checkin SET {column.format(practice.pk)}"  # noqa: S608
    with pytest.raises(IntegrityError, match="check_in_"), transaction.atomic():
        _run(statement)


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_that_comes_during_a_check_in_waits_and_deletes_it_too(alice: Account) -> None:
    person = share_mood(alice)
    with transaction.atomic():
        feel(person, 1, 1)
        withdrawal = apart(lambda: keep_mood(alice))
        until_one_waits_for_a_lock()
    assert withdrawal.error() is None
    assert not CheckIn.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_check_in_that_comes_during_a_withdrawal_waits_and_is_refused(alice: Account) -> None:
    person = share_mood(alice)
    feel(person, 1, 1)
    with transaction.atomic():
        keep_mood(alice)
        late = apart(lambda: feel(person, 1, 1))
        until_one_waits_for_a_lock()
    assert isinstance(late.error(), NotConsented)
    assert not CheckIn.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_check_in_or_a_deletion_in_the_middle_of_a_withdrawal_is_no_deadlock(
    alice: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def delete(person: Person) -> None:
        delete_check_ins(person, CheckIn.objects.all())

    for act in (lambda person: feel(person, 0, 0), delete):
        person = share_mood(alice)
        feel(person, 1, 1)
        acts: list[Apart] = []

        def act_first(
            subject_id: UUID,
            person: Person = person,
            act: Callable[[Person], object] = act,
            acts: list[Apart] = acts,
        ) -> None:
            acts.append(apart(lambda: act(person)))
            until_one_waits_for_a_lock()
            forget_mood(subject_id)

        # The yes has ended by then, and what was stored under it is there still.
        monkeypatch.setattr(holder, "forget_mood", act_first)
        keep_mood(alice)
        monkeypatch.undo()
        assert isinstance(acts[0].error(), NotConsented | None)
        assert not CheckIn.objects.exists()


def test_what_shapes_and_what_trains_need_storing_and_end_with_it(alice: Account) -> None:
    person = share_mood(alice, PERSONALIZE, TRAIN)
    assert (person.can_store_mood, person.can_personalize_mood, person.can_train_mood) == (
        True, True, True,
    )  # fmt: skip
    keep_mood(alice, STORE)
    assert not {STORE, PERSONALIZE, TRAIN} & set(person_of(alice).consents)
