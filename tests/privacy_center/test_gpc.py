"""Global Privacy Control: what a browser's signal does, once, with an account and without."""

import json
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy_center.actions.consent import decide
from privacy_center.actions.gpc import honor_signal
from privacy_center.gpc import COOKIE
from privacy_center.models import Account, ConsentRecord, DataSubject, Decision, Method
from privacy_center.purposes import GPC_COVERS, Purpose
from privacy_center.selectors.consent import consent_states
from privacy_center.selectors.notice import live_notices
from tests.conftest import NOW, choose, person_of, shown
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
PRIVACY, OPT_OUT, CONSENT = "/privacy/", "/privacy/opt-out/", "/api/v1/consent/"
SIGNAL = {"Sec-GPC": "1"}
HONORED = "Opt-out request honored"
TOLD = "Your browser’s signal switched something off"
SALE, TRAIN, MOOD_TRAIN = Purpose.SALE, Purpose.LISTENING_TRAIN, Purpose.MOOD_TRAIN


def _said(account: Account) -> list[tuple[str, str, str]]:
    """What the ledger says, in its order."""
    records = ConsentRecord.objects.filter(subject=account.subject).order_by("entry__id")
    return list(records.values_list("purpose", "decision", "method"))


def _answer(account: Account, purpose: Purpose) -> str | None:
    state = consent_states(account.subject.id).get(purpose)
    return state.decision if state else None


def _page(client: Client, path: str = PRIVACY, **headers: str) -> str:
    return client.get(path, headers=headers).content.decode()


@pytest.mark.parametrize("value", ["1", "0, 1", "1,1", "1, yes", " 1 ", "\t1"])
def test_one_value_that_is_exactly_1_is_enough(
    alice: Account, signed_in: SignedIn, value: str
) -> None:
    signed_in(alice).get(PRIVACY, headers={"Sec-GPC": value})
    assert _said(alice) == [(SALE, Decision.REFUSED, Method.GPC)]


@pytest.mark.parametrize(
    "value", ["", "0", "01", "1.0", "true", "yes", "11", "1;q=1", '"1"', "?1", "１", "1 1"]
)
def test_any_other_value_is_ignored(alice: Account, signed_in: SignedIn, value: str) -> None:
    client = signed_in(alice)
    with unchanged():
        client.get(PRIVACY, headers={"Sec-GPC": value})


@pytest.mark.parametrize("query", ["gpc=1", "Sec-GPC=1", "sec_gpc=1", "gpc=signal"])
def test_a_query_parameter_is_never_a_signal(
    alice: Account, signed_in: SignedIn, query: str
) -> None:
    client = signed_in(alice)
    with unchanged():
        client.get(f"{PRIVACY}?{query}")
    assert HONORED not in Client().get(f"{PRIVACY}?{query}").content.decode()


def test_a_conflict_keeps_the_more_private_answer_and_records_both(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    decide(alice.subject.id, {MOOD_TRAIN: True}, method=Method.PRIVACY_PAGE, at=NOW)
    before = _said(alice)
    signed_in(alice).get("/", headers=SIGNAL)
    after = _said(alice)
    assert after[: len(before)] == before
    assert sorted(after[len(before) :]) == [
        (TRAIN, Decision.WITHDRAWN, Method.GPC),
        (MOOD_TRAIN, Decision.WITHDRAWN, Method.GPC),
        (SALE, Decision.REFUSED, Method.GPC),
    ]
    person = person_of(alice)
    assert person.can_personalize
    assert person.can_store_mood
    assert not set(GPC_COVERS) & set(person.consents)


def test_the_person_is_told_what_changed_until_they_answer_and_then_no_more(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    client = signed_in(alice)
    page = _page(client, "/practices/", **SIGNAL)
    assert TOLD in page
    assert "Help everyone" in page
    answer = {"purpose": TRAIN, "decision": "no", "next": "/practices/"}
    assert client.post("/privacy/decide/", answer, headers=SIGNAL)["Location"] == "/practices/"
    assert TOLD not in _page(client, "/practices/", **SIGNAL)
    assert "Switched off by your browser’s signal" in _page(client, **SIGNAL)


def test_without_a_conflict_there_is_nothing_to_tell(alice: Account, signed_in: SignedIn) -> None:
    choose(alice, "just-for-me")
    assert TOLD not in _page(signed_in(alice), **SIGNAL)


def test_an_explicit_yes_after_the_signal_holds_while_the_signal_goes_on(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    client = signed_in(alice)
    client.get(PRIVACY, headers=SIGNAL)
    yes = {"purpose": TRAIN, "decision": "yes", "shown": shown()}
    client.post("/privacy/decide/", yes, headers=SIGNAL)
    with unchanged():
        client.get(PRIVACY, headers=SIGNAL)
        client.get(CONSENT, headers=SIGNAL)
    assert person_of(alice).can_train


def test_a_fresh_sign_in_with_the_signal_already_recorded_is_no_change(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    signed_in(alice).get(PRIVACY, headers=SIGNAL)
    decide(alice.subject.id, {TRAIN: True}, method=Method.PRIVACY_PAGE, at=NOW)
    count = ConsentRecord.objects.count()
    signed_in(alice).get(PRIVACY, headers=SIGNAL)
    assert ConsentRecord.objects.count() == count
    assert person_of(alice).can_train


def test_a_signal_that_stops_and_begins_again_is_a_change(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    client = signed_in(alice)
    client.get(PRIVACY, headers=SIGNAL)
    decide(alice.subject.id, {TRAIN: True}, method=Method.PRIVACY_PAGE, at=NOW)
    client.get(PRIVACY)
    assert person_of(alice).can_train
    client.get(PRIVACY, headers=SIGNAL)
    assert not person_of(alice).can_train


def test_a_signal_that_begins_during_a_session_counts_whatever_was_recorded_before(
    alice: Account,
) -> None:
    honor_signal(alice.subject.id, at=NOW)
    client = Client()
    client.post(
        "/accounts/login/", {"login": alice.email, "password": "a-quiet-shore"}, follow=True
    )
    decide(alice.subject.id, {TRAIN: True}, method=Method.PRIVACY_PAGE, at=NOW)
    client.get(PRIVACY, headers=SIGNAL)
    assert not person_of(alice).can_train


def test_the_toggle_takes_the_opt_out_back_and_the_same_signal_does_not_undo_that(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    assert HONORED in _page(client, **SIGNAL)
    client.post(OPT_OUT, {"decision": "no"}, headers=SIGNAL)
    assert _answer(alice, SALE) == Decision.INVALIDATED
    assert HONORED not in _page(client, "/practices/", **SIGNAL)


def test_the_signal_is_recorded_once_and_then_costs_no_query_of_its_own(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.get("/practices/", headers=SIGNAL)
    with unchanged(), CaptureQueriesContext(connection) as with_signal:
        client.get("/practices/", headers=SIGNAL)
    client.get("/practices/")
    with CaptureQueriesContext(connection) as without:
        client.get("/practices/")
    assert len(with_signal) == len(without)


def test_two_first_requests_at_once_record_it_once(alice: Account, signed_in: SignedIn) -> None:
    first, second = signed_in(alice), signed_in(alice)
    first.get(PRIVACY, headers=SIGNAL)
    second.get(PRIVACY, headers=SIGNAL)
    assert honor_signal(alice.subject.id, at=NOW) == []
    assert len(_said(alice)) == 1


def test_an_api_client_sends_the_same_header_and_reads_the_state(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    assert client.get(CONSENT).json()["gpc"] == {
        "is_signaled": False,
        "is_opted_out": False,
        "since": None,
    }
    answer = client.get(CONSENT, headers=SIGNAL)
    gpc = answer.json()["gpc"]
    assert gpc["is_signaled"]
    assert gpc["is_opted_out"]
    assert gpc["since"]
    assert "Sec-GPC" in answer["Vary"]


def test_the_signal_of_a_person_whose_key_is_gone_is_honored_too(
    alice: Account, signed_in: SignedIn
) -> None:
    DataSubject.objects.update(wrapped_key=None, wrapping_key_id="")
    assert HONORED in _page(signed_in(alice), **SIGNAL)
    assert _said(alice) == [(SALE, Decision.REFUSED, Method.GPC)]


def test_an_account_without_a_person_is_no_obstacle(db: None, signed_in: SignedIn) -> None:
    client = signed_in(Account.objects.create_user("editor@example.org", is_staff=True))
    assert client.get("/practices/", headers=SIGNAL).status_code == 200


def test_without_an_account_the_signal_is_honored_and_nothing_is_written(db: None) -> None:
    client = Client()
    with unchanged():
        page = _page(client, **SIGNAL)
        footer = _page(client, "/practices/", **SIGNAL)
    assert HONORED in page
    assert HONORED in footer
    assert "session" not in client.cookies


def test_without_an_account_one_press_opts_out_and_one_press_takes_it_back(db: None) -> None:
    client = Client()
    with unchanged():
        client.post(OPT_OUT, {"decision": "yes"})
    assert client.cookies[COOKIE].value == "pressed"
    assert HONORED in _page(client, "/practices/")
    client.post(OPT_OUT, {"decision": "no"})
    assert HONORED not in _page(client, "/practices/")


def test_an_opt_out_pressed_before_signing_in_goes_with_the_person(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.cookies[COOKIE] = "pressed"
    client.get(PRIVACY)
    assert _answer(alice, SALE) == Decision.REFUSED


def test_signed_in_one_press_opts_out_and_the_ledger_remembers(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    client.post(OPT_OUT, {"decision": "yes"})
    assert _said(alice) == [(SALE, Decision.REFUSED, Method.PRIVACY_PAGE)]
    assert COOKIE not in client.cookies
    assert HONORED in _page(signed_in(alice), "/practices/")
    client.post(OPT_OUT, {"decision": "no"})
    assert _said(alice)[1:] == [(SALE, Decision.INVALIDATED, Method.PRIVACY_PAGE)]


@pytest.mark.parametrize("body", [{}, {"decision": "maybe"}, {"decision": ""}])
def test_a_press_that_is_neither_yes_nor_no_is_400(db: None, body: dict[str, str]) -> None:
    assert Client().post(OPT_OUT, body).status_code == 400


def test_input_29_an_opt_out_without_the_page_s_token_is_403(db: None) -> None:
    assert Client(enforce_csrf_checks=True).post(OPT_OUT, {"decision": "yes"}).status_code == 403


def test_the_site_says_that_it_honors_the_signal(db: None) -> None:
    answer = Client().get("/.well-known/gpc.json")
    assert answer["Content-Type"] == "application/json"
    said = json.loads(answer.content)
    assert said["gpc"] is True
    assert set(said) == {"gpc", "lastUpdate"}
    assert len(said["lastUpdate"]) == len("2026-01-01")


def test_a_page_says_that_it_depends_on_the_signal_and_a_plain_file_does_not(db: None) -> None:
    assert "Sec-GPC" in Client().get("/practices/")["Vary"]
    assert "Sec-GPC" not in Client().get("/.well-known/gpc.json").get("Vary", "")


def test_no_notice_offers_a_yes_to_sale(alice: Account, signed_in: SignedIn) -> None:
    versions = f"sale={live_notices()[SALE].version}"
    client = signed_in(alice)
    with unchanged():
        client.post("/privacy/decide/", {"purpose": SALE, "decision": "yes", "shown": versions})
