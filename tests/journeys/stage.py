"""A practice's page under observation: how loud it is, what the browser keeps, what is sent."""

import json
from collections.abc import Callable
from typing import TypedDict, cast

from django.conf import settings
from django.test import Client
from playwright.sync_api import Locator, Page, Request, expect

from privacy_center.models import Account
from recommendations.models import Practice
from tests.conftest import wait_for

LISTENS = "**/api/v1/listens/"
NOISE = {"layers": [{"source": "noise", "color": "brown", "gain": 0.8}]}
BREATHS = {"pattern": [["in", 1.5], ["out", 1.5]], "rounds": 20}

# What goes to the loudspeaker also goes to a meter, and the media keys can be pressed by name.
OBSERVED = """(() => {
  const meters = new Map();
  const connect = AudioNode.prototype.connect;
  AudioNode.prototype.connect = function (into, ...rest) {
    if (into instanceof AudioDestinationNode) {
      const meter = new AnalyserNode(this.context, { fftSize: 8192 });
      meters.set(this.context, meter);
      connect.call(this, meter);
    }
    return connect.call(this, into, ...rest);
  };
  window.contexts = () => [...meters.keys()];
  window.level = () => {
    let sum = 0;
    for (const meter of meters.values()) {
      const samples = new Float32Array(meter.fftSize);
      meter.getFloatTimeDomainData(samples);
      sum += samples.reduce((total, sample) => total + sample ** 2, 0) / meter.fftSize;
    }
    return Math.sqrt(sum);
  };
  window.mediaKeys = {};
  const set = MediaSession.prototype.setActionHandler;
  MediaSession.prototype.setActionHandler = function (action, handler) {
    window.mediaKeys[action] = handler;
    return set.call(this, action, handler);
  };
})()"""
KEPT = """(store) => new Promise((resolve, reject) => {
  const request = indexedDB.open("listening");
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const rows = request.result.transaction(store).objectStore(store).getAll();
    rows.onsuccess = () => { request.result.close(); resolve(rows.result); };
  };
})"""


class Report(TypedDict):
    """One listen as the browser sends it."""

    id: str
    practice: str
    started_at: str
    seconds: int
    position: int


def make_practice(slug: str, **fields: object) -> Practice:
    """A practice of one minute; brown noise unless said otherwise."""
    return Practice.objects.create(
        **{
            "slug": slug,
            "title": slug.replace("-", " ").capitalize(),
            "summary": "A short one.",
            "kind": "soundscape",
            "intention": "calm",
            "seconds": 60,
            "content": NOISE,
            **fields,
        }
    )


def enter(page: Page, account: Account) -> None:
    """Be signed in, without the form."""
    client = Client()
    client.force_login(account, backend="privacy_center.backend.AccountBackend")
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    domain = {"domain": "127.0.0.1", "path": "/"}
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, **domain}])  # type: ignore[typeddict-item]


def stage(page: Page) -> Locator:
    return page.locator("[data-player-stage]")


def expect_state(page: Page, state: str) -> None:
    expect(stage(page)).to_have_attribute("data-player-state", state, timeout=15_000)


def open_practice(page: Page, practice: Practice) -> None:
    """Load the page and wait until its player can be pressed."""
    page.goto(practice.get_absolute_url())
    expect_state(page, "idle")


def press_play(page: Page) -> None:
    """Play by the button, until time passes."""
    page.locator("[data-player-toggle]").click()
    expect_state(page, "playing")
    hear(page, 0)


def press_pause(page: Page) -> None:
    page.locator("[data-player-toggle]").click()
    expect_state(page, "paused")


def hear(page: Page, seconds: float) -> None:
    """Wait until the player has played on for this long."""
    page.evaluate(
        """(seconds) => new Promise((resolve, reject) => {
          setTimeout(() => reject(new Error("nothing was heard")), 15_000);
          let from;
          document.addEventListener("player:time", function watch({ detail }) {
            from ??= detail.heard;
            if (detail.heard - from < seconds) return;
            document.removeEventListener("player:time", watch);
            resolve();
          });
        })""",
        seconds,
    )


def wait_for_level(page: Page, is_right: Callable[[float], bool], *, what: str) -> None:
    """Until the loudness (root mean square, full scale is 1) is as it should be."""
    wait_for(lambda: is_right(page.evaluate("window.level()")), what=what, seconds=15)


def seek(page: Page, seconds: int) -> None:
    page.locator("[data-player-seek]").fill(str(seconds))


def elapsed(page: Page) -> int:
    """What the page says has passed, in seconds."""
    minutes, seconds = page.locator("[data-player-elapsed]").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


def kept(page: Page, store: str) -> list[dict[str, object]]:
    """What this browser keeps: listens, queue, favorites, ratings or positions."""
    return cast(list[dict[str, object]], page.evaluate(KEPT, store))


def reports(request: Request) -> list[Report]:
    """The listens in a request."""
    return cast(list[Report], json.loads(request.post_data or "{}")["listens"])
