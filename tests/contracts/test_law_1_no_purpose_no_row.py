"""Law 1: behavior is stored only while a yes to storing is in force, and names its record.

The database itself refuses, whatever the code; a withdrawal and a new row at the same moment are
tried in both orders on connections of their own.
"""

from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID, uuid4

import psycopg
import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    rule,
    run_state_machine_as_test,
)

from privacy_center.actions.consent import decide
from privacy_center.actions.subject import create_subject
from privacy_center.interface import Person, purposes_in_force
from privacy_center.models import (
    Account,
    AgeBand,
    ConsentRecord,
    ConsentState,
    Decision,
    Method,
)
from privacy_center.purposes import LISTENING, OFFERED, PRESETS, Preset, Purpose
from privacy_center.selectors.notice import live_notices
from recommendations import holder
from recommendations.actions.listening import (
    Heard,
    NotConsented,
    forget_listening,
    rate_practice,
    record_listens,
    set_favorite,
)
from recommendations.actions.taste import hide_practice, reset_taste
from recommendations.models import CheckIn, Favorite, HiddenPractice, Listen, Practice, Rating
from recommendations.models.listening import Stored
from tests.conftest import NOW, PRESET, choose, listen
from tests.contracts.apart import Apart, apart, until_one_waits_for_a_lock

STORE = Purpose.LISTENING_STORE
STORED: tuple[type[Stored], ...] = (Listen, Rating, Favorite, HiddenPractice)
INSERT: dict[type[Model], str] = {
    CheckIn: """
        INSERT INTO recommendations_checkin
            (id, subject_id, consent_id, practice_id, moment, valence, energy, sealed, at)
        VALUES (gen_random_uuid(), %s, %s, %s, 'after', 1, 1, '', now())""",
    Listen: """
        INSERT INTO recommendations_listen
            (id, subject_id, consent_id, practice_id, started_at, seconds, position, completion)
        VALUES (gen_random_uuid(), %s, %s, %s, now(), 60, 60, 1)""",
    Rating: """
        INSERT INTO recommendations_rating (subject_id, consent_id, practice_id, value, rated_at)
        VALUES (%s, %s, %s, 4, now())""",
    Favorite: """
        INSERT INTO recommendations_favorite (subject_id, consent_id, practice_id, created_at)
        VALUES (%s, %s, %s, now())""",
    HiddenPractice: """
        INSERT INTO recommendations_hiddenpractice (subject_id, consent_id, practice_id, hidden_at)
        VALUES (%s, %s, %s, now())""",
}
COPY = """
COPY recommendations_listen
    (id, subject_id, consent_id, practice_id, started_at, seconds, position, completion)
FROM STDIN"""

each_table = pytest.mark.parametrize(
    "table", [*STORED, CheckIn], ids=lambda table: table._meta.model_name
)


def _insert(table: type[Model], subject_id: UUID, consent_id: UUID, practice: Practice) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT[table], [subject_id, consent_id, practice.pk])


def _store_of(table: type[Model]) -> Purpose:
    """The purpose under which rows of a table are stored."""
    return Purpose.MOOD_STORE if table is CheckIn else STORE


def _choose(account: Account, preset: str) -> None:
    """A preset, and for mood the same."""
    choose(account, preset)
    wishes = {
        Purpose(f"mood:{use}"): Purpose(f"listening:{use}") in PRESET[preset].purposes
        for use in ("store", "personalize", "train")
    }
    decide(account.subject.id, wishes, method=Method.PRIVACY_PAGE, at=NOW)


def _record(account: Account, purpose: Purpose) -> UUID:
    """The last record of somebody's decision about a purpose."""
    records = ConsentRecord.objects.filter(subject=account.subject, purpose=purpose)
    return ConsentState.objects.get(record__in=records).record_id


@each_table
def test_a_row_under_a_live_consent_enters(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "just-for-me")
    _insert(table, alice.subject.id, _record(alice, _store_of(table)), practice)
    assert table._default_manager.count() == 1


@each_table
def test_the_database_refuses_a_row_of_somebody_who_was_never_asked(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, uuid4(), practice)


@each_table
def test_the_database_refuses_a_row_that_names_a_record_that_is_not_there(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, uuid4(), practice)


@each_table
@pytest.mark.parametrize("purpose", [Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN])
def test_the_database_refuses_a_row_that_names_the_record_of_another_purpose(
    table: type[Model], purpose: Purpose, alice: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, _record(alice, purpose), practice)


@each_table
def test_the_database_refuses_a_row_that_names_a_refusal(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "just-listening")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, _record(alice, _store_of(table)), practice)


@each_table
def test_the_database_refuses_a_row_under_a_consent_that_was_withdrawn(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    given = _record(alice, _store_of(table))
    _choose(alice, "just-listening")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, given, practice)


@each_table
def test_the_database_refuses_an_old_yes_in_place_of_the_one_in_force(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    old = _record(alice, _store_of(table))
    _choose(alice, "just-listening")
    _choose(alice, "community")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, old, practice)


@each_table
def test_the_database_refuses_a_row_that_names_another_persons_consent(
    table: type[Model], alice: Account, bob: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    _choose(bob, "community")
    with pytest.raises(IntegrityError, match="no row without"):
        _insert(table, alice.subject.id, _record(bob, _store_of(table)), practice)


def test_the_database_refuses_what_the_models_would_save(
    alice: Account, practice: Practice
) -> None:
    own = {"subject_id": alice.subject.id, "consent_id": uuid4(), "practice": practice}
    with pytest.raises(IntegrityError, match="no row without"), transaction.atomic():
        Favorite.objects.create(**own, created_at=NOW)
    with pytest.raises(IntegrityError, match="no row without"), transaction.atomic():
        Rating.objects.bulk_create([Rating(**own, value=3, rated_at=NOW)])


def _copy(accounts: Sequence[Account], consent_id: UUID, practice: Practice) -> None:
    with transaction.atomic(), connection.cursor() as cursor, cursor.copy(COPY) as copy:
        for account in accounts:
            copy.write_row((uuid4(), account.subject.id, consent_id, practice.pk, NOW, 60, 60, 1.0))


def test_one_row_without_consent_spoils_a_whole_copy(
    alice: Account, bob: Account, practice: Practice
) -> None:
    choose(alice, "community")
    choose(bob, "just-listening")
    consent_id = _record(alice, STORE)
    with pytest.raises(psycopg.errors.CheckViolation, match="no row without"):
        _copy([alice, alice, bob], consent_id, practice)
    assert not Listen.objects.exists()


@each_table
def test_the_database_refuses_to_end_storing_while_rows_are_left(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "just-for-me")
    _insert(table, alice.subject.id, _record(alice, _store_of(table)), practice)
    state = ConsentState.objects.filter(subject=alice.subject, purpose=_store_of(table))
    refusal = ConsentRecord.objects.create(
        subject=alice.subject, purpose=_store_of(table), decision=Decision.WITHDRAWN,
        method=Method.API, notice=live_notices()[_store_of(table)], language="en",
        recorded_at=NOW, commitment=b"",
    )  # fmt: skip
    ConsentState.objects.filter(purpose__endswith=":personalize").delete()
    for end in (
        lambda: state.update(record=refusal, decision=Decision.WITHDRAWN, valid_until=None),
        lambda: state.delete(),
    ):
        with pytest.raises(IntegrityError, match="still stored"), transaction.atomic():
            _commit(end)
    assert table._default_manager.count() == 1


@each_table
def test_the_database_refuses_to_move_a_row_to_another_consent_or_another_person(
    table: type[Model], alice: Account, bob: Account, practice: Practice
) -> None:
    _choose(alice, "community")
    _choose(bob, "community")
    _insert(table, alice.subject.id, _record(alice, _store_of(table)), practice)
    rows = table._default_manager.all()
    for change in (
        {"consent_id": _record(bob, _store_of(table))},
        {"consent_id": uuid4()},
        {"subject_id": bob.subject.id, "consent_id": _record(bob, _store_of(table))},
    ):
        with pytest.raises(IntegrityError, match="a row keeps"), transaction.atomic():
            rows.update(**change)
    assert rows.filter(
        subject_id=alice.subject.id, consent_id=_record(alice, _store_of(table))
    ).exists()


@each_table
def test_the_database_refuses_to_empty_the_answers_while_rows_are_left(
    table: type[Model], alice: Account, practice: Practice
) -> None:
    _choose(alice, "just-for-me")
    _insert(table, alice.subject.id, _record(alice, _store_of(table)), practice)
    _check_now()
    with pytest.raises(IntegrityError, match="still stored"), transaction.atomic():
        _run("TRUNCATE privacy_center_consentstate")


def _run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _commit(change: Callable[[], object]) -> None:
    change()
    _check_now()


def _check_now() -> None:
    """Have the triggers that wait for the commit speak now."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")


WAYS = (
    "listen",
    "listen that goes on",
    "favorite",
    "unfavorite",
    "rating",
    "hide",
    "show",
    "reset",
)


def _sharing(account: Account, practice: Practice) -> Person:
    """The person shares everything and has a row in every table."""
    person = choose(account, "community")
    listen(person, practice)
    rate_practice(person, practice, 4)
    set_favorite(person, practice, is_favorite=True)
    hide_practice(person, practice, is_hidden=True)
    assert all(_rows())
    return person


def _store(way: str, person: Person, practice: Practice) -> None:
    if way == "favorite":
        set_favorite(person, practice, is_favorite=True)
    elif way == "unfavorite":
        set_favorite(person, practice, is_favorite=False)
    elif way == "rating":
        rate_practice(person, practice, 2)
    elif way in ("hide", "show"):
        hide_practice(person, practice, is_hidden=way == "hide")
    elif way == "reset":
        reset_taste(person)
    else:
        going_on = Listen.objects.filter(subject_id=_subject(person)).first()
        pk = going_on.pk if going_on and way == "listen that goes on" else uuid4()
        record_listens(person, [Heard(pk, practice, NOW, practice.seconds, practice.seconds)])


def _subject(person: Person) -> UUID:
    assert person.subject_id is not None
    return person.subject_id


def _rows() -> list[int]:
    return [table._default_manager.count() for table in STORED]


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_that_comes_during_an_insert_waits_and_deletes_the_row_too(
    alice: Account, practice: Practice
) -> None:
    for way in WAYS:
        person = _sharing(alice, practice)
        with transaction.atomic():
            _store(way, person, practice)
            withdrawal = apart(lambda: choose(alice, "just-listening"))
            until_one_waits_for_a_lock()
        assert withdrawal.error() is None, way
        assert not any(_rows()), way


@pytest.mark.django_db(transaction=True)
def test_an_insert_that_comes_during_a_withdrawal_waits_and_is_refused(
    alice: Account, practice: Practice
) -> None:
    for way in WAYS:
        person = _sharing(alice, practice)
        with transaction.atomic():
            choose(alice, "just-listening")
            insert = apart(partial(_store, way, person, practice))
            until_one_waits_for_a_lock()
        assert isinstance(insert.error(), NotConsented), way
        assert not any(_rows()), way


@pytest.mark.django_db(transaction=True)
def test_an_insert_in_the_middle_of_a_withdrawal_is_no_deadlock(
    alice: Account, practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    for way in WAYS:
        person = _sharing(alice, practice)
        inserts: list[Apart] = []

        def insert_first(
            subject_id: UUID,
            way: str = way,
            person: Person = person,
            inserts: list[Apart] = inserts,
        ) -> None:
            inserts.append(apart(partial(_store, way, person, practice)))
            until_one_waits_for_a_lock()
            forget_listening(subject_id)

        # The yes has ended by then, and what was stored under it is there still.
        monkeypatch.setattr(holder, "forget_listening", insert_first)
        choose(alice, "just-listening")
        assert isinstance(inserts[0].error(), NotConsented), way
        assert not any(_rows()), way


@pytest.mark.django_db(transaction=True)
def test_raw_sql_that_comes_during_a_withdrawal_waits_and_is_refused(
    alice: Account, practice: Practice
) -> None:
    consent_id = _sharing(alice, practice).consents[STORE]
    with transaction.atomic():
        choose(alice, "just-listening")
        insert = apart(lambda: _insert(Listen, alice.subject.id, consent_id, practice))
        until_one_waits_for_a_lock()
    assert isinstance(insert.error(), IntegrityError)
    assert not Listen.objects.exists()


PEOPLE = st.integers(0, 2)
PRACTICES = st.integers(0, 3)


class Life(RuleBasedStateMachine):
    """Three people choose presets, flip single switches and use practices, in any order.

    `wanted` is what they want, kept by rules of its own: uses need storing, and end with it.
    """

    practices: list[Practice]

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = transaction.atomic()
        self.sandbox.__enter__()
        self.subjects = [
            create_subject(None, region="FI", band=AgeBand.ADULT, at=NOW).id for _ in range(3)
        ]
        self.wanted: dict[UUID, set[Purpose]] = {pk: set() for pk in self.subjects}

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.sandbox.__exit__(None, None, None)

    @rule(who=PEOPLE, preset=st.sampled_from(PRESETS))
    def choose_preset(self, who: int, preset: Preset) -> None:
        subject_id = self.subjects[who]
        wishes = {purpose: purpose in preset.purposes for purpose in LISTENING}
        decide(subject_id, wishes, method=Method.PRIVACY_PAGE, at=NOW)
        self.wanted[subject_id] -= set(LISTENING)
        self.wanted[subject_id] |= preset.purposes

    @rule(who=PEOPLE, purpose=st.sampled_from(sorted(OFFERED)), is_yes=st.booleans())
    def flip(self, who: int, purpose: Purpose, is_yes: bool) -> None:
        subject_id = self.subjects[who]
        decide(subject_id, {purpose: is_yes}, method=Method.API, at=NOW)
        wanted = self.wanted[subject_id]
        if is_yes:
            wanted |= {purpose, purpose.needs or purpose}
        else:
            wanted -= {purpose, *purpose.dependents}

    @rule(who=PEOPLE, what=PRACTICES, is_again=st.booleans())
    def hear(self, who: int, what: int, is_again: bool) -> None:
        person, practice = self.person(who), self.practices[what]
        own = Listen.objects.filter(subject_id=_subject(person), practice=practice).first()
        pk = own.pk if own and is_again else uuid4()
        self.store(person, lambda: record_listens(person, [Heard(pk, practice, NOW, 60, 60)]))

    @rule(who=PEOPLE, what=PRACTICES, value=st.integers(1, 5))
    def rate(self, who: int, what: int, value: int) -> None:
        person = self.person(who)
        self.store(person, lambda: rate_practice(person, self.practices[what], value))

    @rule(who=PEOPLE, what=PRACTICES, is_favorite=st.booleans())
    def mark(self, who: int, what: int, is_favorite: bool) -> None:
        person, practice = self.person(who), self.practices[what]
        self.store(person, lambda: set_favorite(person, practice, is_favorite=is_favorite))

    def person(self, who: int) -> Person:
        return Person(self.subjects[who], purposes_in_force(self.subjects[who]))

    def store(self, person: Person, write: Callable[[], object]) -> None:
        assert person.subject_id is not None
        if STORE in self.wanted[person.subject_id]:
            write()
            return
        with pytest.raises(NotConsented):
            write()

    @invariant()
    def what_is_in_force_is_what_they_want(self) -> None:
        _check_now()
        for subject_id, wanted in self.wanted.items():
            assert set(purposes_in_force(subject_id)) == wanted

    @invariant()
    def every_row_names_a_yes_to_storing_that_is_in_force(self) -> None:
        rows = [row for table in STORED for row in table._default_manager.all()]
        for row in rows:
            assert STORE in self.wanted[row.subject_id]
            record = ConsentRecord.objects.get(pk=row.consent_id)
            assert (record.subject_id, record.purpose) == (row.subject_id, STORE)
            assert record.decision == Decision.GIVEN


def test_rows_are_there_only_while_their_consent_is(catalog: list[Practice]) -> None:
    machine = type("Life", (Life,), {"practices": catalog[:4]})
    quiet = settings(
        max_examples=15,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quiet)
