"""The small picture of one purpose: twelve months, yes upward and no downward."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from privacy_center.selectors.decision_months import Decisions

LEFT, SLOT, WIDTH = 34, 30, 20
TALLEST = 44
# The lines the bars stand on and hang from, with the months' names between them.
YES_LINE, NO_LINE = 62, 82


@dataclass(frozen=True)
class Bar:
    """A month: two bars from `x` on, and their counts above and below. Heights are 0 for none."""

    first: date
    yes: int | None
    no: int | None
    x: int
    yes_height: int
    no_height: int

    @property
    def middle(self) -> int:
        return self.x + WIDTH // 2

    @property
    def yes_top(self) -> int:
        return YES_LINE - self.yes_height

    @property
    def no_bottom(self) -> int:
        return NO_LINE + self.no_height


@dataclass(frozen=True)
class Picture:
    """The decisions about a purpose, with the bars that show them."""

    decisions: Decisions
    bars: Sequence[Bar]


def picture(decisions: Decisions) -> Picture:
    """Both directions have one scale; a month that may be shown has a bar to be seen."""
    most = max((count or 0 for m in decisions.months for count in (m.yes, m.no)), default=0) or 1

    def height(count: int | None) -> int:
        return -(-TALLEST * (count or 0) // most)

    return Picture(
        decisions,
        [
            Bar(m.first, m.yes, m.no, LEFT + place * SLOT, height(m.yes), height(m.no))
            for place, m in enumerate(decisions.months)
        ],
    )
