"""The history and the taste in a real browser: by keyboard, without scripts, and taken home."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Page, expect

from privacy_center.models import Account
from recommendations.actions.listening import (
    Heard,
    rate_practice,
    record_listens,
    set_favorite,
)
from recommendations.models import Favorite, HiddenPractice, Listen, Practice, Rating
from recommendations.trainer import train
from tests.conftest import choose, person_of, wait_for
from tests.journeys.conftest import sign_in
from tests.journeys.stage import enter, kept
from tests.journeys.test_pages import WATCH_SHIFTS, _faults

pytestmark = pytest.mark.journey

TOLD = "**/api/v1/history/"
STORES = ("listens", "favorites", "ratings", "positions")


@pytest.fixture
def listener(alice: Account, catalog: list[Practice]) -> Account:
    """Alice, who shares: three practices twice, two of them favorites, one rated."""
    now = timezone.now()
    choose(alice, "community", at=now - timedelta(days=90))
    person = person_of(alice)
    record_listens(
        person,
        [
            Heard(uuid4(), p, now - timedelta(days=day), p.seconds_to_complete // part, 60)
            for day, (p, part) in enumerate(
                [(p, part) for p in catalog[:3] for part in (1, 3)], start=1
            )
        ],
    )
    for practice in catalog[:2]:
        set_favorite(person, practice, is_favorite=True)
    rate_practice(person, catalog[0], 5)
    return alice


@pytest.fixture
def context(browser: Browser, live_site: str) -> Iterator[BrowserContext]:
    """A browser of somebody's own, in which a refused request is not a fault of the page."""
    made = browser.new_context(base_url=live_site)
    yield made
    made.close()


def _said(page: Page) -> str:
    return page.locator("#messages").inner_text()


def _tab_to(page: Page, name: str, *, role: str = "button") -> None:
    """Move by Tab alone until the control of this name has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]
    expect(wanted).to_be_visible()
    for _step in range(400):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def test_by_keyboard_one_is_left_out_and_counted_again_and_one_is_deleted(
    page: Page, listener: Account, catalog: list[Practice]
) -> None:
    newest = Listen.objects.order_by("-started_at")[0]
    at = f"{catalog[0].title}, {newest.started_at:%-d %B, %H:%M}"
    enter(page, listener)
    page.goto("/history/", wait_until="networkidle")
    _tab_to(page, f"Leave {at}, out of my taste")
    page.keyboard.press("Enter")
    again = page.get_by_role("button", name=f"Count {at}, in my taste")
    expect(again).to_be_visible()
    assert "1 listen is out of your taste" in _said(page)
    expect(again).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name=f"Leave {at}, out of my taste")).to_be_focused()
    _tab_to(page, f"Delete {at}")
    page.keyboard.press("Enter")
    expect(page.locator(".listen")).to_have_count(5)
    wait_for(
        lambda: page.evaluate("document.activeElement.textContent") == "Delete",
        what="the focus on the next listen",
    )
    assert not Listen.objects.filter(pk=newest.pk).exists()
    assert page.url.endswith("/history/")


@pytest.mark.parametrize("name", ["Leave", "Delete"])
def test_on_a_phone_the_list_stays_under_the_thumb(
    name: str, new_page: Callable[..., Page], listener: Account, catalog: list[Practice]
) -> None:
    now = timezone.now()
    many = [Heard(uuid4(), p, now - timedelta(days=9), 60, 60) for p in catalog[:40]]
    record_listens(person_of(listener), many)
    page = new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    enter(page, listener)
    page.goto("/history/", wait_until="networkidle")
    act = page.locator(".listen").nth(2).get_by_role("button", name=name)
    act.scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 150)")
    before = page.evaluate("scrollY")
    assert before > 0
    act.tap()
    expect(page.locator("#messages")).to_contain_text("1 listen")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
    assert abs(page.evaluate("scrollY") - before) < 2


def test_by_keyboard_some_are_ticked_and_what_a_search_finds_is_deleted(
    page: Page, listener: Account, catalog: list[Practice]
) -> None:
    enter(page, listener)
    page.goto("/history/", wait_until="networkidle")
    for title in (catalog[0].title, catalog[1].title):
        page.get_by_role("checkbox", name=title).first.focus()
        page.keyboard.press("Space")
    _tab_to(page, "Leave out of my taste")
    page.keyboard.press("Enter")
    expect(page.get_by_text("not in your taste")).to_have_count(2)

    page.get_by_label("Search").focus()
    page.keyboard.type(catalog[2].title)
    page.keyboard.press("Enter")
    expect(page.locator(".listen")).to_have_count(2)
    page.locator("summary", has_text="All that was found").focus()
    page.keyboard.press("Enter")
    _tab_to(page, "Delete 2 listens")
    page.keyboard.press("Enter")
    expect(page.locator(".listen")).to_have_count(4)
    assert "2 listens were deleted" in _said(page)
    assert not Listen.objects.filter(practice=catalog[2]).exists()


def test_by_keyboard_a_practice_is_hidden_and_the_taste_begins_anew_and_comes_back(
    page: Page, listener: Account
) -> None:
    train(clock=timezone.now)
    enter(page, listener)
    page.goto("/taste/", wait_until="networkidle")
    hide = page.locator(".following").get_by_role("button").first.get_attribute("aria-label")
    assert hide
    _tab_to(page, hide)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Hidden from your shelves")).to_be_visible()
    assert HiddenPractice.objects.count() == 1
    _tab_to(page, "Forget what you inferred but keep my history")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Nothing counts yet.")).to_be_visible()
    assert Listen.objects.count() == 6
    _tab_to(page, "Count my whole history again")
    page.keyboard.press("Enter")
    expect(page.locator(".taste-table tbody tr")).to_have_count(3)


def test_without_scripts_everything_can_be_done(
    new_page: Callable[..., Page], listener: Account, catalog: list[Practice]
) -> None:
    page = new_page(java_script_enabled=False)
    sign_in(page, listener)
    page.goto("/history/")
    assert not page.locator("[data-take-home]").is_visible()
    page.get_by_role("button", name=f"Leave {catalog[0].title}").first.click()
    assert "1 listen is out of your taste" in _said(page)
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Delete", exact=True).click()
    assert "1 listen was deleted" in _said(page)
    page.get_by_text("All of my history").click()
    page.get_by_role("button", name="Delete 5 listens").click()
    expect(page.get_by_text("Nothing yet.")).to_be_visible()
    page.goto("/taste/")
    page.get_by_role("button", name="Forget what you inferred").click()
    assert "Forgotten." in _said(page)
    page.get_by_role("button", name="Count my whole history again").click()
    assert page.locator(".taste-table tbody tr").count() == 2


def test_without_scripts_and_without_a_yes_the_page_says_where_the_history_is(
    new_page: Callable[..., Page],
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/history/")
    assert page.get_by_text("Your history is in this browser.").is_visible()
    assert page.get_by_text("it needs scripts").is_visible()
    assert not page.get_by_role("button", name="Clear what this browser keeps").is_visible()


def _fill_device(page: Page, practices: list[Practice]) -> None:
    """Listens that this browser kept, a day apart, the last one first."""
    now = timezone.now()
    listens = [
        {
            "id": str(uuid4()),
            "startedAt": (now - timedelta(days=day)).isoformat(timespec="milliseconds")[:23] + "Z",
            "seconds": 75,
            "position": 75,
            "card": {"slug": p.slug, "title": p.title, "url": p.get_absolute_url(),
                     "kindLabel": p.get_kind_display(), "picture": ""},
            "person": "",
            "consent": "",
        }
        for day, p in enumerate(practices)
    ]  # fmt: skip
    page.evaluate(
        """(listens) => new Promise((resolve, reject) => {
          const request = indexedDB.open("listening");
          request.onsuccess = () => {
            const writing = request.result.transaction("listens", "readwrite");
            for (const listen of listens) writing.objectStore("listens").put(listen);
            writing.oncomplete = () => { request.result.close(); resolve(); };
            writing.onerror = () => reject(writing.error);
          };
        })""",
        listens,
    )


def test_without_a_yes_the_browser_lists_its_history_and_deletes_from_it(
    page: Page, catalog: list[Practice]
) -> None:
    page.goto("/history/", wait_until="networkidle")
    expect(page.get_by_text("Nothing yet. What you play is listed here")).to_be_visible()
    _fill_device(page, catalog[:45])
    page.reload(wait_until="networkidle")
    expect(page.locator(".listen")).to_have_count(40)
    expect(page.locator(".listen a").first).to_have_text(catalog[0].title)
    expect(page.locator(".listen").first).to_contain_text("1:15 heard")
    page.get_by_role("button", name="Older").click()
    expect(page.locator(".listen")).to_have_count(45)

    page.get_by_role("button", name=f"Delete {catalog[1].title}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".listen")).to_have_count(44)
    assert page.evaluate("document.activeElement.dataset.title") == catalog[2].title
    assert len(kept(page, "listens")) == 44
    page.get_by_role("button", name="Clear what this browser keeps").click()
    expect(page.locator(".listen")).to_have_count(0)
    assert not kept(page, "listens")


def test_the_history_comes_with_a_change_of_page(page: Page, catalog: list[Practice]) -> None:
    page.goto("/", wait_until="networkidle")
    _fill_device(page, catalog[:2])
    page.evaluate("""() => {
        const link = document.querySelector("[data-nav] a").cloneNode(true);
        link.href = "/history/";
        link.id = "to-history";
        document.querySelector("#main").append(link);
        htmx.process(link);
    }""")
    page.locator("#to-history").click()
    expect(page.locator(".listen")).to_have_count(2)


# Where the privacy page ends storing: the switch, and the preset that keeps nothing.
SWITCH = "form:has([name=purpose][value='listening:store'])"
DIAL = "form:has([name=preset][value='just-listening'])"


def _take_home(page: Page, form: str = SWITCH) -> None:
    page.goto("/privacy/", wait_until="networkidle")
    page.locator(form).locator("[data-take-home]").click()


def _failed(page: Page) -> None:
    note = page.locator(SWITCH).locator("[data-take-home-note]")
    expect(note).to_contain_text("Nothing was switched off")


@pytest.mark.parametrize("form", [SWITCH, DIAL], ids=["switch", "dial"])
def test_the_history_is_taken_home_before_storing_ends_and_nothing_is_lost(
    form: str, page: Page, listener: Account, catalog: list[Practice]
) -> None:
    before = {str(listen.pk): listen for listen in Listen.objects.all()}
    enter(page, listener)
    _take_home(page, form)
    wait_for(lambda: not person_of(listener).can_store, what="the end of storing")
    assert not any(model._default_manager.exists() for model in (Listen, Favorite, Rating))

    home = {str(listen["id"]): listen for listen in kept(page, "listens")}
    assert set(home) == set(before)
    for pk, listen in home.items():
        stored = before[pk]
        assert (listen["seconds"], listen["position"]) == (stored.seconds, stored.position)
        assert listen["startedAt"] == f"{stored.started_at:%Y-%m-%dT%H:%M:%S.%f}"[:23] + "Z"
        assert listen["consent"] == ""
    assert {row["slug"] for row in kept(page, "favorites")} == {p.slug for p in catalog[:2]}
    assert kept(page, "ratings") == [{"slug": catalog[0].slug, "value": 5}]
    assert {row["slug"] for row in kept(page, "positions")} == {p.slug for p in catalog[:3]}

    page.goto("/history/", wait_until="networkidle")
    expect(page.locator(".listen")).to_have_count(6)
    page.goto("/", wait_until="networkidle")
    again = page.locator("[data-device-shelf=listens]")
    expect(again.locator(".card")).to_have_count(3)
    expect(again.locator(".card-picture svg")).to_have_count(3)


def test_taken_home_twice_it_is_there_once_and_the_further_report_stays(
    context: BrowserContext, listener: Account, catalog: list[Practice]
) -> None:
    page = context.new_page()
    enter(page, listener)
    page.goto("/privacy/", wait_until="networkidle")
    # The form is not sent: the first time nothing is switched off.
    page.evaluate("""addEventListener("submit", (event) => {
        event.preventDefault();
        event.stopImmediatePropagation();
    }, { capture: true })""")
    page.locator(SWITCH).locator("[data-take-home]").click()
    wait_for(lambda: len(kept(page, "listens")) == 6, what="the history at home")
    pk = str(kept(page, "listens")[0]["id"])
    _further(page, pk)
    _take_home(page)
    wait_for(lambda: not person_of(listener).can_store, what="the end of storing")
    home = {str(listen["id"]): listen for listen in kept(page, "listens")}
    assert len(home) == 6
    assert home[pk]["seconds"] == 99_999


def _further(page: Page, pk: str) -> None:
    page.evaluate(
        """(pk) => new Promise((resolve) => {
          const request = indexedDB.open("listening");
          request.onsuccess = () => {
            const on = request.result.transaction("listens", "readwrite").objectStore("listens");
            const found = on.get(pk);
            found.onsuccess = () => on.put({ ...found.result, seconds: 99999 });
            on.transaction.oncomplete = () => { request.result.close(); resolve(); };
          };
        })""",
        pk,
    )


@pytest.mark.parametrize("fault", ["no connection", "an error", "a disk that is full", "a lie"])
def test_when_it_cannot_be_taken_home_nothing_is_switched_off(
    fault: str, context: BrowserContext, listener: Account
) -> None:
    page = context.new_page()
    if fault == "a disk that is full":
        page.add_init_script("IDBObjectStore.prototype.put = () => { throw new Error('full'); };")
    if fault == "a lie":
        # It says it has written, and has not.
        page.add_init_script("IDBObjectStore.prototype.put = () => {};")
    enter(page, listener)
    if fault == "no connection":
        page.route(TOLD, lambda route: route.abort())
    if fault == "an error":
        page.route(TOLD, lambda route: route.fulfill(status=503, body="{}"))
    sent: list[str] = []
    page.on("request", lambda r: sent.append(r.url) if r.method == "POST" else None)
    _take_home(page)
    _failed(page)
    assert not [url for url in sent if "/privacy/" in url]
    assert person_of(listener).can_store
    assert Listen.objects.count() == 6


def test_what_is_heard_meanwhile_on_another_device_is_not_lost(
    context: BrowserContext, listener: Account, practice: Practice
) -> None:
    page = context.new_page()
    enter(page, listener)
    heard: list[UUID] = []

    def hear_more(route: object) -> None:
        if not heard:
            heard.append(uuid4())
        else:
            record_listens(
                person_of(listener), [Heard(heard[0], practice, timezone.now(), 600, 600)]
            )
        route.continue_()  # type: ignore[attr-defined]

    page.route(TOLD, hear_more)
    _take_home(page)
    _failed(page)
    assert Listen.objects.filter(pk=heard[0]).exists()
    page.unroute(TOLD)
    _take_home(page)
    wait_for(lambda: not person_of(listener).can_store, what="the end of storing")
    assert str(heard[0]) in {listen["id"] for listen in kept(page, "listens")}


def test_the_pages_are_accessible_steady_and_light(page: Page, listener: Account) -> None:
    page.add_init_script(WATCH_SHIFTS)
    faults = _faults(page, "/history/")
    enter(page, listener)
    train(clock=timezone.now)
    for path in ("/history/", "/history/?q=rain", "/history/?q=nothing-is-called-this", "/taste/"):
        faults += _faults(page, path)
    assert not faults, "\n".join(faults)
