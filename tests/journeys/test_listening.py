"""What the browser keeps and what it sends: only to whom, and only under what, it was heard."""

from collections.abc import Callable, Iterator
from uuid import UUID

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from privacy_center.models import Account
from recommendations.models import Listen, Practice, Rating
from tests.conftest import choose, wait_for
from tests.journeys.conftest import sign_in
from tests.journeys.stage import (
    LISTENS,
    enter,
    expect_state,
    hear,
    kept,
    make_practice,
    open_practice,
    press_pause,
    press_play,
    reports,
    seek,
)

pytestmark = pytest.mark.journey

STORES = ("listens", "queue", "favorites", "ratings", "positions")
HALF_A_MINUTE = 30_000


@pytest.fixture
def context(browser: Browser, live_site: str) -> Iterator[BrowserContext]:
    """A browser of somebody's own, in which a refused request is not a fault of the page."""
    made = browser.new_context(base_url=live_site)
    yield made
    made.close()


def _sent(page: Page) -> list[Request]:
    """Grows by every request with listens that the page makes from now on."""
    found: list[Request] = []
    page.on("request", lambda r: found.append(r) if r.url.endswith("/listens/") else None)
    return found


def _listen_of(account: Account) -> Listen | None:
    return Listen.objects.filter(subject_id=account.subject.id).first()


def _go_to_library(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    page.wait_for_url("**/practices/")
    page.locator("#main:focus").wait_for()


def _play_offline(page: Page, practice: Practice) -> UUID:
    """A listen that could not be sent; its id."""
    page.route(LISTENS, lambda route: route.abort())
    open_practice(page, practice)
    press_play(page)
    hear(page, 1)
    press_pause(page)
    wait_for(lambda: kept(page, "queue"), what="a listen in the queue")
    page.unroute(LISTENS)
    return UUID(str(kept(page, "queue")[0]["id"]))


def test_a_person_who_stores_goes_on_where_they_left_on_any_device(
    new_page: Callable[..., Page], alice: Account
) -> None:
    practice = make_practice("tale", kind="story")
    choose(alice, "just-for-me")
    page = new_page()
    enter(page, alice)
    open_practice(page, practice)
    press_play(page)
    seek(page, 30)
    hear(page, 1)
    with page.expect_response(LISTENS):
        press_pause(page)
    assert all(not kept(page, store) for store in STORES), "the browser keeps none of it"

    other = new_page()
    enter(other, alice)
    open_practice(other, practice)
    other.get_by_role("button", name="Continue from 0:3").click()
    expect_state(other, "playing")
    assert other.locator("[data-player-seek]").input_value() >= "30"


def test_without_an_account_the_device_knows_where_to_go_on(page: Page) -> None:
    practice = make_practice("tale", kind="story")
    sent = _sent(page)
    open_practice(page, practice)
    press_play(page)
    seek(page, 30)
    hear(page, 1)
    _go_to_library(page)
    wait_for(
        lambda: any(int(str(place["seconds"])) >= 30 for place in kept(page, "positions")),
        what="the place after the seek",
    )
    open_practice(page, practice)
    expect(page.get_by_role("button", name="Continue from 0:3")).to_be_visible()
    page.get_by_role("button", name="Start again").click()
    expect_state(page, "playing")
    assert page.locator("[data-player-seek]").input_value() < "30"
    assert not sent


def test_a_practice_that_was_heard_to_the_end_offers_no_place_to_go_on(page: Page) -> None:
    practice = make_practice("tale", kind="story", seconds=20)
    open_practice(page, practice)
    press_play(page)
    seek(page, 18)
    expect_state(page, "finished")
    wait_for(lambda: kept(page, "positions"), what="the place")
    open_practice(page, practice)
    page.evaluate("document.fonts.ready")
    expect(page.get_by_role("button", name="Continue from")).to_be_hidden()


def test_at_the_end_a_rating_is_offered_and_stays_on_the_device(page: Page) -> None:
    practice = make_practice("tale", kind="story", seconds=20)
    posts: list[str] = []
    page.on("request", lambda r: posts.append(r.url) if r.method != "GET" else None)
    open_practice(page, practice)
    question = page.get_by_role("group", name="How did it leave you?")
    expect(question).to_be_hidden()
    press_play(page)
    seek(page, 18)
    expect(question).to_be_visible()
    page.get_by_label("A little lighter").check()
    expect(page.get_by_text("Noted, on this device only.")).to_be_visible()
    assert kept(page, "ratings") == [{"slug": "tale", "value": 4}]
    open_practice(page, practice)
    press_play(page)
    seek(page, 18)
    expect(page.get_by_label("A little lighter")).to_be_checked()
    assert not posts
    assert not Rating.objects.exists()


def test_a_person_who_stores_rates_with_their_history(page: Page, alice: Account) -> None:
    choose(alice, "just-for-me")
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    page.get_by_role("button", name="Lighter", exact=True).click()
    expect(page.get_by_role("button", name="Lighter", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    rating = Rating.objects.get(subject_id=alice.subject.id)
    assert (rating.practice.slug, rating.value) == ("tale", 5)
    expect_state(page, "playing")
    assert not kept(page, "ratings")


def test_listens_go_in_one_batch_and_a_failed_one_goes_again_under_its_id(
    context: BrowserContext, alice: Account
) -> None:
    choose(alice, "just-for-me")
    make_practice("second")
    page = context.new_page()
    page.clock.install()
    enter(page, alice)
    sent = _sent(page)
    page.route(LISTENS, lambda route: route.fulfill(status=503), times=1)
    open_practice(page, make_practice("first"))
    press_play(page)
    hear(page, 1)
    assert not sent, "progress waits for others to go with it"
    with page.expect_response(LISTENS):
        press_pause(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    page.get_by_label("Search").fill("second")
    page.get_by_role("button", name="Show", exact=True).click()
    page.get_by_role("link", name="Second", exact=True).click()
    expect_state(page, "idle")
    press_play(page)
    hear(page, 1)
    assert len(sent) == 1, "not again at once"
    with page.expect_response(lambda r: r.url.endswith("/listens/") and r.ok):
        page.clock.fast_forward(HALF_A_MINUTE)

    assert len(sent) == 2
    (failed,) = reports(sent[0])
    first, second = reports(sent[1])
    assert first["id"] == failed["id"]
    assert (first["practice"], second["practice"]) == ("first", "second")
    ids = set(Listen.objects.values_list("id", flat=True))
    assert ids == {UUID(first["id"]), UUID(second["id"])}
    wait_for(lambda: kept(page, "queue") == [], what="an empty queue")


def test_after_a_withdrawal_in_another_tab_listens_come_home_and_nothing_more_is_sent(
    context: BrowserContext, alice: Account
) -> None:
    choose(alice, "just-for-me")
    page = context.new_page()
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 1)
    choose(alice, "just-listening")
    sent = _sent(page)
    with page.expect_response(lambda r: r.url.endswith("/listens/") and r.status == 403):
        press_pause(page)
    wait_for(lambda: kept(page, "listens"), what="the listen at home")
    assert not kept(page, "queue")

    press_play(page)
    hear(page, 1)
    press_pause(page)
    _go_to_library(page)
    assert len(sent) == 1
    assert not Listen.objects.exists()


def test_what_was_heard_before_a_withdrawal_is_not_sent_after_a_new_yes(
    context: BrowserContext, alice: Account
) -> None:
    choose(alice, "just-for-me")
    page = context.new_page()
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 1)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Privacy").click()
    page.get_by_role("button", name="Just listening").click()
    expect(page.locator("#messages")).to_contain_text("deleted")
    page.get_by_role("button", name="Just for me").click()
    expect(page.locator("#main")).not_to_have_attribute("data-consent", "")
    sent = _sent(page)
    hear(page, 0.5)
    page.get_by_label("Now playing").get_by_role("button", name="Pause").click()
    wait_for(lambda: kept(page, "listens"), what="the listen at home")
    page.goto("/")
    assert not sent
    assert not Listen.objects.exists()


def test_a_page_that_is_left_sends_what_waits(page: Page, alice: Account) -> None:
    choose(alice, "just-for-me")
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 2)
    assert _listen_of(alice) is None
    page.goto("about:blank")
    wait_for(lambda: _listen_of(alice), what="the listen on the server")
    listen = Listen.objects.get(subject_id=alice.subject.id)
    assert listen.seconds >= 2


def test_what_one_person_heard_is_never_sent_for_the_next_in_the_same_browser(
    context: BrowserContext, alice: Account, bob: Account
) -> None:
    choose(alice, "just-for-me")
    choose(bob, "community")
    practice = make_practice("tale", kind="story")
    page = context.new_page()
    enter(page, alice)
    hers = _play_offline(page, practice)
    context.clear_cookies()

    enter(page, bob)
    open_practice(page, practice)
    press_play(page)
    hear(page, 1)
    with page.expect_response(LISTENS):
        press_pause(page)
    assert {listen.subject_id for listen in Listen.objects.all()} == {bob.subject.id}
    assert not Listen.objects.filter(id=hers).exists()
    assert [row["id"] for row in kept(page, "queue")] == [str(hers)]
    assert not kept(page, "listens"), "nor is it shown to him"
    context.clear_cookies()

    enter(page, alice)
    page.goto("/")
    wait_for(lambda: Listen.objects.filter(id=hers).exists(), what="her listen, once she is back")
    assert Listen.objects.get(id=hers).subject_id == alice.subject.id


def test_an_older_page_of_somebody_else_cannot_send_for_who_signed_in_since(
    context: BrowserContext, alice: Account, bob: Account
) -> None:
    choose(alice, "just-for-me")
    choose(bob, "just-for-me")
    page = context.new_page()
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 1)
    other = context.new_page()
    other.goto("/account/")
    other.get_by_role("button", name="Sign out").click()
    sign_in(other, bob)

    page.bring_to_front()
    with page.expect_response(lambda r: r.url.endswith("/listens/") and r.status == 403):
        press_pause(page)
    assert _listen_of(bob) is None
    sent = _sent(page)
    press_play(page)
    hear(page, 1)
    _go_to_library(page)
    assert not sent
    assert {row["card"]["slug"] for row in kept(page, "queue")} == {"tale"}  # type: ignore[index]


def test_without_indexed_db_the_device_keeps_the_same(new_page: Callable[..., Page]) -> None:
    page = new_page()
    page.add_init_script("Object.defineProperty(window, 'indexedDB', { value: undefined })")
    practice = make_practice("tale", kind="story")
    open_practice(page, practice)
    press_play(page)
    seek(page, 30)
    hear(page, 1)
    press_pause(page)
    page.get_by_role("button", name="Add to favorites").click()
    open_practice(page, practice)
    expect(page.get_by_role("button", name="Continue from 0:3")).to_be_visible()
    expect(page.locator("[data-favorite-device]")).to_have_attribute("aria-pressed", "true")
    page.goto("/")
    expect(page.locator("[data-device-shelf=listens]")).to_contain_text("Tale")
    page.get_by_role("button", name="Forget what is kept").click()
    expect(page.locator("[data-device-shelf=listens]")).to_be_hidden()
    assert page.evaluate("Object.keys(localStorage).filter((key) => key.startsWith('l'))") == []


def test_a_sign_out_sends_what_waits_and_leaves_nothing_of_it_in_the_browser(
    page: Page, alice: Account
) -> None:
    choose(alice, "just-for-me")
    enter(page, alice)
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 1)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Account").click()
    sign_out = page.get_by_role("button", name="Sign out")
    sign_out.wait_for()
    hear(page, 2)
    sign_out.click()
    page.wait_for_url(lambda url: "/account" not in url)
    wait_for(
        lambda: Listen.objects.filter(subject_id=alice.subject.id, seconds__gte=3).exists(),
        what="the whole listen on the server",
        seconds=15,
    )
    wait_for(
        lambda: all(not kept(page, store) for store in STORES),
        what="a browser without her",
        seconds=5,
    )


def test_what_the_device_keeps_outlives_a_sign_in_and_a_sign_out(
    page: Page, alice: Account
) -> None:
    choose(alice, "just-listening")
    open_practice(page, make_practice("tale", kind="story"))
    press_play(page)
    hear(page, 1)
    press_pause(page)
    enter(page, alice)
    page.goto("/account/")
    page.get_by_role("button", name="Sign out").click()
    expect(page.locator("[data-device-shelf=listens]")).to_contain_text("Tale")


def test_what_is_cleared_from_the_browser_is_not_sent_either(
    context: BrowserContext, alice: Account
) -> None:
    choose(alice, "just-for-me")
    page = context.new_page()
    enter(page, alice)
    _play_offline(page, make_practice("tale", kind="story"))
    sent = _sent(page)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Privacy").click()
    page.get_by_role("button", name="Clear what this browser keeps").click()
    wait_for(lambda: kept(page, "queue") == [], what="an empty queue")
    page.goto("/")
    assert all(not kept(page, store) for store in STORES)
    assert not sent
    assert not Listen.objects.exists()
