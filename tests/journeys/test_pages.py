"""Every page as people meet it: accessible by day and night, steady, light, whole by keyboard."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from privacy_center.models import Account
from recommendations.models import Practice
from tests.conftest import choose, listen, person_of
from tests.journeys.conftest import sign_in
from tests.journeys.stage import enter

pytestmark = pytest.mark.journey

PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 860}
MOST_BYTES = 150_000
LARGEST_SHIFT = 0.01
SMALLEST_TARGET = 44
# Bytes a second, milliseconds: a page then takes a second or two, and is painted as it comes.
WEAK_NETWORK = {
    "offline": False,
    "latency": 20,
    "downloadThroughput": 20_000,
    "uploadThroughput": 20_000,
}
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}

FOR_EVERYBODY = [
    "/",
    "/?intention=sleep",
    "/practices/",
    "/practices/?q=nothing-has-this-name",
    "/practices/steady-rain/",
    "/practices/even-breath/",
    "/practices/ten-gates/",
    "/practices/steady-rain/why/",
    "/favorites/",
    "/how-it-works/",
    "/privacy/",
    "/mail/",
    "/accounts/login/",
    "/accounts/signup/",
    "/accounts/password/reset/",
]
FOR_ONE = [
    "/",
    "/practices/steady-rain/",
    "/practices/ten-gates/why/",
    "/favorites/",
    "/privacy/",
    "/account/",
    "/accounts/email/",
    "/accounts/password/change/",
    "/accounts/2fa/",
    "/accounts/logout/",
]

WATCH_SHIFTS = """
window.shift = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""
# Links within a sentence may be as tall as their line (WCAG 2.5.8).
SMALL_TARGETS = """(smallest) => [...document.querySelectorAll("a, button, select, input, summary")]
  .filter((element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true }))
  .filter((element) => element.type !== "hidden" && !element.closest(".skip"))
  .filter((element) => getComputedStyle(element).display !== "inline")
  .map((element) => element.closest("label, .field-choice, .card") ?? element)
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.height < smallest - 0.5 || box.width < smallest - 0.5;
  })
  .map((element) => element.outerHTML.slice(0, 90))"""
# Text stands on every part of a sky, and where the light of the sun is added to it.
FAINTEST_SKY = """() => {
  const style = getComputedStyle(document.documentElement);
  const context = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const probe = document.body.appendChild(document.createElement("i"));
  const rgb = (name) => {
    probe.style.setProperty("color", `var(${name})`);
    context.fillStyle = getComputedStyle(probe).color;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const light = (color) => color
    .map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const contrast = (one, other) => {
    const [dark, bright] = [light(one), light(other)].sort((a, b) => a - b);
    return (bright + 0.05) / (dark + 0.05);
  };
  const strength = Number(getComputedStyle(document.querySelector(".sky"), "::before").opacity);
  const [ink, low, glow] = ["--sky-ink", "--sky-low", "--sky-glow"].map(rgb);
  const lit = low.map((value, index) => value + (glow[index] - value) * strength);
  const grounds = [rgb("--sky-up"), rgb("--sky-mid"), low, lit];
  return Math.min(...grounds.map((ground) => contrast(ink, ground)));
}"""


def _load(page: Page, path: str) -> int:
    """Open a page with an empty cache; the bytes that crossed the wire for it."""
    sizes: list[float] = []
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    page.goto(path, wait_until="networkidle")
    session.detach()
    return int(sum(sizes))


def _come_slowly(page: Page) -> None:
    """From now on a page comes bit by bit, and uncompressed: with a pause anywhere within it."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setExtraHTTPHeaders", {"headers": {"Accept-Encoding": "identity"}})
    session.send("Network.emulateNetworkConditions", WEAK_NETWORK)


def _axe(page: Page) -> list[str]:
    return [
        f"{violation['id']}: {violation['nodes'][0]['html'][:110]}"
        for violation in Axe().run(page, options=RULES).response["violations"]
    ]


def _overflow(page: Page) -> list[str]:
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [f"{wide} px wider than the window"] if wide > 0 else []


def _faults(page: Page, path: str) -> list[str]:
    """Everything wrong with a page, in words."""
    faults: list[str] = []
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    if (size := _load(page, path)) > MOST_BYTES:
        faults.append(f"{size} bytes")
    if (shift := page.evaluate("window.shift")) > LARGEST_SHIFT:
        faults.append(f"moved by {shift:.3f} while it loaded")
    faults += _overflow(page) + _axe(page)
    faults += [f"small: {html}" for html in page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)]
    page.set_viewport_size(DESK)  # type: ignore[arg-type]
    page.emulate_media(color_scheme="dark")
    page.locator("html[data-ground=dark]").wait_for()
    faults += _overflow(page) + _axe(page)
    return [f"{path}: {fault}" for fault in faults]


@pytest.fixture
def watched_page(page: Page) -> Page:
    page.add_init_script(WATCH_SHIFTS)
    return page


def test_every_open_page_is_accessible_steady_and_light(watched_page: Page) -> None:
    faults = [fault for path in FOR_EVERYBODY for fault in _faults(watched_page, path)]
    assert not faults, "\n".join(faults)


def test_every_page_of_an_account_is_accessible_steady_and_light(
    watched_page: Page, alice: Account, catalog: list[Practice]
) -> None:
    sign_in(watched_page, alice)
    undecided = _faults(watched_page, "/privacy/welcome/")
    choose(alice, "community")
    listen(person_of(alice), *catalog[:3])
    faults = undecided + [fault for path in FOR_ONE for fault in _faults(watched_page, path)]
    assert not faults, "\n".join(faults)


@pytest.mark.parametrize("path", ["/", "/practices/"])
def test_nothing_moves_on_a_page_that_comes_slowly(
    watched_page: Page, alice: Account, path: str
) -> None:
    choose(alice, "community")
    watched_page.set_viewport_size(PHONE)  # type: ignore[arg-type]
    watched_page.goto(path, wait_until="networkidle")  # the files of every page are kept by then
    _come_slowly(watched_page)
    for signs_in in (False, True):
        if signs_in:
            enter(watched_page, alice)
        for _time in range(2):
            watched_page.goto(path, wait_until="networkidle")
            assert watched_page.evaluate("window.shift") == 0


def test_a_page_that_is_not_there_is_accessible_and_leads_back(
    browser: Browser, live_site: str
) -> None:
    page = browser.new_page(base_url=live_site)
    page.add_init_script(WATCH_SHIFTS)
    assert not _faults(page, "/no-such-page/")
    page.get_by_role("link", name="Go to the first page").click()
    page.wait_for_url(f"{live_site}/")
    page.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("sky", ["dawn", "day", "dusk", "night"])
def test_text_can_be_read_on_every_sky(
    new_page: Callable[..., Page], sky: str, scheme: str
) -> None:
    page = new_page(color_scheme=scheme)
    page.goto("/how-it-works/")
    page.evaluate("sky => { document.documentElement.dataset.sky = sky; }", sky)
    assert page.evaluate(FAINTEST_SKY) >= 4.5


@pytest.mark.parametrize(
    ("hour", "sky"), [("05:00", "dawn"), ("08:00", "day"), ("17:00", "dusk"), ("04:59", "night")]
)
def test_the_sky_follows_the_clock_of_the_device(
    new_page: Callable[..., Page], hour: str, sky: str
) -> None:
    page = new_page(timezone_id="Asia/Kolkata")
    page.clock.set_fixed_time(f"2026-03-02T{hour}:30+05:30")
    page.goto("/")
    assert page.locator("html").get_attribute("data-sky") == sky
    cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
    assert cookies["clock"] == "330"


def test_the_switch_between_light_and_dark_is_remembered(new_page: Callable[..., Page]) -> None:
    page = new_page(color_scheme="light")
    page.goto("/")
    page.get_by_role("button", name="Dark").click()
    page.goto("/privacy/")
    assert page.locator("html").get_attribute("data-ground") == "dark"
    page.get_by_role("button", name="Light").click()
    assert page.locator("html").get_attribute("data-ground") == "light"


def test_the_first_tab_offers_to_skip_to_the_content(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_everything_on_the_first_page_is_reached_by_keyboard_and_seen_when_it_is(
    page: Page,
) -> None:
    page.goto("/", wait_until="networkidle")
    count = page.evaluate("""() => [...document.querySelectorAll("a, button")]
        .filter((element) => element.checkVisibility({ visibilityProperty: true })).length""")
    reached = 0
    for _step in range(count):
        page.keyboard.press("Tab")
        html, is_ringed, reached = page.evaluate("""() => {
            const element = document.activeElement;
            const ring = (part) => getComputedStyle(element, part).outlineStyle !== "none";
            window.reached = (window.reached ?? new Set()).add(element);
            return [element.outerHTML, ring(null) || ring("::after"), window.reached.size];
        }""")
        assert is_ringed, f"no focus ring: {html[:120]}"
    assert reached == count


def test_arrows_walk_along_a_shelf(page: Page) -> None:
    page.goto("/", wait_until="networkidle")
    links = page.locator("[data-shelf-row]").first.locator("[data-card-link]")
    links.nth(0).focus()
    page.keyboard.press("ArrowRight")
    assert links.nth(1).evaluate("link => link === document.activeElement")
    page.keyboard.press("ArrowLeft")
    assert links.nth(0).evaluate("link => link === document.activeElement")


def test_a_change_of_page_moves_focus_title_and_the_current_link(page: Page) -> None:
    page.goto("/", wait_until="networkidle")
    page.evaluate("window.isSameDocument = true")
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    page.locator("#main:focus").wait_for()
    expect(page).to_have_title(re.compile("^Library"))
    current = page.locator("[data-nav] [aria-current=page]")
    expect(current).to_have_text("Library")
    assert page.evaluate("window.isSameDocument"), "the sound would have stopped"
    page.go_back()
    expect(page).not_to_have_title(re.compile("^Library"))
    expect(current).to_have_text("Home")


def test_play_on_the_first_page_plays(page: Page) -> None:
    page.goto("/", wait_until="networkidle")
    page.locator("[data-begin]").click()
    page.wait_for_selector("[data-player-stage][data-player-state=playing]")


def test_without_scripts_everything_can_be_found_and_read(new_page: Callable[..., Page]) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/")
    page.get_by_role("link", name="Library", exact=True).click()
    page.get_by_label("Search").fill("gates")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Ten gates").click()
    page.get_by_text("Read the words").click()
    assert page.locator(".script-lines li").count() > 10
    assert page.get_by_text("The player needs scripts").is_visible()
    assert not page.locator("[data-ground-switch]").is_visible()


def test_without_scripts_consent_is_given_and_withdrawn(
    new_page: Callable[..., Page], alice: Account
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, alice)
    page.goto("/privacy/")
    switch = page.get_by_role("switch", name="Keep my history")
    switch.click()
    assert switch.get_attribute("aria-checked") == "true"
    switch.click()
    assert switch.get_attribute("aria-checked") == "false"


def test_a_consent_switch_keeps_the_place_and_says_what_happened(
    page: Page, alice: Account
) -> None:
    sign_in(page, alice)
    page.goto("/privacy/", wait_until="networkidle")
    switch = page.get_by_role("switch", name="Keep my history")
    switch.scroll_into_view_if_needed()
    place = page.evaluate("scrollY")
    switch.click()
    page.wait_for_selector("[role=switch][aria-checked=true]")
    assert page.evaluate("scrollY") == pytest.approx(place, abs=2)
    assert switch.evaluate("element => element === document.activeElement")
    assert "Keep my history" in page.locator("#messages").inner_text()


def test_presets_have_equal_buttons_and_none_is_chosen_for_anybody(
    page: Page, alice: Account
) -> None:
    """Law 7: refusing is as prominent as agreeing."""
    sign_in(page, alice)
    page.goto("/privacy/welcome/")
    looks = page.locator(".dial .button").evaluate_all("""(buttons) => buttons.map((button) => {
        const { width, height } = button.getBoundingClientRect();
        const { color, background, border, font } = getComputedStyle(button);
        return JSON.stringify([Math.round(width), height, color, background, border, font]);
    })""")
    assert len(looks) == page.locator(".dial-stop").count() >= 3
    assert len(set(looks)) == 1
    assert page.locator("[data-current]").count() == 0


def test_with_reduced_motion_nothing_moves(new_page: Callable[..., Page]) -> None:
    page = new_page(reduced_motion="reduce", timezone_id="UTC")
    page.clock.set_fixed_time("2026-03-02T23:30:00Z")
    page.goto("/", wait_until="networkidle")
    moving = page.evaluate("document.getAnimations().map((one) => one.animationName)")
    assert "drift" not in moving
