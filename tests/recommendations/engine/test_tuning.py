"""Choosing settings: the better ones are found, and chance alone changes nothing."""

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram, gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.tuning import (
    CHOICES,
    SHELF_PLACES,
    Outcome,
    Settings,
    Split,
    shelf_outcomes,
    tune,
)

PEOPLE, CLUSTERS, PRACTICES = 150, 6, 60
CURRENT = Settings(regularization=100.0, content_weight=0, weighting="all 1")


def _split(seed: int, *, is_taste: bool = True) -> Split:
    """Six practices of each person's own cluster before, two after; without a taste, of any."""
    rng = np.random.default_rng(seed)
    size = PRACTICES // CLUSTERS
    before, after = [], []
    for person in range(PEOPLE):
        own = size * (person % CLUSTERS) + rng.permutation(size)
        heard = own if is_taste else rng.permutation(PRACTICES)
        before.append(heard[:6])
        after.append(heard[6:8])
    return Split(
        train={"all 1": _interactions(before)},
        test=_interactions(after),
        tags=[np.arange(size * cluster, size * (cluster + 1)) for cluster in range(CLUSTERS)],
        fewest=5,
    )


def _interactions(histories: list[NDArray[np.int64]]) -> Interactions:
    return Interactions.from_rows(
        np.repeat(np.arange(PEOPLE), [len(history) for history in histories]),
        practices=np.concatenate(histories),
        n_people=PEOPLE,
        n_practices=PRACTICES,
    )


def test_settings_that_are_clearly_worse_are_replaced() -> None:
    split = _split(1)
    noise = _split(1, is_taste=False).train["all 1"]
    split = replace(split, train={"noise": noise, **split.train})
    seen: list[Outcome] = []
    tuning = tune(split, current=replace(CURRENT, weighting="noise"), on_outcome=seen.append)
    assert tuning.recommended.weighting == "all 1"
    assert tuning.confirmed.is_clearly_better
    assert tuning.recommended == tuning.confirmed.settings
    assert seen == list(tuning.outcomes)
    assert tuning.people == PEOPLE


@pytest.mark.parametrize("seed", range(4))
def test_where_there_is_no_taste_to_learn_the_settings_stay(seed: int) -> None:
    tuning = tune(_split(seed, is_taste=False), current=CURRENT, on_outcome=lambda outcome: None)
    assert tuning.recommended == CURRENT


def test_each_setting_is_varied_and_none_is_tried_twice() -> None:
    tuning = tune(_split(2), current=CURRENT, on_outcome=lambda outcome: None)
    tried = [outcome.settings for outcome in tuning.outcomes]
    assert tried[0] == CURRENT
    assert len(set(tried)) == len(tried)
    for name, values in CHOICES.items():
        assert {getattr(settings, name) for settings in tried} >= set(values)


def test_a_shelf_by_score_alone_has_more_near_duplicates_than_a_spread_one() -> None:
    alone, spread_out = shelf_outcomes(_split(3), CURRENT, balances=(1.0, 0.5))
    assert spread_out.near < alone.near
    assert spread_out.ndcg.value < alone.ndcg.value
    # All practices of a cluster share their one tag; four of it are new to each person.
    assert alone.near >= 4 * 3 / 2
    assert alone.near <= SHELF_PLACES * (SHELF_PLACES - 1) / 2
    assert 0 < alone.coverage <= spread_out.coverage == 1.0


def test_practices_of_few_people_enter_by_their_tags_alone() -> None:
    split = _split(4)
    train = split.train["all 1"]
    listeners = np.bincount(train.practices, minlength=PRACTICES)
    is_rare = listeners < np.median(listeners)
    assert 0 < is_rare.sum() < PRACTICES
    common = gram(train) * np.outer(~is_rare, ~is_rare)
    settings = replace(CURRENT, content_weight=5)
    matrix = common + content_gram(split.tags, weight=5, n_practices=PRACTICES)

    few = replace(split, fewest=int(np.median(listeners)))
    np.testing.assert_allclose(
        few.scores(settings)(np.arange(PEOPLE)),
        train.matrix.toarray() @ ease_weights(matrix, regularization=settings.regularization),
        atol=1e-12,
    )


def test_nobody_with_something_new_is_an_error() -> None:
    split = _split(5)
    nothing = Interactions.from_rows([], practices=[], n_people=PEOPLE, n_practices=PRACTICES)
    with pytest.raises(ValueError, match="nothing can be chosen"):
        tune(replace(split, test=nothing), current=CURRENT, on_outcome=lambda outcome: None)
