"""Where the lines of the mood picture go, in the units of their SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from recommendations.selectors.mood_picture import Week

WIDTH = 480
HEIGHT = 120
_EDGE = 12


@dataclass(frozen=True)
class Line:
    """`runs` are the points of weeks without a gap between them, as `points` of a polyline;
    `dots` are all points as (x, y)."""

    title: str
    top: str
    bottom: str
    runs: Sequence[str]
    dots: Sequence[tuple[float, float]]
    middle: float = HEIGHT / 2


def line(
    weeks: Sequence[Week],
    value: Callable[[Week], float | None],
    *,
    title: str,
    top: str,
    bottom: str,
) -> Line:
    """One value over the weeks; `top` and `bottom` say what 2 and −2 mean."""
    placed = [(index, value(week)) for index, week in enumerate(weeks)]
    runs = [
        [_point(index, height, len(weeks)) for index, height in run if height is not None]
        for is_there, run in groupby(placed, key=lambda item: item[1] is not None)
        if is_there
    ]
    return Line(
        title,
        top,
        bottom,
        runs=[" ".join(f"{x},{y}" for x, y in run) for run in runs],
        dots=[point for run in runs for point in run],
    )


def _point(index: int, height: float, count: int) -> tuple[float, float]:
    across = _EDGE + index * (WIDTH - 2 * _EDGE) / max(1, count - 1)
    down = HEIGHT / 2 - height * (HEIGHT / 2 - _EDGE) / 2
    return round(across, 1), round(down, 1)
