"""The player in a real browser: when it sounds, what moves it, what it shows, how it goes on."""

import wave
from collections.abc import Callable
from io import BytesIO

import pytest
from django.core.files.base import ContentFile
from playwright.sync_api import Browser, Page, expect

from tests.journeys.stage import (
    BREATHS,
    OBSERVED,
    elapsed,
    expect_state,
    hear,
    make_practice,
    open_practice,
    press_pause,
    press_play,
    seek,
    stage,
    wait_for_level,
)

pytestmark = pytest.mark.journey

AUDIBLE = 0.01  # root mean square; full scale is 1
SILENT = 0.0001
LINES = {
    "lines": [
        {"at": 0, "text": "The first line.", "seconds": 1},
        {"at": 2, "text": "The second line.", "seconds": 1},
        {"at": 40, "text": "The third line.", "seconds": 1},
    ]
}
# How many sizes and shades the figure goes through in a breath, and the words with it.
ONE_BREATH = """() => new Promise((resolve) => {
  const figure = document.querySelector("[data-player-breath-figure]");
  const word = document.querySelector("[data-player-breath-word]");
  const seen = { scale: new Set(), fill: new Set(), words: new Set() };
  const end = performance.now() + 3200;
  const look = () => {
    seen.scale.add(getComputedStyle(figure).transform);
    seen.fill.add(getComputedStyle(figure.querySelector("circle")).opacity);
    seen.words.add(word.textContent);
    if (performance.now() < end) { requestAnimationFrame(look); return; }
    resolve({ scales: seen.scale.size, fills: seen.fill.size, words: [...seen.words].sort() });
  };
  look();
})"""


@pytest.fixture
def observed(page: Page) -> Page:
    page.add_init_script(OBSERVED)
    return page


def _until_audible(page: Page) -> None:
    wait_for_level(page, lambda level: level > AUDIBLE, what="sound")


def _until_silent(page: Page) -> None:
    wait_for_level(page, lambda level: level < SILENT, what="silence")


def _wav(seconds: float) -> bytes:
    file = BytesIO()
    with wave.open(file, "wb") as recording:
        recording.setparams((1, 2, 8000, 0, "NONE", ""))
        one_period = b"".join(
            value.to_bytes(2, "little", signed=True) for value in [9000] * 20 + [-9000] * 20
        )
        recording.writeframes(one_period * int(seconds * 8000 / 40))
    return file.getvalue()


def test_sound_starts_only_on_a_press_and_goes_after_the_next(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    observed.wait_for_load_state("networkidle")
    assert observed.evaluate("window.contexts().length") == 0
    toggle = observed.get_by_role("button", name="Play", exact=True)
    toggle.click()
    expect_state(observed, "playing")
    _until_audible(observed)
    observed.get_by_role("button", name="Pause", exact=True).click()
    expect_state(observed, "paused")
    _until_silent(observed)
    expect(toggle).to_be_visible()


def test_space_plays_and_pauses_and_arrows_move_by_fifteen_seconds(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    observed.keyboard.press("Space")
    expect_state(observed, "playing")
    observed.keyboard.press("Space")
    expect_state(observed, "paused")
    start = elapsed(observed)
    observed.keyboard.press("ArrowRight")
    observed.keyboard.press("ArrowRight")
    assert elapsed(observed) == start + 30
    observed.keyboard.press("ArrowLeft")
    assert elapsed(observed) == start + 15
    assert observed.evaluate("scrollY") == 0


def test_m_mutes_up_and_down_set_the_volume_and_a_slider_leaves_space_to_the_player(
    observed: Page,
) -> None:
    open_practice(observed, make_practice("brown"))
    press_play(observed)
    _until_audible(observed)
    mute = observed.get_by_role("button", name="Mute")
    volume = observed.get_by_label("Volume")
    observed.keyboard.press("m")
    expect(mute).to_have_attribute("aria-pressed", "true")
    _until_silent(observed)
    observed.keyboard.press("ArrowUp")
    expect(mute).to_have_attribute("aria-pressed", "false")
    expect(volume).to_have_value("85")
    observed.keyboard.press("ArrowDown")
    observed.keyboard.press("ArrowDown")
    expect(volume).to_have_value("75")
    volume.focus()
    observed.keyboard.press("Space")
    expect_state(observed, "paused")


def test_keys_work_on_a_practice_that_a_link_led_to(observed: Page) -> None:
    make_practice("brown")
    observed.goto("/practices/?q=brown", wait_until="networkidle")
    observed.get_by_role("link", name="Brown", exact=True).click()
    observed.locator("#main:focus [data-player-stage]").wait_for()
    observed.keyboard.press("Space")
    expect_state(observed, "playing")


def test_no_key_is_taken_while_somebody_types_or_chooses(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    press_play(observed)
    press_pause(observed)
    start = elapsed(observed)
    observed.get_by_label("Stop", exact=True).focus()
    for key in ("m", "ArrowDown", "ArrowRight"):
        observed.keyboard.press(key)
    expect(observed.get_by_label("Volume")).to_have_value("80")
    expect(observed.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "false")
    assert elapsed(observed) == start
    press_play(observed)

    observed.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    search = observed.get_by_label("Search")
    search.focus()
    observed.keyboard.type("m m ")
    observed.keyboard.press("ArrowLeft")
    expect(search).to_have_value("m m ")
    expect(observed.locator("#player")).to_have_attribute("data-player-state", "playing")


def test_the_position_slider_is_moved_by_keys_and_says_where_it_is(observed: Page) -> None:
    open_practice(observed, make_practice("brown", seconds=150))
    slider = observed.get_by_role("slider", name="Position")
    expect(slider).to_be_disabled()
    press_play(observed)
    press_pause(observed)
    slider.focus()
    observed.keyboard.press("End")
    expect(slider).to_have_attribute(
        "aria-valuetext", "2 minutes 30 seconds of 2 minutes 30 seconds"
    )
    expect(observed.locator("[data-player-remaining]")).to_have_text("−0:00")
    observed.keyboard.press("ArrowLeft")
    observed.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute(
        "aria-valuetext", "2 minutes 28 seconds of 2 minutes 30 seconds"
    )
    observed.keyboard.press("Home")
    expect(observed.locator("[data-player-elapsed]")).to_have_text("0:00")


def test_the_volume_is_remembered_and_obeyed(observed: Page) -> None:
    practice = make_practice("brown")
    open_practice(observed, practice)
    observed.get_by_label("Volume").fill("0")
    open_practice(observed, practice)
    expect(observed.get_by_label("Volume")).to_have_value("0")
    press_play(observed)
    hear(observed, 1)
    assert observed.evaluate("window.level()") < SILENT
    observed.get_by_label("Volume").fill("100")
    _until_audible(observed)


def test_the_timer_stops_the_sound(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    timer = observed.get_by_label("Stop", exact=True)
    timer.locator("option[value='5']").evaluate("option => { option.value = '0.02'; }")
    press_play(observed)
    timer.select_option("0.02")
    expect(observed.locator("[data-player-timer-left]")).to_have_text("Stops in 1 min")
    expect_state(observed, "paused")
    expect(timer).to_have_value("end")
    assert elapsed(observed) < 10


def test_a_soundscape_without_an_end_goes_on_after_its_length(observed: Page) -> None:
    open_practice(observed, make_practice("brown", seconds=10))
    observed.get_by_label("Stop", exact=True).select_option("off")
    press_play(observed)
    seek(observed, 9)
    expect(observed.locator("[data-player-remaining]")).to_have_text("no end")
    expect_state(observed, "playing")
    observed.get_by_label("Stop", exact=True).select_option("end")
    expect_state(observed, "finished")


def test_lines_come_one_by_one_and_all_the_words_are_there_to_read(observed: Page) -> None:
    practice = make_practice("three-lines", kind="guided", content=LINES, voice="warm")
    open_practice(observed, practice)
    current = observed.locator("[data-player-line=current]")
    expect(current).to_have_text("The first line.")
    press_play(observed)
    expect(current).to_have_text("The second line.")
    expect(observed.locator("[data-player-line=previous]")).to_have_text("The first line.")
    expect(observed.locator("[data-player-line=next]")).to_have_text("The third line.")
    seek(observed, 40)
    expect(current).to_have_text("The third line.")
    lines = observed.locator("[data-player-lines]")
    expect(lines).to_have_attribute("aria-live", "off")
    observed.get_by_label("Give the lines to my screen reader").check()
    expect(lines).to_have_attribute("aria-live", "polite")
    observed.get_by_text("Read the words").click()
    assert observed.locator("details .script-lines li").all_inner_texts()[1].split() == [
        "0:02", "The", "second", "line.",
    ]  # fmt: skip
    expect_state(observed, "playing")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_breath_moves_or_only_fades_as_the_device_asks(
    new_page: Callable[..., Page], motion: str
) -> None:
    page = new_page(reduced_motion=motion)
    open_practice(page, make_practice("breaths", kind="breathing", content=BREATHS))
    expect(page.locator("[data-player-breath-word]")).to_have_text("Ready")
    press_play(page)
    seen = page.evaluate(ONE_BREATH)
    assert seen["words"] == ["In", "Out"]
    assert seen["fills"] > 2 if motion == "reduce" else seen["fills"] == 1
    assert seen["scales"] == 1 if motion == "reduce" else seen["scales"] > 10
    expect(page.locator("[data-player-breath-round]")).to_contain_text("of 20")


def test_the_sound_goes_on_through_a_change_of_page_and_folds_into_a_bar(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    press_play(observed)
    _until_audible(observed)
    before = observed.evaluate("window.contexts()[0].currentTime")
    bar = observed.get_by_label("Now playing")
    expect(bar).to_be_hidden()
    observed.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    observed.wait_for_url("**/practices/")
    expect(bar).to_be_visible()
    expect(bar).to_contain_text("Brown")
    hear(observed, 0.5)
    states = observed.evaluate("window.contexts().map((one) => one.state)")
    assert states == ["running"]
    assert observed.evaluate("window.contexts()[0].currentTime") > before
    _until_audible(observed)

    bar.get_by_role("button", name="Pause").click()
    expect(bar).to_have_attribute("data-player-state", "paused")
    bar.get_by_role("button", name="Play").click()
    expect(bar).to_have_attribute("data-player-state", "playing")
    bar.get_by_role("link", name="Brown").click()
    observed.wait_for_url("**/practices/brown/")
    expect_state(observed, "playing")
    expect(bar).to_be_hidden()
    assert elapsed(observed) >= 1

    observed.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    bar.get_by_role("button", name="Stop").click()
    expect(bar).to_be_hidden()
    _until_silent(observed)


def test_a_second_practice_comes_as_the_first_goes_with_no_gap(observed: Page) -> None:
    make_practice("brown-two")
    open_practice(observed, make_practice("brown-one"))
    press_play(observed)
    hear(observed, 2)
    observed.get_by_role("navigation", name="Main").get_by_role("link", name="Library").click()
    observed.get_by_label("Search").fill("brown two")
    observed.get_by_role("button", name="Show", exact=True).click()
    observed.get_by_role("link", name="Brown two", exact=True).click()
    expect_state(observed, "idle")
    usual = observed.evaluate("window.level()")
    observed.evaluate("""() => {
      window.lowest = 1;
      window.watching = setInterval(() => {
        window.lowest = Math.min(window.lowest, window.level());
      }, 50);
    }""")
    press_play(observed)
    hear(observed, 3.5)
    assert observed.evaluate("window.lowest") > usual / 3
    assert observed.evaluate("window.contexts().length") == 1
    assert observed.evaluate("navigator.mediaSession.metadata.title") == "Brown two"


def test_media_keys_and_the_lock_screen(observed: Page) -> None:
    open_practice(observed, make_practice("brown"))
    press_play(observed)

    def key(action: str, **details: float) -> None:
        observed.evaluate("([action, details]) => mediaKeys[action](details)", [action, details])

    metadata = "(({ title, artist }) => [title, artist])(navigator.mediaSession.metadata)"
    assert observed.evaluate(metadata) == ["Brown", "Soundscape"]
    key("pause")
    expect_state(observed, "paused")
    assert observed.evaluate("navigator.mediaSession.playbackState") == "paused"
    start = elapsed(observed)
    key("seekforward")
    assert elapsed(observed) == start + 15
    key("seekbackward", seekOffset=5)
    assert elapsed(observed) == start + 10
    key("seekto", seekTime=40)
    assert elapsed(observed) == 40
    key("play")
    expect_state(observed, "playing")
    assert observed.evaluate("navigator.mediaSession.playbackState") == "playing"
    key("stop")
    expect_state(observed, "idle")
    assert observed.evaluate("navigator.mediaSession.metadata") is None


def test_an_uploaded_recording_plays_and_is_fetched_in_parts(observed: Page) -> None:
    practice = make_practice("spoken", kind="guided", content={}, seconds=30)
    practice.audio.save("spoken.wav", ContentFile(_wav(30)))
    ranges: list[tuple[str | None, int]] = []
    observed.on(
        "response",
        lambda r: (
            ranges.append((r.request.headers.get("range"), r.status))
            if "/media/" in r.url
            else None
        ),
    )
    open_practice(observed, practice)
    press_play(observed)
    _until_audible(observed)
    seek(observed, 20)
    hear(observed, 0.5)
    assert 20 <= elapsed(observed) < 24
    press_pause(observed)
    press_play(observed)
    assert elapsed(observed) >= 20, "it goes on where it was"
    assert ranges
    assert {(bool(asked), status) for asked, status in ranges} == {(True, 206)}


def test_a_recording_that_is_shorter_than_its_practice_says_comes_to_its_end(
    observed: Page,
) -> None:
    practice = make_practice("short", kind="guided", content={}, seconds=40)
    practice.audio.save("short.wav", ContentFile(_wav(2)))
    open_practice(observed, practice)
    press_play(observed)
    expect_state(observed, "finished")
    expect(observed.locator("[data-player-remaining]")).to_have_text("−0:00")


def test_a_recording_that_does_not_load_says_so_and_keeps_the_place(
    browser: Browser, live_site: str
) -> None:
    practice = make_practice("lost", kind="guided", content={}, seconds=40)
    practice.audio.save("lost.wav", ContentFile(_wav(40)))
    page = browser.new_page(base_url=live_site)
    page.route("**/media/**", lambda route: route.abort())
    open_practice(page, practice)
    page.locator("[data-player-toggle]").click()
    expect(page.locator("[data-player-message]")).to_contain_text("did not load")
    expect_state(page, "paused")
    page.unroute("**/media/**")
    press_play(page)
    expect(stage(page).locator("[data-player-message]")).to_have_text("")
    page.context.close()
