"""The soundscapes, rendered by the browser itself and listened to with numbers.

Every recipe of the catalog is rendered offline in Chromium with the script the site serves.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import combinations, pairwise
from pathlib import Path
from threading import Thread
from typing import TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, Page
from scipy.signal import sosfilt, stft

ROOT = Path(__file__).parents[2] / "recommendations"
RATE = 44_100
SECONDS = 24  # of each; long enough for the rare events
FADE_SECONDS = 2
FRAME = 2_048

# Measured on the catalog (Impression.distance): the two recipes that are
# most alike are 3.6 apart. Most recipes are within 2 of themselves; the few with rare events are
# not, and must be further from all others than from themselves: they are, 1.37 times at least.
DISTINCT = 3.0
DISTINCT_RATIO = 1.2
LOUDNESS_BAND = (-25.0, -21.0)  # LUFS
HIGHS_ABOVE = 6_000  # Hz
HIGHS_SHARE = 0.1  # of the power: what is above is felt as hiss

pytestmark = pytest.mark.journey
SLUGS = sorted(path.stem for path in (ROOT / "catalog/soundscapes").glob("*.toml"))

# The two stages of the K filter at 44.1 kHz (BS.1770-4 gives them for 48 kHz).
K_WEIGHTING = np.array(
    [
        [1.5308412, -2.6509800, 1.1690791, 1, -1.6636551, 0.7125954],
        [1, -2, 1, 1, -1.9891697, 0.9891992],
    ]
)

Signal: TypeAlias = NDArray[np.float32]

RENDER = """
async ([recipe, seed, seconds]) => {
  const { createSoundscape, limiter } = await import("/static/recommendations/sound.js");
  const context = new OfflineAudioContext(2, seconds * 44100, 44100);
  const limited = limiter(context);
  createSoundscape(context, recipe, { seed }).output.connect(limited.input);
  limited.output.connect(context.destination);
  await send(await context.startRendering());
}
"""
LOOP = """
async ([module, make, argument]) => {
  const made = await import(`/static/recommendations/${module}.js`);
  await send(made[make](new OfflineAudioContext(2, 1, 44100), argument, "seed"));
}
"""
# Two faders on a steady signal, one to each ear: one comes while the other goes, for two seconds,
# and after one second they may turn round.
FADE = """
async ([turnsRound]) => {
  const { Fader } = await import("/static/recommendations/fade.js");
  const context = new OfflineAudioContext(2, 5 * 44100, 44100);
  const steady = new ConstantSourceNode(context, { channelCount: 1 });
  const faders = [new Fader(context), new Fader(context)];
  const ears = new ChannelMergerNode(context, { numberOfInputs: 2 });
  faders.forEach((fader, ear) => steady.connect(fader.node).connect(ears, 0, ear));
  ears.connect(context.destination);
  steady.start();
  const move = (to, seconds) =>
    faders.forEach((fader, ear) => fader.fade(ear ? 1 - to : to, seconds));
  faders[1].fade(1, 0.001);
  context.suspend(1).then(() => { move(1, 2); context.resume(); });
  if (turnsRound) context.suspend(2).then(() => { move(0, 2); context.resume(); });
  await send(await context.startRendering());
}
"""
LOW_DROPS = {"source": "drops", "rate": 60, "pitch": [210, 420], "decay": [25, 50]}
LIMIT = """
async ([loudness]) => {
  const { limiter } = await import("/static/recommendations/sound.js");
  const context = new OfflineAudioContext(2, 2 * 44100, 44100);
  const limited = limiter(context);
  const tone = new OscillatorNode(context, { frequency: 441 });
  tone.connect(new GainNode(context, { gain: loudness })).connect(limited.input);
  limited.output.connect(context.destination);
  tone.start();
  await send(await context.startRendering());
}
"""
SEND = """
async (buffer) => {
  const both = new Float32Array(2 * buffer.length);
  both.set(buffer.getChannelData(0));
  both.set(buffer.getChannelData(1), buffer.length);
  await fetch("/rendered", { method: "POST", body: both.buffer });
}
"""


class SoundHandler(SimpleHTTPRequestHandler):
    """Serves the static files under the site's own content policy and takes what was rendered."""

    def __init__(self, *args: object, received: list[bytes]) -> None:
        self.received = received
        super().__init__(*args, directory=str(ROOT))  # type: ignore[arg-type]

    def end_headers(self) -> None:
        policy = "default-src 'none'; script-src 'self'; connect-src 'self'"
        self.send_header("Content-Security-Policy", policy)
        super().end_headers()

    def do_GET(self) -> None:
        if self.path.startswith("/static/"):
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>Sound</title>")

    def do_POST(self) -> None:
        self.received.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """A test run says what failed, not what was fetched."""


@dataclass(frozen=True)
class Ear:
    """Renders in a page and hands back samples, channels in rows."""

    page: Page
    received: list[bytes]

    def samples(self, script: str, *argument: object) -> Signal:
        self.page.evaluate(script, argument)
        return np.frombuffer(self.received.pop(), dtype=np.float32).reshape(2, -1)

    def soundscape(self, slug: str, *, seed: str = "first") -> Signal:
        recipe = tomllib.loads((ROOT / f"catalog/soundscapes/{slug}.toml").read_text())
        return self.samples(RENDER, recipe, seed, SECONDS)


@pytest.fixture(scope="module")
def ear(browser: Browser) -> Iterator[Ear]:
    received: list[bytes] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(SoundHandler, received=received))
    Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    page.evaluate(f"() => {{ globalThis.send = {SEND} }}")
    yield Ear(page, received)
    page.close()
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def rendered(ear: Ear) -> dict[str, Signal]:
    return {slug: ear.soundscape(slug) for slug in SLUGS}


def loudness(signal: Signal) -> float:
    """Integrated loudness in LUFS: ITU-R BS.1770-4 with its K filter at 44.1 kHz and both gates."""
    weighted = sosfilt(K_WEIGHTING, signal, axis=1)
    block, step = int(0.4 * RATE), int(0.1 * RATE)
    starts = range(0, signal.shape[1] - block, step)
    power = np.array([np.mean(weighted[:, at : at + block] ** 2, axis=1).sum() for at in starts])
    level = -0.691 + 10 * np.log10(power + 1e-12)
    power, level = power[level > -70], level[level > -70]
    gate = -0.691 + 10 * np.log10(power.mean()) - 10
    return float(-0.691 + 10 * np.log10(power[level > gate].mean()))


def features(signal: Signal) -> NDArray[np.float64]:
    """What an ear tells sounds apart by, each in steps that are clearly heard: color (12 bands,
    6 dB), movement (6 bands, 3 dB) and rhythm (4 bands of the envelope's own spectrum, 6 dB)."""
    frequencies, _, spectrum = stft(signal.mean(axis=0), RATE, nperseg=FRAME)
    power = np.abs(spectrum) ** 2
    color = 10 * np.log10(bands(power, frequencies, 12).mean(axis=1))
    wide = 10 * np.log10(bands(power, frequencies, 6))
    quick = np.diff(wide, axis=1).std(axis=1)
    movement = np.concatenate([wide.std(axis=1), quick])
    envelope = power.sum(axis=0)
    beats = np.abs(np.fft.rfft(envelope / envelope.mean() - 1)) ** 2 / len(envelope) ** 2
    paces = np.fft.rfftfreq(len(envelope), d=FRAME / 2 / RATE)
    rhythm = [
        10 * np.log10(beats[(paces >= low) & (paces < 2.6 * low)].sum() + 1e-6)
        for low in (0.4, 1.04, 2.7, 7)
    ]
    return np.concatenate(
        [np.maximum(color - color.max(), -36) / 6, movement / 3, np.array(rhythm) / 6]
    )


def bands(
    power: NDArray[np.float64], frequencies: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Power in `count` bands of equal width in octaves, 45 Hz to 11 kHz, with a floor of -90 dB."""
    edges = np.geomspace(45, 11_000, count + 1)
    inside = [(frequencies >= low) & (frequencies < high) for low, high in pairwise(edges)]
    return np.array([power[rows].sum(axis=0) for rows in inside]) + 1e-9


@dataclass(frozen=True)
class Impression:
    """The features of a rendering's two halves."""

    first: NDArray[np.float64]
    second: NDArray[np.float64]

    def distance(self, other: "Impression") -> float:
        """Between halves that do not begin alike: a copy is as far away as a recipe from itself."""
        return min(
            float(np.linalg.norm(self.first - other.second)),
            float(np.linalg.norm(self.second - other.first)),
        )


def impression(signal: Signal) -> Impression:
    middle = signal.shape[1] // 2
    return Impression(features(signal[:, :middle]), features(signal[:, middle:]))


def are_alike(one: Impression, other: Impression) -> bool:
    own = max(one.distance(one), other.distance(other))
    return one.distance(other) < max(DISTINCT, DISTINCT_RATIO * own)


def seam(loop: Signal) -> float:
    """The step from the end of a loop to its start, in usual steps from sample to sample."""
    steps = np.diff(loop, axis=1).std(axis=1)
    return float(np.max(np.abs(loop[:, 0] - loop[:, -1]) / steps))


@pytest.mark.parametrize("slug", SLUGS)
def test_soundscape_is_clean_and_as_loud_as_the_others(
    slug: str, rendered: dict[str, Signal]
) -> None:
    signal = rendered[slug]
    assert np.isfinite(signal).all()
    assert np.abs(signal).max() < 1
    low, high = LOUDNESS_BAND
    assert low < loudness(signal) < high


@pytest.mark.parametrize("slug", SLUGS)
def test_soundscape_has_no_harsh_highs_and_a_gentle_width(
    slug: str, rendered: dict[str, Signal]
) -> None:
    signal = rendered[slug]
    power = np.abs(np.fft.rfft(signal, axis=1)) ** 2
    highs = np.fft.rfftfreq(signal.shape[1], d=1 / RATE) > HIGHS_ABOVE
    assert power[:, highs].sum() < HIGHS_SHARE * power.sum()
    left, right = power.sum(axis=1)
    assert abs(10 * np.log10(left / right)) < 3
    assert 0.25 < float(np.corrcoef(*signal)[0, 1]) < 0.99


def test_no_two_soundscapes_are_alike(rendered: dict[str, Signal]) -> None:
    heard = {slug: impression(signal) for slug, signal in rendered.items()}
    alike = [pair for pair in combinations(SLUGS, 2) if are_alike(*(heard[slug] for slug in pair))]
    assert alike == []


@pytest.mark.parametrize("slug", ["steady-rain", "night-train", "singing-bowls", "cave-drips"])
def test_a_copied_recipe_is_found_to_be_alike(
    slug: str, ear: Ear, rendered: dict[str, Signal]
) -> None:
    copy = ear.soundscape(slug, seed="copy")
    assert are_alike(impression(rendered[slug]), impression(copy))


def test_the_same_seed_gives_the_same_soundscape(ear: Ear, rendered: dict[str, Signal]) -> None:
    # The browser adds up what a node receives in no fixed order: the last bits may differ.
    assert np.allclose(ear.soundscape("stream"), rendered["stream"], atol=1e-4)


@pytest.mark.parametrize(
    "loop",
    [
        ("noise", "noiseLoop", "brown"),
        ("noise", "noiseLoop", "pink"),
        (
            "grains",
            "grainLoop",
            {"source": "drops", "rate": 60, "pitch": [210, 420], "decay": [25, 50]},
        ),
    ],
    ids=["brown noise", "pink noise", "drops"],
)
def test_loop_has_no_seam(loop: tuple[str, str, object], ear: Ear) -> None:
    assert seam(ear.samples(LOOP, *loop)) < 5


def test_a_loop_that_is_cut_shows_its_seam(ear: Ear) -> None:
    loop = ear.samples(LOOP, "noise", "noiseLoop", "brown")
    cuts = [seam(loop[:, : -1_000 * cut]) for cut in range(1, 21)]
    assert np.median(cuts) > 5


def test_cross_fade_keeps_the_power(ear: Ear) -> None:
    power = (ear.samples(FADE, False) ** 2).sum(axis=0)
    assert power[RATE // 10 :] == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("turns_round", [False, True])
def test_fade_has_no_click_even_when_it_turns_round(turns_round: bool, ear: Ear) -> None:
    gains = ear.samples(FADE, turns_round)[:, RATE // 10 :]
    longest_step = np.pi / 2 / (FADE_SECONDS * RATE)
    assert np.abs(np.diff(gains, axis=1)).max() < 3 * longest_step
    assert gains[:, -1] == pytest.approx([0, 1] if turns_round else [1, 0], abs=1e-6)


def test_limiter_holds_what_is_loud_and_leaves_what_is_not(ear: Ear) -> None:
    assert np.abs(ear.samples(LIMIT, 8)).max() < 1
    assert np.abs(ear.samples(LIMIT, 0.3)).max() == pytest.approx(0.3, rel=0.02)
