"""The first page: shelves for whoever is looking, by the clock of their device."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from privacy_center.models import Account
from recommendations.models import Intention, Practice
from tests.conftest import choose, listen
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
NOTHING_USED = "Nothing about you was used to make this page."

pytestmark = pytest.mark.usefixtures("catalog")


def _at(hour: int, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 3, 2, hour, 30, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)


def test_whoever_comes_finds_full_shelves_and_is_not_noted(catalog: list[Practice]) -> None:
    client = Client()
    with unchanged():
        answer = client.get("/")
    assert answer.status_code == 200
    shelves = answer.context["shelves"]
    assert len(shelves) >= 3
    assert all(shelf.cards for shelf in shelves)
    assert NOTHING_USED in answer.content.decode()
    assert set(client.cookies) <= {"csrftoken"}


@pytest.mark.parametrize(
    ("preset", "line"),
    [
        ("just-listening", NOTHING_USED),
        ("just-for-me", "Once you have listened to something"),
        ("community", "Once you have listened to something"),
    ],
)
def test_the_page_says_how_it_was_made(
    alice: Account, signed_in: SignedIn, preset: str, line: str
) -> None:
    choose(alice, preset)
    assert line in signed_in(alice).get("/").content.decode()


def test_what_was_heard_comes_back_on_its_own_shelf(
    alice: Account, signed_in: SignedIn, catalog: list[Practice]
) -> None:
    heard = catalog[:3]
    listen(choose(alice, "just-for-me"), *heard)
    shelves = {shelf.key: shelf for shelf in signed_in(alice).get("/").context["shelves"]}
    assert [c.practice for c in shelves["again"].cards] == heard[::-1]
    choose(alice, "just-listening")
    after = {shelf.key for shelf in signed_in(alice).get("/").context["shelves"]}
    assert "again" not in after


@pytest.mark.parametrize(
    ("hour", "clock", "greeting"),
    [
        (6, "0", "Good morning"), (12, "0", "Good day"), (18, "0", "Good evening"),
        (23, "0", "Good night"), (3, "0", "Good night"), (23, "+480", "Good morning"),
        (23, "480", "Good morning"), (12, "-600", "Good night"), (1, "-180", "Good night"),
        (18, "840", "Good morning"),
    ],
)  # fmt: skip
def test_the_greeting_follows_the_device_s_clock(
    monkeypatch: pytest.MonkeyPatch, hour: int, clock: str, greeting: str
) -> None:
    _at(hour, monkeypatch)
    client = Client()
    client.cookies["clock"] = clock
    assert client.get("/").context["greeting"] == greeting


@pytest.mark.parametrize("clock", ["", "noon", "841", "-841", "99999", "9" * 5000, "1e2", "0x10"])
def test_a_clock_that_cannot_be_is_read_as_utc_and_the_greeting_names_no_hour(
    monkeypatch: pytest.MonkeyPatch, clock: str
) -> None:
    _at(12, monkeypatch)
    client = Client()
    client.cookies["clock"] = clock
    page = client.get("/").context
    assert page["greeting"] == "Welcome"
    assert "For the day" in {shelf.title for shelf in page["shelves"]}


@pytest.mark.parametrize("intention", Intention.values)
def test_an_intention_can_be_asked_for(intention: str) -> None:
    answer = Client().get("/", {"intention": intention})
    assert answer.context["intention"] == intention
    shown = {c.practice.intention for shelf in answer.context["shelves"] for c in shelf.cards}
    assert intention in shown


@pytest.mark.parametrize("intention", ["", "joy", "SLEEP", "9" * 5000, "<b>"])
def test_an_unknown_intention_is_none(intention: str) -> None:
    answer = Client().get("/", {"intention": intention})
    assert answer.status_code == 200
    assert answer.context["intention"] == ""


@pytest.mark.parametrize("path", ["/", "/favorites/", "/privacy/"])
def test_a_page_that_depends_on_the_person_is_never_cached(
    alice: Account, signed_in: SignedIn, path: str
) -> None:
    for client in (Client(), signed_in(alice)):
        assert "no-store" in client.get(path)["Cache-Control"]


def test_the_privacy_page_is_one_click_away_from_every_page(
    alice: Account, signed_in: SignedIn
) -> None:
    pages = ["/", "/practices/", "/practices/steady-rain/", "/favorites/", "/how-it-works/"]
    pages += ["/account/", "/accounts/email/", "/accounts/2fa/", "/nowhere/"]
    client = signed_in(alice)
    for path in pages:
        assert 'href="/privacy/"' in client.get(path).content.decode(), path


def test_the_page_costs_few_queries(
    alice: Account, signed_in: SignedIn, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:30])
    client = signed_in(alice)
    with CaptureQueriesContext(connection) as queries:
        client.get("/")
    assert len(queries) <= 16
