"""A real browser against the real web server."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from pytest_django import Settings

from calm_site import chromium
from privacy_center.models import Account
from recommendations.models import Practice
from tests.conftest import PASSWORD

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--mute-audio",
         "--autoplay-policy=no-user-gesture-required"]  # fmt: skip


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        path = chromium.find()
        assert path, "no Chromium; make test installs one"
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture
def live_site(
    transactional_db: None,
    web_server: str,
    catalog: list[Practice],
    settings: Settings,
) -> str:
    """The address of the site, with the catalog loaded and releases where the server looks."""
    settings.RELEASE_DIR = Path(django_settings.VAR_DIR) / "releases"
    return web_server


@pytest.fixture
def new_page(browser: Browser, live_site: str) -> Iterator[Callable[..., Page]]:
    """Makes pages in contexts of their own; at the end no page may have had an error."""
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(**options: object) -> Page:
        context = browser.new_context(base_url=live_site, **options)  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: errors.append(message.text) if message.type == "error" else None,
        )
        return page

    yield make
    for context in contexts:
        context.close()
    assert not errors, f"the browser reported: {errors}"


@pytest.fixture
def page(new_page: Callable[..., Page]) -> Page:
    return new_page()


def sign_in(page: Page, account: Account) -> None:
    """Sign in by the form, as a person does."""
    page.goto("/accounts/login/")
    page.get_by_label("E-mail").fill(account.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url(lambda url: "/accounts/login" not in url)
