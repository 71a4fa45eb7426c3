"""A small picture of months: twelve bars, as the numbers an SVG is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from recommendations.selectors.history import Month

SLOT = 30
TALLEST = 60


@dataclass(frozen=True)
class Bar:
    """`x` is where the month's slot begins; `y` and `height` are those of its bar."""

    month: date
    count: int
    x: int
    y: int
    height: int


def bars(months: Sequence[Month]) -> list[Bar]:
    """The tallest bar is the month with the most; a month with anything has one to be seen."""
    most = max((month.count for month in months), default=0) or 1
    heights = [-(-TALLEST * month.count // most) for month in months]
    return [
        Bar(month.first, month.count, place * SLOT, TALLEST - height, height)
        for place, (month, height) in enumerate(zip(months, heights, strict=True))
    ]
