"""Deciding: records, states, and what must follow a decision in the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise
from threading import Barrier

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test import Client
from django.utils import timezone

from privacy_center.actions.consent import ConsentRefused, decide
from privacy_center.models import (
    Account,
    AgeBand,
    ConsentRecord,
    ConsentState,
    DataSubject,
    Decision,
    LedgerEntry,
    Method,
)
from privacy_center.purposes import LISTENING, MOOD, OFFERED, PRESETS, Purpose
from privacy_center.selectors.consent import purposes_in_force
from privacy_center.selectors.notice import live_notices
from recommendations.actions.listening import rate_practice, set_favorite
from recommendations.models import (
    Favorite,
    Listen,
    Practice,
    Rating,
    Release,
    VectorChange,
)
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen, make_account, person_of, shown
from tests.unchanged import unchanged

STORE, PERSONALIZE, TRAIN = (
    Purpose.LISTENING_STORE,
    Purpose.LISTENING_PERSONALIZE,
    Purpose.LISTENING_TRAIN,
)
MOOD_STORE = Purpose.MOOD_STORE
FLIPS = 60


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
    VectorChange.objects.all().delete()
    _decide(alice, train=False)
    assert [c.kind for c in VectorChange.objects.all()] == [VectorChange.Kind.FORGET]


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
            method=Method.API, notice=live_notices()[Purpose.SALE], language="en",
            commitment=b"", recorded_at=NOW, valid_until=NOW,
        )  # fmt: skip


@pytest.mark.django_db(transaction=True)
def test_the_database_refuses_a_use_without_store(alice: Account) -> None:
    _decide(alice, store=False)
    record = ConsentRecord.objects.create(
        subject=alice.subject, purpose=TRAIN, decision=Decision.GIVEN,
        method=Method.API, notice=live_notices()[TRAIN], language="en",
        commitment=b"", recorded_at=NOW, valid_until=NOW,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="need store"):
        ConsentState.objects.create(
            subject=alice.subject,
            purpose=TRAIN,
            decision=Decision.GIVEN,
            record=record,
            since=NOW,
            valid_until=NOW,
        )


def test_a_switch_on_the_page_holds_at_once_and_says_what_it_did(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(alice)
    response = client.post(
        "/privacy/decide/", {"purpose": TRAIN, "decision": "yes", "shown": shown()}, follow=True
    )
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


@pytest.mark.parametrize(
    "address",
    ["/privacy/decide/", "/privacy/mood/", "/privacy/preset/"],
)
def test_fault_11_a_yes_after_the_key_was_destroyed_is_refused_and_nothing_is_written(
    alice: Account, signed_in: Callable[[Account], Client], address: str
) -> None:
    choose(alice, "just-listening")
    DataSubject.objects.update(wrapped_key=None, wrapping_key_id="")
    purpose = MOOD_STORE if "mood" in address else STORE
    body = {"purpose": purpose, "decision": "yes", "preset": "community", "shown": shown()}
    client = signed_in(alice)
    with unchanged():
        answer = client.post(address, body, follow=True)
    assert "The key of this account is gone" in answer.content.decode()
    assert purposes_in_force(alice.subject.id) == {}


def test_fault_11_the_action_refuses_too(alice: Account) -> None:
    DataSubject.objects.update(wrapped_key=None, wrapping_key_id="")
    with unchanged(), pytest.raises(ConsentRefused):
        _decide(alice, store=True)


@pytest.mark.django_db(transaction=True)
def test_fault_13_of_two_clients_that_flip_at_once_the_last_in_the_ledger_is_what_is_shown(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    choose(alice, "just-for-me")
    barrier = Barrier(2)

    def flip(client: Client) -> None:
        barrier.wait()
        try:
            for number in range(FLIPS):
                body = {"purposes": {TRAIN: number % 2 == 0}, "notices": {STORE: 1, TRAIN: 1}}
                answer = client.patch("/api/v1/consent/", body, content_type="application/json")
                assert answer.status_code == 200, answer.content
        finally:
            connection.close()

    clients = [signed_in(alice), signed_in(alice)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(flip, clients))

    said = [
        Decision(decision)
        for decision in ConsentRecord.objects.filter(purpose=TRAIN)
        .order_by("entry__id")
        .values_list("decision", flat=True)
    ]
    assert FLIPS < len(said) <= 2 * FLIPS + 1
    assert all(a.is_yes != b.is_yes for a, b in pairwise(said))
    state = ConsentState.objects.get(purpose=TRAIN)
    assert state.decision == said[-1]
    assert state.record.entry.id == max(
        LedgerEntry.objects.filter(record__purpose=TRAIN).values_list("id", flat=True)
    )
    shown_now = clients[0].get("/api/v1/consent/").json()["purposes"][TRAIN]["is_given"]
    assert shown_now is said[-1].is_yes


@pytest.mark.parametrize("purpose", MOOD)
def test_mood_is_agreed_to_only_beside_its_statement(
    alice: Account, signed_in: Callable[[Account], Client], purpose: Purpose
) -> None:
    client = signed_in(alice)
    yes = {"purpose": purpose, "decision": "yes", "shown": shown()}
    with unchanged():
        assert client.post("/privacy/decide/", yes).status_code == 400
    page = client.get("/privacy/mood/").content.decode()
    for asked in (purpose.needs, purpose):
        if asked:
            statement = live_notices()[asked].texts.get(language="en").statement
            assert statement in page.replace("&#x27;", "'")
    client.post("/privacy/mood/", yes)
    assert purpose in purposes_in_force(alice.subject.id)
    client.post("/privacy/decide/", {"purpose": purpose, "decision": "no"})
    assert purpose not in purposes_in_force(alice.subject.id)


def test_the_page_about_mood_takes_no_answer_about_listening(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(alice)
    with unchanged():
        body = {"purpose": STORE, "decision": "yes", "shown": shown()}
        assert client.post("/privacy/mood/", body).status_code == 400


def test_anybody_can_read_what_mood_is_for_and_answers_need_an_account(db: None) -> None:
    assert Client().get("/privacy/mood/").status_code == 200
    answer = Client().post("/privacy/mood/", {"purpose": MOOD_STORE, "decision": "yes"})
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.django_db(transaction=True)
def test_the_page_says_when_the_release_without_the_person_is_out(
    alice: Account, signed_in: Callable[[Account], Client], practice: Practice
) -> None:
    listen(choose(alice, "community"), practice)
    client = signed_in(alice)
    region = f"/privacy/clean/{TRAIN}/"
    assert "release" not in client.get(region).content.decode()
    client.post("/privacy/decide/", {"purpose": TRAIN, "decision": "no"})
    assert "is being made" in client.get(region).content.decode()
    assert "every 2s" in client.get("/privacy/").content.decode()
    train(clock=timezone.now)
    published_at = Release.objects.get(state=Release.State.ACTIVE).published_at
    assert published_at
    for page in (client.get(region), client.get("/privacy/")):
        assert f"is out since {published_at:%-d %B %Y, %H:%M:%S} UTC" in page.content.decode()
        assert "every 2s" not in page.content.decode()


@pytest.mark.parametrize("purpose", ["telepathy", "listening:store", "sale"])
def test_where_nothing_was_learned_there_is_nothing_to_wait_for(
    alice: Account, signed_in: Callable[[Account], Client], purpose: str
) -> None:
    answer = signed_in(alice).get(f"/privacy/clean/{purpose}/")
    assert answer.status_code == 200
    assert not answer.content.strip()


def test_words_that_changed_meanwhile_are_409_on_the_page_and_change_nothing(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(alice)
    with unchanged():
        body = {"purpose": STORE, "decision": "yes", "shown": f"{STORE}=7"}
        answer = client.post("/privacy/decide/", body)
    assert answer.status_code == 409
    assert "The words have changed" in answer.content.decode()


def test_below_the_age_of_consent_the_page_says_so_and_offers_no_yes(
    db: None, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(make_account("dora", band=AgeBand.BELOW_CONSENT))
    yes = (
        "switch-listening",
        "switch-mood",
        "agree-mood",
        "choose-just-for-me",
        "choose-community",
    )
    for path in ("/privacy/", "/privacy/mood/", "/privacy/welcome/"):
        page = client.get(path).content.decode()
        assert "parent" in page, path
        assert not [name for name in yes if f'id="{name}' in page], path


def test_a_yes_that_holds_already_needs_no_words_anew(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    choose(alice, "just-for-me", at=timezone.now())
    body = {"purpose": TRAIN, "decision": "yes", "shown": f"{TRAIN}=1"}
    signed_in(alice).post("/privacy/decide/", body)
    assert person_of(alice).can_train
