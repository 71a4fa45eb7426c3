"""A small landscape for every practice, drawn from its slug and kind.

Colors come from the style sheet by class, so a picture follows the palette of day and night. There
are no ids and no definitions inside: any number of pictures can share a page.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import pairwise
from random import Random

WIDTH = 160
HEIGHT = 120
HUES = 8

Point = tuple[int, int]

WEATHER_BY_WORD = {
    "rain": "rain",
    "thunder": "rain",
    "canvas": "rain",
    "drips": "rain",
    "ocean": "sea",
    "harbor": "sea",
    "sea": "sea",
    "stream": "sea",
    "waterfall": "sea",
    "wind": "reeds",
    "meadow": "reeds",
    "garden": "reeds",
    "chorus": "birds",
    "dawn": "birds",
    "pines": "pines",
    "forest": "pines",
    "snow": "snow",
    "fire": "fire",
    "hearth": "fire",
    "campfire": "fire",
    "train": "train",
    "noise": "mist",
    "drone": "mist",
    "fan": "mist",
    "bowls": "mist",
}
HOME_BY_WORD = {
    "house": "house",
    "cottage": "house",
    "lighthouse": "lighthouse",
    "island": "lighthouse",
    "boat": "boat",
    "ferry": "boat",
    "river": "boat",
    "canal": "boat",
    "harbor": "boat",
    "tent": "tent",
    "mountain": "tent",
    "camp": "tent",
    "train": "carriage",
    "berth": "carriage",
    "observatory": "dome",
    "telescope": "dome",
}


def landscape_svg(slug: str, kind: str) -> str:
    """Return one decorative `<svg>` of under a kilobyte, always the same for a slug and kind."""
    digest = hashlib.sha256(f"{kind}/{slug}".encode()).digest()
    random = Random(digest)  # noqa: S311 - it draws hills, it keeps no secret
    scene = SCENES.get(kind, _soundscape)(slug, random)
    return (
        f'<svg class="scene {kind} hue-{digest[0] % HUES}" viewBox="0 0 {WIDTH} {HEIGHT}"'
        f' preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">{scene}</svg>'
    )


def _soundscape(slug: str, random: Random) -> str:
    """Open country or open water, and the weather that is heard."""
    weather = _choice_by_word(slug, WEATHER_BY_WORD, random)
    return WEATHERS[weather](random)


def _breathing(slug: str, random: Random) -> str:
    """A sun on the horizon in rings that widen like a breath, and its light on still water."""
    horizon = random.randint(74, 84)
    center = random.randint(64, 96)
    radius = random.randint(13, 19)
    step = random.randint(9, 13)
    rings = "".join(
        _circle(center, horizon, radius + step * ring, f"r r{ring}")
        for ring in range(random.randint(3, 4), 0, -1)
    )
    sun = _circle(center, horizon, radius, "o")
    shore = _hills(random, horizon - 6, 5, "a") if random.random() < 0.6 else ""
    water = f'<path class="c" d="M0 {horizon}H{WIDTH}V{HEIGHT}H0z"/>'
    return rings + sun + shore + water + _glints(random, center, horizon, radius)


def _guided(slug: str, random: Random) -> str:
    """A path that winds over the hills towards the light."""
    horizon = random.randint(56, 66)
    end = random.randint(48, 112)
    start = random.randint(30, 130)
    bend = random.choice((-1, 1)) * random.randint(26, 48)
    width = random.randint(13, 20)
    sun = _circle(end + random.randint(-16, 16), horizon - random.randint(6, 20), 11, "o")
    far = _hills(random, horizon - 8, 12, "a")
    near = _hills(random, horizon + 2, 4, "b")
    middle = (horizon + HEIGHT) // 2
    path = (
        f'<path class="p" d="M{start - width} {HEIGHT}C{start - width + bend} {middle + 8}'
        f" {end - bend} {middle - 4} {end} {horizon + 5}C{end - bend + 9} {middle}"
        f' {start + width + bend} {middle + 8} {start + width} {HEIGHT}z"/>'
    )
    trees = "".join(
        _tree(random.randint(6, 154), random.randint(horizon + 8, horizon + 16), random)
        for _ in range(random.randint(2, 5))
    )
    return sun + far + near + path + trees


def _story(slug: str, random: Random) -> str:
    """Night, a crescent, and one lamp still lit."""
    home = _choice_by_word(slug, HOME_BY_WORD, random)
    moon_x, moon_y = random.randint(24, 136), random.randint(18, 40)
    size = random.randint(8, 12)
    moon = (
        f'<path class="o" d="M{moon_x} {moon_y - size}a{size} {size} 0 1 0 {size} {size}'
        f'a{size - 2} {size - 2} 0 0 1-{size}-{size}z"/>'
    )
    far = _hills(random, random.randint(64, 72), 12, "a")
    middle = _hills(random, 82, 8, "b")
    at = random.randint(34, 120)
    near = _hills(random, 98, 3, "c")
    return _stars(random, 14) + moon + far + middle + HOMES[home](at, 96) + near


def _rain(random: Random) -> str:
    lean = random.randint(-4, 4)
    length = random.randint(6, 11)
    drops = "".join(
        f"M{random.randint(2, 158)} {random.randint(2, 100)}l{lean} {length}"
        for _ in range(random.randint(22, 30))
    )
    hills = _hills(random, 62, 12, "a") + _hills(random, 78, 10, "b") + _hills(random, 98, 6, "c")
    return f'{hills}<path class="s" d="{drops}"/>'


def _sea(random: Random) -> str:
    horizon = random.randint(54, 66)
    center = random.randint(36, 124)
    sun = _circle(center, horizon - random.randint(-4, 22), random.randint(9, 15), "o")
    water = f'<path class="a" d="M0 {horizon}H{WIDTH}V{HEIGHT}H0z"/>'
    waves = _waves(random, horizon + 16, "b") + _waves(random, horizon + 34, "c")
    return sun + water + _glints(random, center, horizon, 9) + waves


def _reeds(random: Random) -> str:
    lean = random.choice((-1, 1)) * random.randint(6, 18)
    stems = "".join(
        f"M{foot} {HEIGHT}q{lean // 4}-{height // 2} {lean + random.randint(-3, 3)}-{height}"
        for foot, height in sorted(
            (random.randint(0, 160), random.randint(28, 66)) for _ in range(random.randint(16, 24))
        )
    )
    sun = _circle(random.randint(30, 130), random.randint(26, 50), random.randint(9, 14), "o")
    hills = _hills(random, 70, 8, "a") + _hills(random, 92, 6, "b")
    return f'{sun}{hills}<path class="k" d="{stems}"/>'


def _birds(random: Random) -> str:
    flock = "".join(
        f"M{random.randint(14, 130)} {random.randint(16, 48)}q3-4 6 0q3-4 6 0"
        for _ in range(random.randint(4, 7))
    )
    sun = _circle(random.randint(40, 120), random.randint(60, 70), random.randint(12, 18), "o")
    hills = _hills(random, 72, 8, "a") + _hills(random, 86, 8, "b") + _hills(random, 102, 5, "c")
    return f'{sun}{hills}<path class="k" d="{flock}"/>'


def _pines(random: Random) -> str:
    sun = _circle(random.randint(30, 130), random.randint(24, 46), random.randint(8, 13), "o")
    rows = ""
    for layer, foot in (("a", 80), ("b", 98), ("c", 120)):
        tops = "".join(
            f"l{half}-{height}l{half} {height}"
            for half, height in ((random.randint(5, 9), random.randint(14, 36)) for _ in range(12))
        )
        rows += f'<path class="{layer}" d="M-4 {foot}{tops}V{HEIGHT}H-4z"/>'
    return sun + rows


def _snow(random: Random) -> str:
    flakes = "".join(
        f"M{random.randint(2, 158)} {random.randint(2, 112)}h0"
        for _ in range(random.randint(30, 42))
    )
    hills = _hills(random, 66, 12, "a") + _hills(random, 84, 8, "b") + _hills(random, 100, 5, "c")
    return f'{hills}<path class="d" d="{flakes}"/>'


def _fire(random: Random) -> str:
    x, y = random.randint(56, 104), random.randint(88, 94)
    height = random.randint(22, 32)
    glow = "".join(_circle(x, y - 8, radius, "g") for radius in (46, 30, 18))
    flame = (
        f'<path class="w" d="M{x} {y - height}c9 {height // 3} 12 {height // 2} 9 {height - 8}'
        f'a9 8 0 0 1-18 0c-2-{height // 3} 6-{height // 3} 9-{height - 8}z"/>'
    )
    sparks = "".join(
        f"M{x + random.randint(-22, 22)} {random.randint(18, y - height)}h0" for _ in range(9)
    )
    hills = _hills(random, 66, 10, "a") + _hills(random, 92, 4, "c")
    return f'{hills}{glow}{flame}<path class="d" d="{sparks}"/>'


def _train(random: Random) -> str:
    y = random.randint(76, 84)
    windows = "".join(
        f"M{x} {y}h6" for x in range(random.randint(8, 40), random.randint(110, 150), 10)
    )
    far = _hills(random, 62, 12, "a") + _hills(random, y - 6, 3, "b")
    line = f'<path class="k" d="M0 {y + 7}H{WIDTH}"/>'
    near = _hills(random, y + 20, 5, "c")
    return f'{_stars(random, 9)}{far}<path class="l" d="{windows}"/>{line}{near}'


def _mist(random: Random) -> str:
    sun = _circle(random.randint(36, 124), random.randint(28, 52), random.randint(14, 22), "o")
    bands = "".join(
        f"M{random.randint(-10, 70)} {y + random.randint(-2, 2)}h{random.randint(50, 120)}"
        for y in range(52, 104, random.choice((8, 9, 10)))
    )
    hills = _hills(random, 74, 10, "a") + _hills(random, 98, 6, "c")
    return f'{sun}{hills}<path class="f" d="{bands}"/>'


def _house(x: int, y: int) -> str:
    return (
        f'<path class="h" d="M{x - 10} {y + 8}v-14l10-8 10 8v14z"/>'
        f'<path class="w" d="M{x - 3} {y - 5}h6v6h-6z"/>'
    )


def _lighthouse(x: int, y: int) -> str:
    return (
        f'<path class="b2" d="M{x} {y - 33}l-170-25v50zM{x} {y - 33}l170-25v50z"/>'
        f'<path class="h" d="M{x - 6} {y + 8}l2-36h8l2 36z"/>'
        f'<path class="w" d="M{x - 4} {y - 37}h8v8h-8z"/>'
    )


def _boat(x: int, y: int) -> str:
    return (
        f'<path class="h" d="M{x - 18} {y - 6}h36l-7 10h-22zM{x - 6} {y - 6}v-10h14v10z"/>'
        f'<path class="w" d="M{x - 2} {y - 14}h6v5h-6z"/>'
    )


def _tent(x: int, y: int) -> str:
    return (
        f'<path class="h" d="M{x - 16} {y + 6}l16-24 16 24z"/>'
        f'<path class="w" d="M{x - 5} {y + 6}l5-13 5 13z"/>'
    )


def _carriage(x: int, y: int) -> str:
    return (
        f'<path class="h" d="M{x - 26} {y + 6}v-15q0-3 4-3h44q4 0 4 3v15z"/>'
        f'<path class="l" d="M{x - 20} {y - 5}h9m5 0h9m5 0h9"/>'
    )


def _dome(x: int, y: int) -> str:
    return (
        f'<path class="h" d="M{x - 15} {y + 8}v-12a15 15 0 0 1 30 0v12z"/>'
        f'<path class="w" d="M{x + 1} {y - 3}v-15l5 1v14z"/>'
    )


def _choice_by_word(slug: str, meanings: dict[str, str], random: Random) -> str:
    """Return what the first telling word of the slug means, else any of the meanings."""
    drawn = random.choice(sorted(set(meanings.values())))
    return next((meanings[word] for word in slug.split("-") if word in meanings), drawn)


def _hills(random: Random, y: int, swing: int, layer: str) -> str:
    """A soft ridge around height y, filled down to the ground."""
    count = random.randint(3, 5)
    step = WIDTH // count
    ridge = [
        (step * i + random.randint(-6, 6), y + random.randint(-swing, swing))
        for i in range(count + 1)
    ]
    return _ridge(ridge, layer)


def _ridge(points: Sequence[Point], layer: str) -> str:
    """A smooth line through the midpoints of `points`, which themselves are its handles."""
    curve = "".join(
        f"Q{x} {y} {(x + next_x) // 2} {(y + next_y) // 2}"
        for (x, y), (next_x, next_y) in pairwise(points)
    )
    return (
        f'<path class="{layer}" d="M0 {points[0][1]}{curve}L{WIDTH} {points[-1][1]}V{HEIGHT}H0z"/>'
    )


def _waves(random: Random, y: int, layer: str) -> str:
    length = random.randint(14, 26)
    height = random.randint(3, 6)
    shift = random.randint(-length, 0)
    crests = f"q{length // 2}-{height} {length} 0t{length} 0" * (WIDTH // (2 * length) + 2)
    return f'<path class="{layer}" d="M{shift} {y}{crests}V{HEIGHT}H{shift}z"/>'


def _glints(random: Random, x: int, horizon: int, half: int) -> str:
    """Light on the water under a sun at x: short strokes, narrower with distance."""
    strokes = ""
    for row in range(1, 6):
        reach = half + row * 2 + random.randint(-6, 6)
        strokes += f"M{x - reach + random.randint(-4, 4)} {horizon + row * 6}h{2 * reach}"
    return f'<path class="f" d="{strokes}"/>'


def _stars(random: Random, count: int) -> str:
    places = "".join(f"M{random.randint(4, 156)} {random.randint(4, 60)}h0" for _ in range(count))
    return f'<path class="d" d="{places}"/>'


def _tree(x: int, y: int, random: Random) -> str:
    height = random.randint(12, 24)
    return f'<path class="c" d="M{x} {y - height}l{height // 3} {height}h-{height // 3 * 2}z"/>'


def _circle(x: int, y: int, radius: int, layer: str) -> str:
    return f'<circle class="{layer}" cx="{x}" cy="{y}" r="{radius}"/>'


SCENES: dict[str, Callable[[str, Random], str]] = {
    "soundscape": _soundscape,
    "breathing": _breathing,
    "guided": _guided,
    "story": _story,
}
WEATHERS: dict[str, Callable[[Random], str]] = {
    "rain": _rain,
    "sea": _sea,
    "reeds": _reeds,
    "birds": _birds,
    "pines": _pines,
    "snow": _snow,
    "fire": _fire,
    "train": _train,
    "mist": _mist,
}
HOMES: dict[str, Callable[[int, int], str]] = {
    "house": _house,
    "lighthouse": _lighthouse,
    "boat": _boat,
    "tent": _tent,
    "carriage": _carriage,
    "dome": _dome,
}
