"""“For you” as a synthetic person would get it now: a made-up history, and nobody's data."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np

from privacy_center.interface import Person, Purpose
from recommendations.models import Intention, Kind, Practice
from recommendations.selectors.catalog import Catalog, catalog_of
from recommendations.selectors.explanation import Part, parts_by_practice
from recommendations.selectors.listening import Habit
from recommendations.selectors.release import model_of, served
from recommendations.selectors.shelves import best_spread
from recommendations.selectors.taste import taste_of

# Says yes to personal shelves, and has no subject under which anything could be read or stored.
_NOBODY = Person(
    consents={Purpose.LISTENING_STORE: UUID(int=0), Purpose.LISTENING_PERSONALIZE: UUID(int=0)},
    is_synthetic=True,
)


@dataclass(frozen=True)
class Place:
    """A place on the shelf: the parts, added one after the other, are the score."""

    practice: Practice
    score: float
    parts: Sequence[Part]


@dataclass(frozen=True)
class SyntheticShelf:
    """`unknown` are practices of the history that the release has not learned anything of."""

    places: Sequence[Place]
    unknown: Sequence[Practice]


def synthetic_shelf(
    history: Sequence[Habit], *, catalog: Catalog, now: datetime
) -> SyntheticShelf | None:
    """The shelf as the home page would make it; None while no release is served."""
    model = model_of(served(now).active)
    if model is None:
        return None
    unknown = [
        catalog.practices[habit.practice_id]
        for habit in history
        if habit.practice_id not in model.practice_ids
    ]
    taste = taste_of(_NOBODY, model, history=history)
    if taste is None:
        return SyntheticShelf((), unknown)
    picked = best_spread(taste, model, catalog.published, catalog)
    parts = parts_by_practice(taste, model, picked)
    places = [
        Place(
            catalog.practices[pk],
            float(taste.scores[np.searchsorted(model.practice_ids, pk)]),
            parts[pk],
        )
        for pk in picked
    ]
    return SyntheticShelf(places, unknown)


def catalog_now(now: datetime) -> Catalog:
    """The catalog that shelves are made of at this moment."""
    return catalog_of(served(now).edition)


@dataclass(frozen=True)
class Preset:
    """A synthetic person to begin from: what they are, and which practices they would hear."""

    key: str
    title: str
    intention: Intention | None = None
    kind: Kind | None = None
    heard: Sequence[int] = (6, 4, 3, 1)

    def history(self, catalog: Catalog) -> list[Habit]:
        """The first practices that suit, in the editors' order; the first one is a favorite."""
        suiting = [
            pk
            for pk, kind, intention, _seconds in catalog.rows
            if self.kind in (None, kind) and self.intention in (None, intention)
        ]
        return [
            Habit(pk, heard=times, whole=times, favorites=int(place == 0))
            for place, (pk, times) in enumerate(zip(suiting, self.heard, strict=False))
        ]


PRESETS = (
    Preset("sleeps-badly", "Sleeps badly", intention=Intention.SLEEP),
    Preset("bedtime-stories", "Likes a story in bed", kind=Kind.STORY),
    Preset("breathing", "Breathes between meetings", kind=Kind.BREATHING),
    Preset("works-to-sound", "Works to sound", intention=Intention.FOCUS, kind=Kind.SOUNDSCAPE),
    Preset("up-early", "Is up early", intention=Intention.MORNING),
    Preset("first-evening", "Is here for the first evening", intention=Intention.CALM, heard=(1,)),
)
