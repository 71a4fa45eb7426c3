"""The policy about health data: for everybody, complete, and nothing in it that is not so."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import NoticeText
from privacy_center.purposes import MOOD, Purpose
from privacy_center.selectors.notice import live_notices, text_in
from tests.conftest import NOW

ADDRESS = "/privacy/health-data/"


@pytest.fixture
def page(db: None, settings: Settings) -> str:
    settings.CONTROLLER = "Quiet Shore Ltd, privacy@example.org"
    answer = Client().get(ADDRESS)
    assert answer.status_code == 200
    return answer.content.decode()


def test_every_page_leads_there_and_nobody_needs_an_account_to_read_it(db: None) -> None:
    for address in ("/", "/privacy/", "/accounts/login/"):
        assert f'href="{ADDRESS}"' in Client().get(address).content.decode(), address


@pytest.mark.parametrize(
    "said",
    [
        "What it is", "What it is used for", "Where it comes from", "Who gets it",
        "What you can do", "If we say no", "Who we are", "Affiliates:</strong> none",
        "shared with no other company", "Sale:</strong> never", "Take back a yes", "appeal",
        "within 45 days", "Attorney General", "Quiet Shore Ltd, privacy@example.org",
    ],
)  # fmt: skip
def test_it_says_what_the_law_asks_for(page: str, said: str) -> None:
    assert said in page


def test_it_says_what_can_be_done_by_oneself_and_what_not(page: str) -> None:
    assert "For a copy, write to us" in page
    assert 'href="/privacy/leave/"' in page


def test_the_purposes_are_those_of_the_live_notices_in_the_same_words(page: str) -> None:
    notices = live_notices()
    for purpose in MOOD:
        assert escape(text_in(notices[purpose], "en").sentence) in page


def test_a_new_version_of_a_notice_is_in_it_at_once(db: None) -> None:
    draft = draft_notice(Purpose.MOOD_STORE)
    NoticeText.objects.filter(notice=draft, language="en").update(sentence="Kept in a new way.")
    publish_notice(draft, at=NOW)
    assert "Kept in a new way." in Client().get(ADDRESS).content.decode()


def test_it_reads_the_notices_in_the_readers_language(db: None) -> None:
    page = Client(headers={"accept-language": "de"}).get(ADDRESS).content.decode()
    assert escape(text_in(live_notices()[Purpose.MOOD_STORE], "de").sentence) in page


def test_every_link_in_it_leads_somewhere(page: str) -> None:
    main = page.partition("<main")[2].partition("</main>")[0]
    for address in set(re.findall(r'href="(/[^"#]*)"', main)):
        assert Client().get(address).status_code in (200, 302), address


def test_input_15_it_is_only_read(db: None) -> None:
    assert Client().post(reverse("privacy_center:health-policy")).status_code == 405
