"""Consenting people's behavior, split by time, for choosing the settings of the model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from recommendations.engine.interactions import Interactions
from recommendations.engine.leave_last_out import SHELF_PLACES
from recommendations.engine.metrics import Estimate
from recommendations.engine.tuning import Split
from recommendations.selectors.quality import Behavior, behavior_of, consenting_subjects
from recommendations.selectors.training_data import catalog
from recommendations.weights import Counts, weigh

# People are learned from up to the moment by which so much of all listening was done.
LEARNED_FROM = 0.8
FEWEST_PEOPLE = 40

Cells = NDArray[np.int64]


def _once(heard: Counts, _whole: Counts, favorites: Counts) -> NDArray[np.int8]:
    return ((heard + favorites) > 0).astype(np.int8)


def _times(heard: Counts, _whole: Counts, favorites: Counts) -> NDArray[np.int8]:
    return np.minimum(np.maximum(heard, favorites), 3).astype(np.int8)


WEIGHTING = "weights.py"
WEIGHTINGS: Mapping[str, Callable[[Counts, Counts, Counts], NDArray[np.int8]]] = {
    WEIGHTING: weigh,
    "all 1": _once,
    "times, up to 3": _times,
}


@dataclass(frozen=True)
class Measured:
    """What settings are chosen by. `again` is the share of people whose last return was to one of
    the first 12 of "Listen again"; None when too few returned."""

    split: Split
    again: Estimate | None


def measured(*, at_most: int) -> Measured | None:
    """What some consenting people did before a moment and what was new to them after it; None when
    too few have both."""
    about = catalog()
    behavior = behavior_of(consenting_subjects(at_most=at_most))
    behavior = behavior.only(np.isin(behavior.practice_ids, about.practice_ids))
    if behavior.is_favorite.all():
        return None
    columns = np.searchsorted(about.practice_ids, behavior.practice_ids)
    shape = behavior.n_people, len(about.practice_ids)
    cells = behavior.people.astype(np.int64) * shape[1] + columns
    is_before = behavior.at < np.quantile(behavior.at[~behavior.is_favorite], LEARNED_FROM)
    learned = np.unique(cells[is_before])
    new = np.setdiff1d(cells[~is_before & ~behavior.is_favorite], learned)
    # Whoever did nothing before cannot be ranked for.
    new = new[np.isin(new // shape[1], learned // shape[1])]
    if len(np.unique(new // shape[1])) < FEWEST_PEOPLE:
        return None
    counts = _counts(behavior.only(is_before), cells[is_before], learned)
    split = Split(
        train={
            name: _interactions(learned, weight(*counts), shape)
            for name, weight in WEIGHTINGS.items()
        },
        test=_interactions(new, np.ones(len(new), dtype=np.int8), shape),
        tags=about.tags,
        fewest=settings.SMALLEST_GROUP,
    )
    return Measured(split, _again(behavior, about.practice_ids))


def _counts(behavior: Behavior, cells: Cells, among: Cells) -> tuple[Cells, Cells, Cells]:
    """How often each of `among` (ascending) was heard, heard whole, and made a favorite."""

    def count(is_counted: NDArray[np.bool_]) -> Cells:
        return np.bincount(np.searchsorted(among, cells[is_counted]), minlength=len(among))

    return count(~behavior.is_favorite), count(behavior.is_whole), count(behavior.is_favorite)


def _interactions(cells: Cells, weights: NDArray[np.int8], shape: tuple[int, int]) -> Interactions:
    people, practices = np.divmod(cells, shape[1])
    return Interactions.from_rows(
        people, practices=practices, weights=weights, n_people=shape[0], n_practices=shape[1]
    )


def _again(behavior: Behavior, practice_ids: NDArray[np.int64]) -> Estimate | None:
    places = behavior.listens(practice_ids).return_places()
    returned = places[places > 0]
    if len(returned) < FEWEST_PEOPLE:
        return None
    return Estimate.of_mean((returned <= SHELF_PLACES).astype(np.float64))
