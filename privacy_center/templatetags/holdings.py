"""A small picture of what came in by month: the bars that an SVG is drawn from."""

from collections.abc import Sequence
from dataclasses import dataclass

from django import template

register = template.Library()

SLOT = 12
TALLEST = 28


@dataclass(frozen=True)
class Bar:
    """`x` is where the month's slot begins; `y` and `height` are those of its bar."""

    x: int
    y: int
    height: int


@register.filter
def bars(months: Sequence[int]) -> list[Bar]:
    """One bar a month; a month with anything has one to be seen."""
    most = max(months, default=0) or 1
    heights = [-(-TALLEST * count // most) for count in months]
    return [Bar(place * SLOT, TALLEST - height, height) for place, height in enumerate(heights)]
