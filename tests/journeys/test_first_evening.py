"""From sign-up to leaving, in a browser, with a real worker: the whole of the site's promise."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.utils import timezone
from playwright.sync_api import Page, expect

from calm_site.demo import load_people
from privacy_center.models import ConsentState, DataSubject
from recommendations.models import Favorite, Listen, Practice, Rating, Release, Topic
from recommendations.trainer import train
from tests.conftest import wait_for, worker

pytestmark = pytest.mark.journey

HEARD = ("three-breaths", "five-breaths", "seven-breaths")
SECONDS = 10
HOME = re.compile(r":\d+/$")


def _short_practices() -> list[Practice]:
    """Three practices of ten seconds, so that a test can hear them to the end."""
    topic = Topic.objects.get(slug="breath")
    made = [
        Practice.objects.create(
            slug=slug,
            title=slug.replace("-", " ").capitalize(),
            summary="A short one.",
            kind="breathing",
            intention="calm",
            seconds=SECONDS,
            content={"pattern": [["in", 2.5], ["out", 2.5]], "rounds": 2},
        )
        for slug in HEARD
    ]
    for practice in made:
        practice.topics.add(topic)
    return made


def _active_digest() -> str:
    release = Release.objects.filter(state=Release.State.ACTIVE).first()
    return release.gram_digest if release else ""


def _newest_code(address: str) -> str:
    """The sign-up code mailed to this address."""
    mails = sorted(Path(django_settings.VAR_DIR, "mail").glob("*.log"))
    texts = [text for mail in mails if address in (text := mail.read_text())]
    found = re.findall(r"^([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", texts[-1], re.MULTILINE)
    return str(found[-1])


def _sign_up(page: Page, address: str) -> None:
    page.goto("/accounts/signup/")
    page.locator("input[name=email]").fill(address)
    page.locator("input[name=password1]").fill("the-tide-comes-in")
    page.locator("input[name=age]").fill("34")
    page.locator("select[name=region]").select_option("FI")
    page.get_by_role("button", name=re.compile("Sign up|Create|Join|Open", re.IGNORECASE)).click()
    code = page.locator("input[name=code]")
    expect(code).to_be_visible()
    code.fill(_newest_code(address))
    page.locator("main form button[type=submit]").first.click()
    page.wait_for_url("**/privacy/welcome/")


def _hear_to_the_end(page: Page, slug: str) -> None:
    page.goto(f"/practices/{slug}/")
    page.locator("#main [data-player-toggle]").first.click()
    expect(page.locator("[data-player-stage]")).to_have_attribute(
        "data-player-state", "finished", timeout=(SECONDS + 20) * 1000
    )


def test_join_listen_be_recommended_and_leave(
    new_page: Callable[..., Page], catalog: list[Practice]
) -> None:
    _short_practices()
    for _done in load_people(now=timezone.now() - timedelta(hours=1), count=60):
        pass
    train(clock=timezone.now)
    without_her = _active_digest()
    page = new_page()

    _sign_up(page, "new-person@example.org")
    subject = DataSubject.objects.get(account__email="new-person@example.org")
    page.get_by_role("button", name="Community").click()
    expect(page).to_have_url(HOME)
    first = page.locator("main").inner_text()
    assert "A good place to begin" in first

    for slug in HEARD:
        with page.expect_response(lambda r: "/api/v1/listens/" in r.url and r.ok):
            _hear_to_the_end(page, slug)
    wait_for(
        lambda: Listen.objects.filter(subject_id=subject.id, completion__gte=0.9).count() == 3,
        what="the three listens on the server",
    )

    with worker(beat=True):
        wait_for(lambda: _active_digest() not in ("", without_her), what="a release with her in it")
        page.goto("/")
        for_you = page.locator("section", has=page.get_by_role("heading", name="For you")).first
        expect(for_you).to_contain_text("Because you listened to")
        for_you.get_by_role("link", name=re.compile("Because you listened to")).first.click()
        expect(page.locator("main table").first).to_be_visible()

        page.goto("/privacy/")
        page.get_by_role("button", name="Just listening").click()
        expect(page.locator("#messages")).to_contain_text("deleted")
        wait_for(lambda: _active_digest() == without_her, what="a release that never knew her")

    released = set(Path(django_settings.VAR_DIR, "releases").iterdir())
    active = Release.objects.get(state=Release.State.ACTIVE)
    assert {file.name for file in released} == {active.file_name}
    _hear_to_the_end(page, HEARD[0])
    assert not Listen.objects.filter(subject_id=subject.id).exists()


def test_just_listening_sends_no_listening_data_and_the_database_gains_no_row(
    new_page: Callable[..., Page], catalog: list[Practice]
) -> None:
    _short_practices()
    page = new_page()
    _sign_up(page, "quiet-person@example.org")
    page.get_by_role("button", name="Just listening").click()
    expect(page).to_have_url(HOME)
    before = _rows()
    requests: list[tuple[str, str, str]] = []
    page.on("request", lambda r: requests.append((r.method, r.url, r.post_data or "")))

    _hear_to_the_end(page, HEARD[0])
    page.get_by_role("button", name=re.compile("favorite", re.IGNORECASE)).first.click()
    page.goto("/practices/")
    page.goto("/")
    device_shelf = page.locator("[data-device-shelf]")
    expect(device_shelf).to_contain_text("Three breaths")
    page.goto("/favorites/")
    expect(page.locator("main")).to_contain_text("Three breaths")

    assert {method for method, _url, _body in requests} == {"GET"}
    assert not [body for _method, _url, body in requests if body]
    told = [url for _method, url, _body in requests if HEARD[0] in url]
    assert [url.rsplit("/practices/")[-1] for url in told] == [f"{HEARD[0]}/"], told
    assert not [url for _m, url, _b in requests if "?" in url.replace("?intention", "")]
    assert _rows() == before


def _rows() -> tuple[int, ...]:
    models = (Listen, Rating, Favorite, ConsentState)
    return tuple(model.objects.count() for model in models)
