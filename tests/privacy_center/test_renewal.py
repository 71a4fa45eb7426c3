"""Asking again: words that changed, a yes that ends soon, and putting the question aside."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.html import strip_tags

from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import Account, ConsentRecord, Decision, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.consent import ASK_BEFORE
from privacy_center.selectors.renewal import renewals, states_to_ask
from recommendations.models import Listen, Practice
from tests.conftest import choose, listen, person_of

SignedIn = Callable[[Account], Client]
STORE, TRAIN, MOOD_STORE = (
    Purpose.LISTENING_STORE,
    Purpose.LISTENING_TRAIN,
    Purpose.MOOD_STORE,
)
PAGE, LATER = "/practices/", "/privacy/later/"
CHANGED = "have changed"
ENDS = "ends soon"
NEWS = "We also keep where you stopped."


def _publish(purpose: Purpose = STORE) -> Notice:
    draft = draft_notice(purpose)
    for text in draft.texts.all():
        text.sentence = NEWS
        text.save()
    return publish_notice(draft, at=timezone.now())


def _page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


@pytest.fixture
def community(alice: Account) -> Account:
    """Alice, who said yes to everything about listening a moment ago."""
    choose(alice, "community", at=timezone.now())
    return alice


def test_a_new_notice_is_told_on_every_page_with_the_words_before_and_now(
    community: Account, signed_in: SignedIn
) -> None:
    client = signed_in(community)
    assert CHANGED not in _page(client)
    before = Notice.objects.get(purpose=STORE, version=1).texts.get(language="en").sentence
    _publish()
    for path in (PAGE, "/", "/practices/steady-rain/", "/how-it-works/"):
        page = _page(client, path)
        assert CHANGED in page, path
        words = " ".join(strip_tags(page).split())
        assert NEWS in words
        assert before in words
        assert "<ins>" in page


def test_the_words_are_in_the_reader_s_language(community: Account, signed_in: SignedIn) -> None:
    draft = draft_notice(STORE)
    for text in draft.texts.all():
        text.sentence = f"Neu: {text.language}"
        text.save()
    publish_notice(draft, at=timezone.now())
    page = signed_in(community).get(PAGE, headers={"Accept-Language": "de"}).content.decode()
    assert "Neu: de" in page
    assert "Neu: en" not in page


@pytest.mark.parametrize("answer", ["yes", "no"])
def test_one_press_answers_and_stays_on_the_page(
    community: Account, signed_in: SignedIn, practice: Practice, answer: str
) -> None:
    listen(person_of(community), practice)
    notice, client = _publish(), signed_in(community)
    assert not person_of(community).can_store
    said = client.post(
        "/privacy/decide/",
        {"purpose": STORE, "decision": answer, "shown": f"{STORE}={notice.version}", "next": PAGE},
    )
    assert said["Location"] == PAGE
    assert CHANGED not in _page(client)
    last = ConsentRecord.objects.filter(purpose=STORE).order_by("-entry__id")[0]
    assert last.decision == (Decision.RENEWED if answer == "yes" else Decision.WITHDRAWN)
    assert person_of(community).can_train is (answer == "yes")
    assert Listen.objects.exists() is (answer == "yes")


def test_a_yes_that_ends_within_a_month_is_asked_for_again(
    alice: Account, signed_in: SignedIn
) -> None:
    now = timezone.now()
    choose(alice, "just-for-me", at=now - timedelta(days=730) + ASK_BEFORE + timedelta(hours=1))
    client = signed_in(alice)
    assert ENDS not in _page(client)
    states = states_to_ask(alice.subject.id, at=now + timedelta(hours=2))
    asked = renewals(states, language="en", at=now + timedelta(hours=2))
    assert [renewal.is_suspended for renewal in asked] == [False, False]


def test_a_yes_that_ends_soon_is_told_with_its_date(alice: Account, signed_in: SignedIn) -> None:
    end = timezone.now() + timedelta(days=10)
    choose(alice, "just-for-me", at=end - timedelta(days=730))
    page = _page(signed_in(alice))
    assert ENDS in page
    assert f"ends on {end.day} {end:%B %Y}" in page


def test_a_question_put_aside_is_not_asked_again_during_the_visit(
    community: Account, signed_in: SignedIn
) -> None:
    _publish()
    client = signed_in(community)
    count = ConsentRecord.objects.count()
    assert client.post(LATER, {"next": PAGE})["Location"] == PAGE
    assert ConsentRecord.objects.count() == count
    assert CHANGED not in _page(client)
    assert CHANGED in _page(signed_in(community))


def test_the_matrix_asks_where_the_switch_was_even_when_the_banner_is_put_aside(
    community: Account, signed_in: SignedIn
) -> None:
    _publish()
    client = signed_in(community)
    client.post(LATER)
    page = _page(client, "/privacy/")
    assert NEWS in page
    assert "Paused: the words have changed" in page
    assert "Paused until “Keep my history” is answered" in page
    assert "This is how it is now" not in page


def test_the_banner_costs_one_query_of_people_and_none_of_others(
    community: Account, signed_in: SignedIn
) -> None:
    client = signed_in(community)
    client.get(PAGE)
    with CaptureQueriesContext(connection) as queries:
        client.get("/accounts/logout/")
    asked = [q for q in queries.captured_queries if "consentstate" in q["sql"].lower()]
    assert len(asked) == 1
    with CaptureQueriesContext(connection) as queries:
        Client().get("/how-it-works/")
    assert not [q for q in queries.captured_queries if "consentstate" in q["sql"].lower()]


@pytest.mark.parametrize("next_page", ["//evil.example/", "https://evil.example/", "javascript:x"])
def test_input_39_an_answer_never_leads_to_another_site(
    community: Account, signed_in: SignedIn, next_page: str
) -> None:
    client = signed_in(community)
    body = {"purpose": TRAIN, "decision": "no", "next": next_page}
    assert client.post("/privacy/decide/", body)["Location"] == "/privacy/"
    assert client.post(LATER, {"next": next_page})["Location"] == "/privacy/"
