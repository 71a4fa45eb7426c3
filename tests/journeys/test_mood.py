"""Checking in as people do it: by keyboard, without scripts, on a phone, by day and by night."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from privacy_center.models import Account
from recommendations.models import CheckIn, Label, Moment, Practice
from recommendations.selectors.mood import words_of
from tests.journeys.conftest import sign_in
from tests.journeys.test_pages import DESK, PHONE, RULES, SMALL_TARGETS, SMALLEST_TARGET
from tests.recommendations.moods import feel, share_mood

pytestmark = pytest.mark.journey


def _faults(page: Page) -> list[str]:
    found = [fault["id"] for fault in Axe().run(page, options=RULES).response["violations"]]
    return found + [f"small: {each}" for each in page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)]


@pytest.mark.parametrize(("viewport", "ground"), [(PHONE, "light"), (DESK, "dark")])
def test_pages_of_check_ins_are_accessible(
    new_page: Callable[..., Page],
    alice: Account,
    practice: Practice,
    viewport: dict[str, int],
    ground: str,
) -> None:
    page = new_page(viewport=viewport, color_scheme=ground)
    sign_in(page, alice)
    page.goto("/mood/")
    assert _faults(page) == []
    person = share_mood(alice)
    for days in range(40, 0, -2):
        at = timezone.now() - timedelta(days=days)
        feel(person, -1, 1, practice=practice, moment=Moment.BEFORE, at=at)
        after = at + timedelta(minutes=20)
        feel(
            person, 1, -1, Label.CALM, note="A line.\nAnother.", practice=practice,
            moment=Moment.AFTER, at=after,
        )  # fmt: skip
    page.goto("/mood/")
    page.get_by_text("The same in numbers").click()
    assert _faults(page) == []
    page.goto("/practices/steady-rain/")
    page.locator("#check-in summary").click()
    assert _faults(page) == []


def test_an_error_has_the_focus_and_its_page_may_be_loaded_again(
    browser: Browser, live_site: str, alice: Account
) -> None:
    share_mood(alice)
    # A page of its own, in which a refused request is not a fault.
    page = browser.new_page(base_url=live_site)
    sign_in(page, alice)
    page.goto("/practices/steady-rain/", wait_until="networkidle")
    page.locator("#check-in summary").click()
    form = page.locator(".check-in-form")
    # Whoever has no scripts, or an old browser, sends what the browser would not.
    form.evaluate("form => { form.noValidate = true; }")
    form.get_by_role("button").click()
    expect(page.locator(".form-errors")).to_be_focused()
    expect(page.locator(".form-errors")).to_contain_text("How does it feel?")
    page.reload()
    assert page.url.endswith("/practices/steady-rain/")
    page.close()


def test_by_keyboard_alone_a_check_in_is_kept_beside_a_practice(page: Page, alice: Account) -> None:
    share_mood(alice)
    sign_in(page, alice)
    page.goto("/practices/steady-rain/")
    page.locator("#check-in summary").focus()
    page.keyboard.press("Enter")
    for keys in (
        # When it is; how it feels: light; energy: tired; the fifth word; the note.
        ["Tab"], ["Tab", "Space", "ArrowRight", "ArrowRight", "ArrowRight"],
        ["Tab", "Space", "ArrowRight"], ["Tab"] * 5 + ["Space"], ["Tab"] * 8,
    ):  # fmt: skip
        for key in keys:
            page.keyboard.press(key)
    page.keyboard.type("By hand.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Your check-in is kept.")).to_be_visible()
    kept = CheckIn.objects.get()
    assert (kept.moment, kept.valence, kept.energy) == ("before", 1, -1)
    words = words_of(kept)
    assert words
    assert (words.labels, words.note) == ((Label.RESTLESS,), "By hand.")


def test_without_scripts_a_check_in_is_kept_shown_and_deleted(
    new_page: Callable[..., Page], alice: Account
) -> None:
    share_mood(alice)
    page = new_page(java_script_enabled=False)
    sign_in(page, alice)
    page.goto("/mood/")
    page.get_by_label("Very light", exact=True).check(force=True)
    page.get_by_label("Wide awake", exact=True).check(force=True)
    page.get_by_label("Hopeful", exact=True).check(force=True)
    page.get_by_label("A note", exact=True).fill("<i>No</i> scripts.")
    page.get_by_role("button", name="Keep this check-in").click()
    shown = page.locator(".check-in")
    expect(shown).to_contain_text("Very light, wide awake")
    expect(shown).to_contain_text("Hopeful")
    expect(shown).to_contain_text("<i>No</i> scripts.")
    page.get_by_role("button", name="Delete the check-in of").click()
    expect(page.get_by_text("The check-in is deleted.")).to_be_visible()
    assert not CheckIn.objects.exists()
