"""The privacy page in a browser: by mouse, keyboard and thumb, with scripts and without."""

import http.client
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from privacy_center.actions.consent import decide
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import Account, AgeBand, ConsentRecord, Decision, Method
from privacy_center.purposes import LISTENING, MOOD, OFFERED, Purpose
from privacy_center.selectors.consent import consent_states, purposes_in_force
from recommendations.models import Listen, Practice
from recommendations.trainer import train
from tests.conftest import choose, listen, make_account, person_of, wait_for
from tests.journeys.stage import enter, kept
from tests.journeys.test_pages import PHONE, WATCH_SHIFTS, _faults

pytestmark = pytest.mark.journey

PRIVACY, MOOD_PAGE = "/privacy/", "/privacy/mood/"
STORE, TRAIN = Purpose.LISTENING_STORE, Purpose.LISTENING_TRAIN
MOST_TABS = 120
CELLS = [*LISTENING, *MOOD]
WAYS: dict[str, dict[str, object]] = {
    "desk": {},
    "phone": {"viewport": PHONE, "has_touch": True},
    "without scripts": {"java_script_enabled": False},
    "phone without scripts": {"viewport": PHONE, "java_script_enabled": False},
}
LOOKS = """(buttons) => buttons.map((button) => {
    const { width, height, y } = button.getBoundingClientRect();
    const { color, backgroundColor, border, font, borderRadius } = getComputedStyle(button);
    const box = [width, height, y].map(Math.round);
    return JSON.stringify([box, color, backgroundColor, border, font, borderRadius]);
})"""
SIGNALS = "Object.defineProperty(navigator, 'globalPrivacyControl', { get: () => true })"


def _cell(page: Page, purpose: Purpose) -> Locator:
    return page.locator(f'[data-cell="{purpose}"]')


def _wait_in_force(account: Account, purpose: Purpose, *, is_on: bool) -> None:
    wait_for(
        lambda: (purpose in purposes_in_force(account.subject.id)) is is_on,
        what=f"{purpose} {'on' if is_on else 'off'}",
    )


def _publish(purpose: Purpose) -> None:
    draft = draft_notice(purpose)
    for text in draft.texts.all():
        text.sentence += " And where you stopped."
        text.save()
    publish_notice(draft, at=timezone.now())


def _grant(page: Page, account: Account, purpose: Purpose, press: Callable[[Locator], None]) -> int:
    """From the privacy page to a yes; how many presses it took."""
    page.goto(PRIVACY)
    press(_cell(page, purpose).locator(".switch"))
    presses = 1
    if purpose in MOOD:
        page.wait_for_url(f"**{MOOD_PAGE}*")
        press(_cell(page, purpose).get_by_role("button", name="I agree", exact=True))
        presses += 1
    _wait_in_force(account, purpose, is_on=True)
    expect(_cell(page, purpose).get_by_role("switch")).to_have_attribute("aria-checked", "true")
    return presses


def _withdraw(
    page: Page, account: Account, purpose: Purpose, press: Callable[[Locator], None]
) -> int:
    page.goto(PRIVACY)
    press(_cell(page, purpose).get_by_role("switch"))
    _wait_in_force(account, purpose, is_on=False)
    switch = _cell(page, purpose).locator(".switch")
    expect(switch).not_to_have_attribute("aria-checked", "true")
    return 1


def _press_by_keyboard(page: Page, key: str) -> Callable[[Locator], None]:
    """Tab until the control has the focus, and its ring; then the key."""

    def press(control: Locator) -> None:
        expect(control).to_be_visible()
        for _step in range(MOST_TABS):
            if control.evaluate("element => element === document.activeElement"):
                break
            page.keyboard.press("Tab")
        expect(control).to_be_focused()
        assert control.evaluate("e => e.matches(':focus-visible')")
        page.keyboard.press("Enter" if control.evaluate("e => e.tagName === 'A'") else key)

    return press


@pytest.mark.parametrize("way", WAYS)
def test_every_withdrawal_takes_no_more_presses_than_the_grant(
    new_page: Callable[..., Page], alice: Account, way: str
) -> None:
    page = new_page(**WAYS[way])
    enter(page, alice)
    page.goto(PRIVACY)
    offered = page.locator("table [data-cell]").evaluate_all(
        "cells => cells.map(c => c.dataset.cell)"
    )
    assert set(offered) == OFFERED
    press = Locator.tap if WAYS[way].get("has_touch") else Locator.click
    for cell in offered:
        purpose = Purpose(cell)
        granted = _grant(page, alice, purpose, press)
        assert _withdraw(page, alice, purpose, press) <= granted, purpose
        if purpose.needs:
            decide(alice.subject.id, {purpose.needs: False}, method=Method.API, at=timezone.now())


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_every_path_of_the_matrix_with_the_keyboard_only(
    new_page: Callable[..., Page], alice: Account, key: str
) -> None:
    page = new_page()
    enter(page, alice)
    for purpose in CELLS:
        _grant(page, alice, purpose, _press_by_keyboard(page, key))
    for purpose in reversed(CELLS):
        _withdraw(page, alice, purpose, _press_by_keyboard(page, key))
    last = {purpose: state.decision for purpose, state in consent_states(alice.subject.id).items()}
    assert {last[purpose] for purpose in CELLS} == {Decision.WITHDRAWN}


def test_presets_the_opt_out_and_a_renewal_with_the_keyboard_only(
    new_page: Callable[..., Page], alice: Account
) -> None:
    page = new_page()
    enter(page, alice)
    press = _press_by_keyboard(page, "Enter")
    page.goto("/privacy/welcome/")
    press(page.locator(".dial-words summary").last)
    expect(page.locator(".dial-words").last).to_contain_text("I agree that my history is counted")
    page.goto(PRIVACY)
    press(page.get_by_role("button", name="Community", exact=True))
    _wait_in_force(alice, TRAIN, is_on=True)
    press(page.get_by_role("switch", name="Do not sell or share my data"))
    expect(page.locator("#opt-out-state")).to_contain_text("Opt-out request honored")
    _publish(STORE)
    page.goto("/how-it-works/")
    press(page.locator(".banner summary"))
    press(page.locator(".banner").get_by_role("button", name="Yes, again"))
    _wait_in_force(alice, STORE, is_on=True)
    expect(page.locator(".banner")).to_have_count(0)
    assert urlsplit(page.url).path == "/how-it-works/"


def _expect_alike(buttons: Locator) -> None:
    looks = buttons.evaluate_all(LOOKS)
    assert len(looks) > 1
    assert len(set(looks)) == 1, looks


@pytest.mark.parametrize("way", ["desk", "phone"])
def test_yes_and_no_look_alike(new_page: Callable[..., Page], alice: Account, way: str) -> None:
    page = new_page(**WAYS[way], reduced_motion="reduce")
    enter(page, alice)
    page.goto(MOOD_PAGE)
    for pair in page.locator(".pair").all():
        _expect_alike(pair.get_by_role("button"))
    if way == "desk":
        page.goto("/privacy/welcome/")
        _expect_alike(page.locator(".dial form > .button"))
    choose(alice, "community", at=timezone.now())
    _publish(STORE)
    for path in ("/practices/", PRIVACY):
        page.goto(path)
        if path != PRIVACY:
            page.locator(".banner summary").click()
        for pair in page.locator(".pair").all():
            _expect_alike(pair.get_by_role("button"))


def test_without_scripts_a_renewal_can_be_put_aside_and_answered(
    new_page: Callable[..., Page], alice: Account
) -> None:
    choose(alice, "just-for-me", at=timezone.now())
    _publish(STORE)
    page = new_page(java_script_enabled=False)
    enter(page, alice)
    page.goto("/practices/")
    page.get_by_role("button", name="Ask me another time").click()
    assert urlsplit(page.url).path == "/practices/"
    expect(page.locator(".banner")).to_have_count(0)
    page.goto(PRIVACY)
    _cell(page, STORE).get_by_role("button", name="Yes, again").click()
    assert person_of(alice).can_personalize


def test_a_renewal_is_one_quiet_line_that_opens_and_going_on_keeps_the_place(
    new_page: Callable[..., Page], alice: Account
) -> None:
    choose(alice, "just-for-me", at=timezone.now())
    _publish(STORE)
    page = new_page(**WAYS["phone"])
    enter(page, alice)
    page.goto("/practices/")
    box = page.locator(".banner").bounding_box()
    assert box
    assert box["height"] < 160
    page.locator(".banner summary").tap()
    expect(page.locator(".banner ins")).to_contain_text("And where you stopped.")
    page.locator(".banner summary").tap()
    page.evaluate("scrollTo(0, 150)")
    page.get_by_role("button", name="Ask me another time").tap()
    expect(page.locator(".banner")).to_have_count(0)
    assert page.evaluate("scrollY") <= 150


def test_what_a_no_would_delete_is_said_before_the_press(
    new_page: Callable[..., Page], alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "just-for-me", at=timezone.now()), *catalog[:3], at=timezone.now())
    page = new_page(java_script_enabled=False)
    enter(page, alice)
    page.goto(PRIVACY)
    lead = page.locator(".sky .lead")
    expect(lead).to_contain_text("Your history is kept and shapes your shelves.")
    button = page.get_by_role("button", name="Just listening", exact=True)
    expect(button).to_have_accessible_description(
        re.compile(r"deletes what is kept now: 3 listens")
    )
    switch = _cell(page, STORE).get_by_role("switch")
    expect(switch).to_have_accessible_description(
        re.compile(r"deletes what is kept now: 3 listens")
    )
    button.click()
    expect(page.locator("main")).not_to_contain_text("deletes what is kept now")


def test_the_focus_goes_to_what_stands_where_the_press_was(
    new_page: Callable[..., Page], alice: Account
) -> None:
    page = new_page(**WAYS["phone"])
    enter(page, alice)
    page.goto(PRIVACY)
    page.get_by_role("button", name="Community", exact=True).tap()
    expect(page.get_by_text("This is how it is now")).to_be_focused()
    page.goto(MOOD_PAGE)
    agree = _cell(page, Purpose.MOOD_STORE).get_by_role("button", name="I agree", exact=True)
    agree.tap()
    expect(_cell(page, Purpose.MOOD_STORE).get_by_role("switch")).to_be_focused()
    _publish(STORE)
    page.goto(PRIVACY)
    _cell(page, STORE).get_by_role("button", name="Yes, again").tap()
    expect(_cell(page, STORE).get_by_role("switch")).to_be_focused()
    expect(_cell(page, STORE).get_by_role("switch")).to_be_in_viewport()


def test_a_link_to_a_statement_arrives_at_it(new_page: Callable[..., Page], alice: Account) -> None:
    page = new_page(**WAYS["phone"])
    enter(page, alice)
    page.goto(PRIVACY)
    _cell(page, Purpose.MOOD_TRAIN).locator("a.switch").tap()
    page.wait_for_url(f"**{MOOD_PAGE}#*")
    title = page.locator("#title-moodtrain")
    expect(title).to_be_focused()
    expect(title).to_be_in_viewport()


def test_a_new_notice_pauses_what_it_is_about_and_says_so_in_its_cell(
    new_page: Callable[..., Page], alice: Account
) -> None:
    choose(alice, "community", at=timezone.now())
    _publish(TRAIN)
    page = new_page()
    enter(page, alice)
    page.goto(PRIVACY)
    expect(_cell(page, TRAIN)).to_contain_text("And where you stopped.")
    expect(_cell(page, TRAIN).get_by_role("switch")).to_have_count(0)
    expect(_cell(page, STORE).get_by_role("switch")).to_have_attribute("aria-checked", "true")
    _cell(page, TRAIN).get_by_role("button", name="No", exact=True).click()
    expect(_cell(page, TRAIN).get_by_role("switch")).to_have_attribute("aria-checked", "false")


def test_the_clean_release_is_told_as_soon_as_it_is_there(
    new_page: Callable[..., Page], alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community", at=timezone.now()), *catalog[:3], at=timezone.now())
    page = new_page()
    enter(page, alice)
    page.goto(PRIVACY)
    _cell(page, TRAIN).get_by_role("switch").click()
    expect(_cell(page, TRAIN)).to_contain_text("A release without you is being made.")
    train(clock=timezone.now)
    told = _cell(page, TRAIN).locator(".cell-clean")
    expect(told).to_contain_text(re.compile(r"is out since .*\d\d:\d\d:\d\d UTC"), timeout=15_000)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.wait_for_timeout(0)
    assert told.get_attribute("hx-get") is None
    assert not [url for url in requests if "/clean/" in url]


def test_storing_ends_and_the_history_comes_home(
    new_page: Callable[..., Page], alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "just-for-me", at=timezone.now()), *catalog[:3], at=timezone.now())
    page = new_page()
    enter(page, alice)
    page.goto(PRIVACY)
    _cell(page, STORE).get_by_role("button", name="Off, and take my history to this device").click()
    _wait_in_force(alice, STORE, is_on=False)
    expect(page.locator("#messages")).to_contain_text("deleted")
    assert not Listen.objects.exists()
    assert len(kept(page, "listens")) == 3


def test_a_browser_that_tells_scripts_only_is_honored_and_the_person_is_told(
    new_page: Callable[..., Page], alice: Account
) -> None:
    choose(alice, "community", at=timezone.now())
    page = new_page()
    page.add_init_script(SIGNALS)
    enter(page, alice)
    page.goto("/practices/")
    banner = page.locator(".banner")
    expect(banner).to_contain_text("Your browser’s signal switched something off")
    assert not person_of(alice).can_train
    banner.get_by_role("button", name="Yes, again").click()
    _wait_in_force(alice, TRAIN, is_on=True)
    expect(banner).to_have_count(0)
    count = ConsentRecord.objects.count()
    page.goto(PRIVACY)
    page.goto("/practices/")
    assert ConsentRecord.objects.count() == count
    expect(page.locator("footer")).to_contain_text("Opt-out request honored")


def test_a_browser_whose_signal_ends_says_so_no_longer(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script(f"if (!localStorage.getItem('off')) {SIGNALS}")
    page.goto(PRIVACY)
    expect(page.locator("#opt-out-state")).to_contain_text("Opt-out request honored")
    page.evaluate("localStorage.setItem('off', '1')")
    page.goto(PRIVACY)
    wait_for(lambda: page.evaluate("document.cookie.includes('gpc=')") is False, what="no cookie")
    page.goto(PRIVACY)
    expect(page.locator("#opt-out-state")).not_to_contain_text("honored")


def test_without_an_account_or_scripts_one_press_opts_out(new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(PRIVACY)
    switch = page.get_by_role("switch", name="Do not sell or share my data")
    switch.click()
    expect(switch).to_have_attribute("aria-checked", "true")
    page.goto("/")
    expect(page.locator("footer")).to_contain_text("Opt-out request honored")


@pytest.mark.parametrize(
    ("values", "is_honored"),
    [(["1"], True), (["0", "1"], True), (["1", "0"], True), (["0"], False), (["yes", "0"], False)],
)
def test_of_several_header_lines_one_that_is_1_is_enough(
    live_site: str, values: list[str], is_honored: bool
) -> None:
    address = urlsplit(live_site)
    assert address.hostname
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=20)
    connection.putrequest("GET", "/how-it-works/")
    for value in values:
        connection.putheader("Sec-GPC", value)
    connection.endheaders()
    page = connection.getresponse().read().decode()
    connection.close()
    assert ("Opt-out request honored" in page) is is_honored


@pytest.fixture
def watched(new_page: Callable[..., Page]) -> Callable[..., Page]:
    def make(**options: object) -> Page:
        page = new_page(**options)
        page.add_init_script(WATCH_SHIFTS)
        return page

    return make


def test_every_state_of_the_page_is_accessible_steady_and_light(
    watched: Callable[..., Page], alice: Account, catalog: list[Practice]
) -> None:
    page = watched()
    enter(page, alice)
    faults = _faults(page, "/privacy/welcome/") + _faults(page, MOOD_PAGE)
    long_ago = timezone.now() - timedelta(days=100)
    listen(choose(alice, "community", at=long_ago), *catalog[:9], at=timezone.now())
    mood = dict.fromkeys(MOOD, True)
    decide(alice.subject.id, mood, method=Method.PRIVACY_PAGE, at=long_ago)
    faults += _faults(page, PRIVACY) + _faults(page, MOOD_PAGE)
    decide(alice.subject.id, {TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    faults += _faults(page, PRIVACY) + _faults(page, "/privacy/timeline/")
    train(clock=timezone.now)
    decide(alice.subject.id, {TRAIN: True}, method=Method.PRIVACY_PAGE, at=timezone.now())
    for purpose in (STORE, TRAIN, Purpose.MOOD_STORE):
        _publish(purpose)
    faults += [f for path in (PRIVACY, MOOD_PAGE, "/practices/") for f in _faults(page, path)]
    assert not faults, "\n".join(faults)


def test_the_signal_s_states_are_accessible_steady_and_light(
    watched: Callable[..., Page], alice: Account
) -> None:
    header = {"Sec-GPC": "1"}
    faults = _faults(watched(extra_http_headers=header), PRIVACY)
    choose(alice, "community", at=timezone.now())
    page = watched(extra_http_headers=header)
    enter(page, alice)
    faults += [fault for path in (PRIVACY, "/practices/") for fault in _faults(page, path)]
    assert not faults, "\n".join(faults)


def test_the_page_of_somebody_too_young_to_consent_is_accessible_and_offers_no_yes(
    watched: Callable[..., Page], transactional_db: None
) -> None:
    page = watched()
    enter(page, make_account("dora", band=AgeBand.BELOW_CONSENT))
    faults = [
        fault
        for path in ("/privacy/welcome/", PRIVACY, MOOD_PAGE, "/privacy/timeline/")
        for fault in _faults(page, path)
    ]
    assert not faults, "\n".join(faults)
    page.goto(PRIVACY)
    expect(page.locator("table [role=switch]:not([disabled])")).to_have_count(0)
    page.get_by_role("button", name="Just listening").or_(
        page.get_by_text("This is how it is now")
    ).wait_for()
