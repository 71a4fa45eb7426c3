"""The page that explains a shelf: a made-up history, and bars for the parts of every score."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import QueryDict

from recommendations.forms.synthetic_shelf import SyntheticHistoryForm, as_data
from recommendations.models import Release
from recommendations.selectors.catalog import Catalog
from recommendations.selectors.explanation import Part
from recommendations.selectors.synthetic_shelf import (
    PRESETS,
    Place,
    Preset,
    SyntheticShelf,
    catalog_now,
    synthetic_shelf,
)

BAR_WIDTH = 200.0


@dataclass(frozen=True)
class Bar:
    """A part of a score, as a bar from `x` on, `width` long (of 200)."""

    part: Part
    x: str
    width: str

    @property
    def text(self) -> str:
        return f"{self.part.part:+.4f}".replace("-", "−")


@dataclass(frozen=True)
class Picture:
    """A place on the shelf with the bars that make its score; all bars of a page have one scale,
    and 0 is at `zero`."""

    place: Place
    bars: Sequence[Bar]
    zero: str

    @property
    def score(self) -> str:
        return f"{self.place.score:.4f}".replace("-", "−")


def synthetic_shelf_context(query: QueryDict, *, now: datetime) -> dict[str, object]:
    """What the page shows for an address: an empty form, a preset, or what was filled in."""
    catalog = catalog_now(now)
    practices = [catalog.practices[row[0]] for row in catalog.rows]
    preset = next((p for p in PRESETS if p.key == query.get("preset")), None)
    form = SyntheticHistoryForm(_data(query, preset, catalog), practices=practices)
    shelf = None
    is_asked = form.is_bound and form.is_valid() and bool(form.history)
    if is_asked:
        shelf = synthetic_shelf(form.history, catalog=catalog, now=now)
    return {
        "presets": PRESETS,
        "preset": preset,
        "form": form,
        "practices": practices,
        "is_asked": is_asked,
        "shelf": shelf,
        "pictures": pictures(shelf) if shelf else [],
        "active": Release.objects.filter(state=Release.State.ACTIVE).first(),
    }


def _data(
    query: QueryDict, preset: Preset | None, catalog: Catalog
) -> QueryDict | dict[str, str] | None:
    if preset is not None:
        return as_data(preset.history(catalog), practices=catalog.practices)
    return query or None


def pictures(shelf: SyntheticShelf) -> list[Picture]:
    """Every place of a shelf, drawn."""
    parts = [part.part for place in shelf.places for part in place.parts]
    below, above = max(0.0, -min(parts, default=0.0)), max(0.0, max(parts, default=0.0))
    scale = BAR_WIDTH / ((below + above) or 1.0)
    zero = below * scale
    return [
        Picture(place, [_bar(part, zero, scale) for part in place.parts], f"{zero:.1f}")
        for place in shelf.places
    ]


def _bar(part: Part, zero: float, scale: float) -> Bar:
    width = abs(part.part) * scale
    return Bar(part, f"{zero if part.part >= 0 else zero - width:.1f}", f"{width:.1f}")
