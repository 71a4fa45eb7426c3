"""Popularity counts people, not ratings."""

import numpy as np

from recommendations.engine.interactions import Interactions
from recommendations.engine.popularity import Popularity, people_per_practice
from recommendations.engine.trainset import ArrayTrainset

KNOWN = ArrayTrainset(["a", "b", "b", "a", "b"], [5, 5, 6, 5, 5], [1, 2, 3, 4, 5])


def test_weights_do_not_count() -> None:
    heard = Interactions.from_rows(
        [0, 1, 1], practices=[2, 2, 0], weights=[9, 3, 1], n_people=2, n_practices=4
    )

    assert people_per_practice(heard).tolist() == [1, 0, 2, 0]


def test_a_person_counts_once_however_often_they_rated() -> None:
    popularity = Popularity().fit(KNOWN)

    assert popularity.predict("a", 5).est == 2
    assert popularity.predict("a", 6).est == 1


def test_it_is_the_same_for_everybody_and_zero_for_an_unknown_practice() -> None:
    popularity = Popularity().fit(KNOWN)

    assert popularity.predict("nobody", 5).est == popularity.predict("b", 5).est == 2
    assert popularity.predict("a", 99).est == 0
    assert np.array_equal(popularity.score_block(np.array([0, 1])), [[2, 1], [2, 1]])
