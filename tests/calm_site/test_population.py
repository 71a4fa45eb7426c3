"""The synthetic population: the same each time, believable, and only what people can do."""

from datetime import timedelta

import pytest

from calm_site.population import DAYS, PRESET_SHARES, SyntheticPerson, population
from privacy_center.purposes import PRESETS
from recommendations.models import Practice
from tests.conftest import NOW

COUNT = 60


def _facts(people: list[SyntheticPerson]) -> list[tuple[object, ...]]:
    return [
        (
            person.preset,
            [(x.practice.pk, x.started_at, x.seconds) for x in person.listens],
            [practice.pk for practice in person.favorites],
            [(practice.pk, value) for practice, value in person.ratings],
        )
        for person in people
    ]


@pytest.fixture
def people(catalog: list[Practice]) -> list[SyntheticPerson]:
    return list(population(COUNT, practices=catalog, now=NOW))


def test_a_seed_makes_the_same_people_and_another_one_others(
    people: list[SyntheticPerson], catalog: list[Practice]
) -> None:
    again = population(COUNT, practices=catalog, now=NOW)
    others = population(COUNT, practices=catalog, now=NOW, seed=1)
    assert _facts(list(again)) == _facts(people)
    assert _facts(list(others)) != _facts(people)


def test_a_longer_population_begins_with_the_same_people(
    people: list[SyntheticPerson], catalog: list[Practice]
) -> None:
    longer = list(population(COUNT + 5, practices=catalog, now=NOW))
    assert _facts(longer[:COUNT]) == _facts(people)


def test_they_listen_in_the_past_and_never_longer_than_there_is(
    people: list[SyntheticPerson],
) -> None:
    listens = [listen for person in people for listen in person.listens]
    assert len(listens) > 3 * COUNT
    for x in listens:
        assert NOW - timedelta(days=DAYS + 1) <= x.started_at <= NOW
        assert 0 <= x.seconds <= x.practice.seconds_to_complete


def test_they_mark_and_rate_only_what_they_heard(people: list[SyntheticPerson]) -> None:
    for person in people:
        heard = {listen.practice.pk for listen in person.listens}
        assert {practice.pk for practice in person.favorites} <= heard
        assert {practice.pk for practice, _value in person.ratings} <= heard
        assert all(1 <= value <= 5 for _practice, value in person.ratings)


def test_their_presets_come_in_the_stated_shares(people: list[SyntheticPerson]) -> None:
    assert len(PRESET_SHARES) == len(PRESETS)
    for preset, share in enumerate(PRESET_SHARES):
        found = sum(person.preset == preset for person in people) / COUNT
        assert abs(found - share) < 0.15


def test_they_have_tastes(people: list[SyntheticPerson], catalog: list[Practice]) -> None:
    """Most of what one person hears is of few practices, and not the same for everybody."""
    favorites = {
        max(heard, key=heard.count)
        for person in people
        if (heard := [listen.practice.pk for listen in person.listens])
    }
    repeats = [
        1 - len({x.practice.pk for x in p.listens}) / len(p.listens)
        for p in people
        if len(p.listens) >= 20
    ]
    assert len(favorites) > len(catalog) / 4
    assert sum(repeats) / len(repeats) > 0.3
