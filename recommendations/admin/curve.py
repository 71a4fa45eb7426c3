"""A small curve: one measure of release after release, as the numbers an SVG is drawn from."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from recommendations.selectors.release_desk import UNKNOWN, Figure, Point, Series, Unit

LEFT, RIGHT, TOP, BOTTOM = 50, 388, 12, 136
STEPS = 3
# A scale is never so fine that what is drawn is only rounding.
FINEST = {Unit.RATIO: 0.01, Unit.SHARE: 0.1, Unit.COUNT: 1.0, Unit.SECONDS: 1.0}


@dataclass(frozen=True)
class Tick:
    y: str
    label: str


@dataclass(frozen=True)
class Row:
    """A line of the table beside the curve."""

    point: Point
    value: str
    interval: str


@dataclass(frozen=True)
class Curve:
    """`line` and `dots` are the values, `band` their intervals (SVG paths, in pixels of the
    picture); `rule` is where the value to compare with stands."""

    series: Series
    line: str
    dots: str
    band: str
    ticks: Sequence[Tick]
    rule: str
    latest: str
    latest_interval: str
    summary: str
    rows: Sequence[Row]


def curve(series: Series) -> Curve | None:
    """None where no release has measured it. A release that has not leaves a gap."""
    known = [point.figure for point in series.points if point.figure]
    if not known:
        return None
    unit, rule = series.measure.unit, series.measure.rule
    scale = _Scale.around(_values(known, rule), unit)
    runs = list(_runs(series.points, scale))
    dots = [f"M{at.x} {at.y}h0" for run in runs for at in run]
    latest = known[-1]
    return Curve(
        series=series,
        line="".join(_path((at.x, at.y) for at in run) for run in runs),
        dots="".join(dots),
        band="".join(_band(run) for run in runs),
        ticks=[Tick(_px(scale.y(value)), _tick(unit, value)) for value in scale.ticks],
        rule="" if rule is None else _px(scale.y(rule)),
        latest=unit.text(latest.value),
        latest_interval=interval_text(latest, unit),
        summary=_summary(series, known),
        rows=[_row(point, unit) for point in reversed(series.points)],
    )


def value_text(figure: Figure | None, unit: Unit) -> str:
    return UNKNOWN if figure is None else unit.text(figure.value)


def interval_text(figure: Figure | None, unit: Unit) -> str:
    """The interval in words; "" where there is none."""
    if figure is None or figure.low is None or figure.high is None:
        return ""
    return f"{unit.text(figure.low)} to {unit.text(figure.high)}"


def _row(point: Point, unit: Unit) -> Row:
    return Row(point, value_text(point.figure, unit), interval_text(point.figure, unit))


@dataclass(frozen=True)
class _Place:
    """A value in the picture: where it is, and where its interval ends."""

    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True)
class _Scale:
    """From `base` to `top` steps of `step`."""

    base: int
    top: int
    step: float

    @classmethod
    def around(cls, values: Sequence[float], unit: Unit) -> Self:
        """From a round number to a round number; counts and times begin at nothing."""
        low, high = min(values), max(values)
        if unit is not Unit.RATIO:
            low = min(0.0, low)
        step = _round_step(max(high - low, FINEST[unit]) / STEPS, unit)
        base = math.floor(low / step)
        return cls(base, max(math.ceil(high / step), base + 1), step)

    @property
    def ticks(self) -> list[float]:
        return [n * self.step for n in range(self.base, self.top + 1)]

    def y(self, value: float) -> float:
        share = (value / self.step - self.base) / (self.top - self.base)
        return BOTTOM - (BOTTOM - TOP) * share


def _round_step(step: float, unit: Unit) -> float:
    power = 10.0 ** math.floor(math.log10(step))
    found = next(m * power for m in (1, 2, 5, 10) if m * power >= step * (1 - 1e-9))
    return max(1.0, found) if unit is Unit.COUNT else found


def _values(figures: Sequence[Figure], rule: float | None) -> list[float]:
    found = [v for f in figures for v in (f.value, f.low, f.high) if v is not None]
    return found if rule is None else [*found, rule - 0.05, rule + 0.05]


def _runs(points: Sequence[Point], scale: _Scale) -> Iterator[list[_Place]]:
    """What is drawn without lifting the pen."""
    step = (RIGHT - LEFT) / max(len(points) - 1, 1)
    run: list[_Place] = []
    for n, point in enumerate(points):
        figure = point.figure
        if figure is None:
            yield run
            run = []
            continue
        low = figure.value if figure.low is None else figure.low
        high = figure.value if figure.high is None else figure.high
        ys = (_px(scale.y(value)) for value in (figure.value, low, high))
        run.append(_Place(_px(LEFT + n * step if len(points) > 1 else RIGHT), *ys))
    yield run


def _band(run: Sequence[_Place]) -> str:
    if all(at.low == at.high for at in run):
        return ""
    there = [(at.x, at.high) for at in run]
    back = [(at.x, at.low) for at in reversed(run)]
    return f"{_path([*there, *back])}Z"


def _path(places: Iterable[tuple[str, str]]) -> str:
    joined = "L".join(f"{x} {y}" for x, y in places)
    return f"M{joined}" if joined else ""


def _px(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _tick(unit: Unit, value: float) -> str:
    if unit is Unit.COUNT and value >= 10_000:
        return f"{value / 1e6:g} M" if value >= 1e6 else f"{value / 1e3:g} k"
    write = {
        Unit.RATIO: f"{value:.2f}",
        Unit.SHARE: f"{value:.0%}",
        Unit.COUNT: f"{value:,.0f}",
        Unit.SECONDS: f"{value:g} s",
    }
    return write[unit]


def _summary(series: Series, known: Sequence[Figure]) -> str:
    """The curve in words, for those who do not see it."""
    unit, values = series.measure.unit, [figure.value for figure in known]
    return (
        f"{len(known)} of {len(series.points)} releases, oldest first. "
        f"Lowest {unit.text(min(values))}, highest {unit.text(max(values))}, "
        f"latest {unit.text(values[-1])}."
    )
