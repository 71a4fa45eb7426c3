"""Leaving: from the question to a certificate that verifies by itself, with nothing left behind."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from privacy_center.models import Account, DataSubject, Erasure
from privacy_center.residue import look
from tests.conftest import PASSWORD, wait_for, worker
from tests.journeys.conftest import sign_in
from tests.journeys.test_certificate import _verify_alone, learned
from tests.journeys.test_pages import PHONE, RULES, SMALL_TARGETS, SMALLEST_TARGET

__all__ = ["learned"]

pytestmark = pytest.mark.journey


def _say_it_is_me(page: Page) -> None:
    """Before anything is erased the site asks again who is there."""
    expect(page.get_by_role("heading", name="Is it you?")).to_be_visible()
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("heading", name="Erase my account", exact=True)).to_be_visible()


def _is_clean(page: Page) -> None:
    found = Axe().run(page, options=RULES)
    assert not found.response["violations"], found.generate_report()
    assert page.evaluate(SMALL_TARGETS, SMALLEST_TARGET) == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_whoever_leaves_is_gone_everywhere_and_can_show_it(
    new_page: Callable[..., Page], learned: Account, tmp_path: Path, scripts: bool
) -> None:
    tokens = [learned.email, str(DataSubject.objects.get(account=learned).pk)]
    page = new_page(java_script_enabled=scripts, viewport=PHONE)
    sign_in(page, learned)
    page.goto("/privacy/")
    page.get_by_role("link", name="Erase my account").click()
    _say_it_is_me(page)
    if scripts:
        _is_clean(page)
    page.get_by_role("radio", name="Now").focus()
    page.keyboard.press("Space")
    page.get_by_label("Type the word").fill("erase")
    with worker():
        page.keyboard.press("Enter")
        page.wait_for_url("**/privacy/erasures/*/")
        # The page looks again by itself, with and without scripts.
        expect(page.get_by_role("heading", name="Erased", exact=True)).to_be_visible(timeout=60_000)
    if scripts:
        _is_clean(page)
    wait_for(lambda: Erasure.objects.filter(is_told=True).exists(), what="the mail")
    assert look(tokens).hits == []
    with page.expect_download() as download:
        page.get_by_role("link", name="The signed certificate").click()
    file = tmp_path / "certificate.json"
    download.value.save_as(file)
    done = _verify_alone(file)
    assert done.stdout.startswith("Genuine: erasure "), done.stdout + done.stderr
    page.goto("/history/")
    expect(page.get_by_role("link", name="Sign in").first).to_be_visible()


def test_an_erasure_with_a_grace_is_taken_back_on_its_page(page: Page, learned: Account) -> None:
    sign_in(page, learned)
    page.goto("/privacy/leave/")
    _say_it_is_me(page)
    page.get_by_label("In 7 days").check()
    page.get_by_label("Type the word").fill("erase")
    page.get_by_role("button", name="Erase my account").click()
    expect(page.get_by_role("heading", name="It will be erased")).to_be_visible()
    page.get_by_role("button", name="Keep my account").click()
    expect(page.get_by_role("heading", name="Kept")).to_be_visible()
    page.goto("/history/")
    expect(page.get_by_role("heading", name="History")).to_be_visible()
