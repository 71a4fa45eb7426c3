"""Deciding: records, states, and what must follow a decision in the same moment."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client

from privacy_center.actions.consent import ConsentRefused, decide
from privacy_center.models import (
    Account,
    AgeBand,
    ConsentRecord,
    ConsentState,
    Decision,
    Method,
)
from privacy_center.purposes import LISTENING, OFFERED, PRESETS, Purpose
from privacy_center.selectors.consent import purposes_in_force
from privacy_center.selectors.notice import live_notices
from recommendations.actions.listening import rate_practice, set_favorite
from recommendations.models import Favorite, Listen, Practice, Rating, TrainingChange
from tests.conftest import NOW, choose, listen, make_account, person_of, shown

STORE, PERSONALIZE, TRAIN = (
    Purpose.LISTENING_STORE,
    Purpose.LISTENING_PERSONALIZE,
    Purpose.LISTENING_TRAIN,
)


def _decide(account: Account, **wishes: bool) -> list[ConsentRecord]:
    named = {Purpose(f"listening:{use}"): is_yes for use, is_yes in wishes.items()}
    return decide(account.subject.id, named, method=Method.PRIVACY_PAGE, at=NOW)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.key)
def test_a_preset_puts_exactly_its_purposes_in_force(alice: Account, preset: object) -> None:
    person = choose(alice, preset)  # type: ignore[arg-type]
    assert frozenset(person.consents) == preset.purposes  # type: ignore[attr-defined]
    assert ConsentRecord.objects.count() == len(LISTENING)


def test_no_preset_touches_mood(alice: Account) -> None:
    choose(alice, "community")
    assert not ConsentState.objects.filter(purpose__startswith="mood").exists()


def test_a_yes_to_a_use_is_a_yes_to_storing_and_both_are_recorded(alice: Account) -> None:
    records = _decide(alice, train=True)
    assert [(r.purpose, r.decision) for r in records] == [
        (STORE, Decision.GIVEN),
        (TRAIN, Decision.GIVEN),
    ]


def test_a_no_to_storing_ends_every_use_first(alice: Account) -> None:
    choose(alice, "community")
    records = _decide(alice, store=False)
    assert [r.purpose for r in records][-1] == STORE
    assert {r.purpose for r in records} == {STORE, PERSONALIZE, TRAIN}
    assert {r.decision for r in records} == {Decision.WITHDRAWN}
    assert purposes_in_force(alice.subject.id) == {}


def test_the_same_answer_again_changes_nothing(alice: Account) -> None:
    choose(alice, "community")
    assert _decide(alice, train=True) == []


def test_a_record_names_the_notice_that_was_read_and_when_the_yes_ends(alice: Account) -> None:
    (record,) = _decide(alice, store=True)
    assert record.notice == live_notices()[STORE]
    assert record.valid_until == NOW + timedelta(days=730)


def test_contradictory_wishes_are_refused_and_nothing_is_written(alice: Account) -> None:
    with pytest.raises(ConsentRefused):
        _decide(alice, store=False, train=True)
    assert not ConsentRecord.objects.exists()


@pytest.mark.parametrize("purpose", sorted(set(Purpose) - OFFERED))
def test_what_nothing_would_use_cannot_be_granted(alice: Account, purpose: Purpose) -> None:
    with pytest.raises(ConsentRefused):
        decide(alice.subject.id, {purpose: True}, method=Method.API, at=NOW)
    assert not ConsentRecord.objects.exists()


def test_below_the_age_of_consent_nothing_can_be_granted(db: None) -> None:
    child = make_account("dora", band=AgeBand.BELOW_CONSENT)
    with pytest.raises(ConsentRefused):
        _decide(child, store=True)
    assert _decide(child, store=False)[0].decision == Decision.REFUSED


def test_withdrawing_store_deletes_history_favorites_and_ratings_in_the_same_moment(
    alice: Account, practice: Practice
) -> None:
    person = choose(alice, "community")
    listen(person, practice)
    rate_practice(person, practice, 4)
    set_favorite(person, practice, is_favorite=True)
    choose(alice, "just-listening")
    assert [m.objects.count() for m in (Listen, Rating, Favorite)] == [0, 0, 0]


def test_withdrawing_train_makes_forgetting_urgent(alice: Account) -> None:
    choose(alice, "community")
    TrainingChange.objects.all().delete()
    _decide(alice, train=False)
    assert [c.kind for c in TrainingChange.objects.all()] == [TrainingChange.Kind.FORGET]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE privacy_center_consentrecord SET decision = 'refused'",
        "DELETE FROM privacy_center_consentrecord",
        "TRUNCATE privacy_center_consentrecord CASCADE",
    ],
)
def test_fault_27_the_database_refuses_to_change_a_record(alice: Account, statement: str) -> None:
    choose(alice, "community")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert ConsentRecord.objects.count() == len(LISTENING)


def test_a_state_cannot_say_what_its_record_does_not(alice: Account) -> None:
    choose(alice, "just-for-me")
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentState.objects.filter(purpose=STORE).update(decision=Decision.REFUSED)


def test_a_sale_can_never_be_given(alice: Account) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsentRecord.objects.create(
            subject=alice.subject, purpose=Purpose.SALE, decision=Decision.GIVEN,
            method=Method.API, notice=live_notices()[Purpose.SALE], language="en", commitment=b"", recorded_at=NOW,
            valid_until=NOW,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_use_without_store(alice: Account) -> None:
    _decide(alice, store=False)
    record = ConsentRecord.objects.create(
        subject=alice.subject, purpose=TRAIN, decision=Decision.GIVEN,
        method=Method.API, notice=live_notices()[TRAIN], language="en", commitment=b"", recorded_at=NOW,
            valid_until=NOW,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="need store"):
        ConsentState.objects.create(
            subject=alice.subject, purpose=TRAIN, decision=Decision.GIVEN, record=record, since=NOW,
            valid_until=NOW,
        )


def test_a_switch_on_the_page_holds_at_once_and_says_what_it_did(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(alice)
    response = client.post("/privacy/decide/", {"purpose": TRAIN, "decision": "yes", "shown": shown()}, follow=True)
    assert person_of(alice).can_train
    assert "On from now: “Keep my history”, “Help everyone" in response.content.decode().replace(
        "&#x27;", "'"
    )


@pytest.mark.parametrize(
    "body",
    [{}, {"purpose": "telepathy", "decision": "yes"}, {"purpose": TRAIN, "decision": "maybe"}],
)
def test_input_34_an_unknown_purpose_or_decision_is_400_and_changes_nothing(
    alice: Account, signed_in: Callable[[Account], Client], body: dict[str, str]
) -> None:
    assert signed_in(alice).post("/privacy/decide/", body).status_code == 400
    assert not ConsentRecord.objects.exists()


def test_the_question_is_asked_once(alice: Account, signed_in: Callable[[Account], Client]) -> None:
    client = signed_in(alice)
    assert client.get("/privacy/welcome/").status_code == 200
    client.post("/privacy/preset/", {"preset": "just-listening", "asked": "welcome"})
    assert ConsentRecord.objects.filter(decision=Decision.REFUSED, method="welcome").count() == 3
    assert client.get("/privacy/welcome/").status_code == 302
