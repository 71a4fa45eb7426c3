"""The site in German, for somebody who changes the language at the foot of a page."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from recommendations.models import Practice

pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("scripts", [True, False])
def test_the_language_changes_with_one_press_and_the_page_stays(
    scripts: bool, new_page: Callable[..., Page]
) -> None:
    page = new_page(java_script_enabled=scripts)
    page.goto("/how-it-works/")
    page.get_by_role("link", name="Library").first.click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("heading", name="Bibliothek")).to_be_visible()
    assert page.url.endswith("/practices/")
    assert page.locator("html").get_attribute("lang") == "de"
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()


def test_the_player_speaks_the_language_of_the_page(
    new_page: Callable[..., Page], practice: Practice
) -> None:
    page = new_page(locale="de-DE")
    page.goto(practice.get_absolute_url())
    toggle = page.locator("[data-player-toggle]")
    expect(toggle).to_have_text("Abspielen")
    toggle.click()
    expect(toggle).to_have_text("Pause")
    page.get_by_label("Aufhören").select_option("10")
    expect(page.locator("[data-player-timer-left]")).to_have_text("Endet in 10 Min.")
    seek = page.get_by_label("Stelle")
    spoken = re.compile(r"\d+ Sekunden? von 60 Minuten 0 Sekunden")
    expect(seek).to_have_attribute("aria-valuetext", spoken)
    page.get_by_role("button", name="Zu den Favoriten").click()
    expect(page.get_by_role("button", name="In deinen Favoriten")).to_be_visible()


def test_the_words_of_a_practice_are_read_in_the_language_they_are_written_in(
    new_page: Callable[..., Page], catalog: list[Practice]
) -> None:
    page = new_page(locale="de-DE")
    guided = next(found for found in catalog if found.content.get("lines"))
    page.goto(guided.get_absolute_url())
    expect(page.locator("[data-player-lines]")).to_have_attribute("lang", "en")
    expect(page.locator("#player")).to_have_attribute("data-catalog-language", "en")
