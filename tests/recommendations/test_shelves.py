"""Shelves: what stands on them, why, and what never does."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from itertools import combinations

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from privacy_center.actions.consent import decide
from privacy_center.interface import Person, Purpose
from privacy_center.models import Account, Method
from recommendations.actions.listening import set_favorite
from recommendations.engine.diversity import spread
from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import Facts, Model, write_model
from recommendations.model_files import release_dir
from recommendations.models import Intention, Practice, Release
from recommendations.selectors import shelves as shelves_selector
from recommendations.selectors.behavior import served_to
from recommendations.selectors.explanation import explanation
from recommendations.selectors.shelves import SHELF_SIZE, Shelf, moment_at, shelves, similar
from recommendations.selectors.taste import taste_of
from recommendations.selectors.training_data import catalog as catalog_to_learn
from tests.conftest import NOW, choose, listen, person_of
from tests.recommendations.learned import learned

MOST_QUERIES = 5


def _shelves(person: Person, *, intention: Intention | None = None) -> dict[str, Shelf]:
    shown = shelves(person, now=NOW, intention=intention, utc_offset_minutes=0)
    return {shelf.key: shelf for shelf in shown}


def _ids(shelf: Shelf) -> list[int]:
    return [card.practice.pk for card in shelf.cards]


Serve = Callable[..., ItemWeights]


@pytest.fixture
def serve(db: None) -> Serve:
    """Publish a release of today's rows; `people` are the counts it says, by practice id."""

    def served(people: Mapping[int, int] | None = None) -> ItemWeights:
        data, state = catalog_to_learn(), learned()
        shared, _listeners = state.part(data.column_ids)
        tags = content_gram(data.tags, weight=1, n_practices=len(data.column_ids))
        counts = [(people or {}).get(int(pk), 0) for pk in data.practice_ids]
        model = ItemWeights.from_matrix(
            ease_weights(shared + tags, regularization=10.0),
            practice_ids=data.practice_ids,
            people_per_practice=np.array(counts, dtype=np.int64),
            context_ids=data.context_ids,
        )
        release = Release(started_at=NOW, algorithm="ease", regularization=10.0)
        facts = Facts("ease", 10.0, gram_digest="", people=0, interactions=0)
        release.file_digest = write_model(release_dir() / release.file_name, Model(model, facts))
        Release.objects.update(state=Release.State.RETIRED)
        release.state = Release.State.ACTIVE
        release.save()
        return model

    return served


@pytest.fixture
def listener(alice: Account, catalog: list[Practice]) -> Account:
    """Alice, who shares and has a history of six practices, one of them a favorite."""
    person = choose(alice, "community")
    listen(person, *catalog[:5], catalog[4], catalog[9])
    set_favorite(person, catalog[2], is_favorite=True)
    return alice


def test_with_a_history_for_you_is_personal_and_says_because_of_what(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve()
    shown = _shelves(person_of(listener))
    own = {practice.title for practice in (*catalog[:5], catalog[9])}
    assert shown["for-you"].is_personal
    assert shown["for-you"].cards
    for card in shown["for-you"].cards:
        head, _, title = card.why.partition("Because you listened to ")
        assert head == ""
        assert title in own
        assert card.why_url == f"/practices/{card.practice.slug}/why/"


def test_for_you_never_shows_what_was_heard_already(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve()
    heard = {practice.pk for practice in (*catalog[:5], catalog[9])}
    shown = _shelves(person_of(listener))
    assert not heard & set(_ids(shown["for-you"]))
    assert not heard & set(_ids(shown["because"]))


def test_because_you_listened_names_what_was_heard_last(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    model = serve()
    shown = _shelves(person_of(listener))["because"]
    assert shown.title == f"Because you listened to {catalog[9].title}"
    index = model.practice_ids.tolist().index(catalog[9].pk)
    near = [int(model.practice_ids[j]) for j in model.similar(index, n=len(catalog))]
    assert _ids(shown) == [pk for pk in near if pk in set(_ids(shown))]
    assert len(shown.cards) == SHELF_SIZE


def test_listen_again_counts_what_was_heard(listener: Account, catalog: list[Practice]) -> None:
    again = _shelves(person_of(listener))["again"]
    why = {card.practice.pk: card.why for card in again.cards}
    assert _ids(again)[0] == catalog[9].pk
    assert why[catalog[4].pk] == "You heard it 2 times"
    assert why[catalog[0].pk] == "You heard it once"


@pytest.mark.parametrize("preset", ["just-listening", "just-for-me"])
def test_without_a_history_nothing_is_personal_and_the_editors_begin(
    preset: str, bob: Account, listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve()
    for person in (Person(), choose(bob, preset)):
        shown = _shelves(person)
        assert not any(shelf.is_personal for shelf in shown.values())
        assert {card.why for card in shown["for-you"].cards} == {"An editors' choice"}
        assert not any(card.why_url for shelf in shown.values() for card in shelf.cards)
        first = min(catalog, key=lambda p: (p.place, p.slug))
        assert shown["because"].title == f"Goes well with {first.title}"


def test_storing_alone_gives_listen_again_and_nothing_personal(
    alice: Account, catalog: list[Practice], serve: Serve
) -> None:
    wishes = {Purpose.LISTENING_STORE: True}
    decide(alice.subject.id, wishes, method=Method.PRIVACY_PAGE, at=NOW)
    listen(person_of(alice), *catalog[:3])
    serve()
    shown = _shelves(person_of(alice))
    assert len(shown["again"].cards) == 3
    assert [key for key, shelf in shown.items() if shelf.is_personal] == ["again"]


def test_without_a_model_shelves_are_in_editorial_order(
    listener: Account, catalog: list[Practice]
) -> None:
    shown = _shelves(person_of(listener))
    assert [key for key, shelf in shown.items() if shelf.is_personal] == ["again"]
    assert "popular" not in shown
    places = {p.pk: p.place for p in catalog}
    row = [places[pk] for pk in _ids(shown["for-you"])]
    assert row == sorted(row)


def test_the_parts_of_an_explanation_add_up_exactly_to_the_score(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    model = serve()
    person = person_of(listener)
    taste = taste_of(person, model, history=served_to(person, now=NOW).behavior.history)
    assert taste is not None
    for practice in catalog:
        reason = explanation(person, practice, now=NOW)
        total = 0.0
        for part in reason.parts:
            total += part.part
        index = model.practice_ids.tolist().index(practice.pk)
        assert total == reason.score == taste.scores[index]


def test_the_parts_add_up_after_a_practice_of_the_history_was_unpublished(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve()
    Practice.objects.filter(pk=catalog[1].pk).update(is_published=False)
    reason = explanation(person_of(listener), catalog[20], now=NOW)
    total = 0.0
    for part in reason.parts:
        total += part.part
    assert catalog[1] in [part.practice for part in reason.parts]
    assert total == reason.score != 0


def test_an_explanation_for_nobody_uses_nothing(
    listener: Account, bob: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve()
    for person in (Person(), choose(bob, "just-listening")):
        reason = explanation(person, catalog[20], now=NOW)
        assert (reason.kind, reason.parts, reason.score) == ("content", (), 0.0)


def test_popularity_is_shown_from_20_people_on_and_never_below(
    catalog: list[Practice], serve: Serve
) -> None:
    serve({catalog[0].pk: 19, catalog[1].pk: 20, catalog[2].pk: 1234})
    popular = _shelves(Person())["popular"]
    assert [(card.practice, card.why) for card in popular.cards] == [
        (catalog[2], "At least 1,230 people listen to it"),
        (catalog[1], "At least 20 people listen to it"),
    ]


def test_counts_of_fewer_than_20_people_do_not_order_a_shelf(
    catalog: list[Practice], serve: Serve
) -> None:
    serve()
    before = {key: _ids(shelf) for key, shelf in _shelves(Person()).items()}
    last = {shelf[-1] for shelf in before.values()}
    serve(dict.fromkeys(last, 19))
    assert {key: _ids(shelf) for key, shelf in _shelves(Person()).items()} == before
    serve(dict.fromkeys(last, 20))
    assert _ids(_shelves(Person())["short"]) != before["short"]


@pytest.mark.parametrize(
    ("hour", "title", "intention"),
    [
        (4, "For tonight", "sleep"),
        (5, "For this morning", "morning"),
        (9, "For this morning", "morning"),
        (10, "For the day", "focus"),
        (16, "For the day", "focus"),
        (17, "For this evening", "calm"),
        (20, "For this evening", "calm"),
        (21, "For tonight", "sleep"),
        (0, "For tonight", "sleep"),
    ],
)
def test_the_moment_follows_the_hour(hour: int, title: str, intention: str) -> None:
    moment = moment_at(datetime(2026, 3, 2, hour, 59, tzinfo=UTC), utc_offset_minutes=0)
    assert (str(moment.title), moment.intention) == (title, intention)


def test_the_hour_is_that_of_the_persons_own_clock() -> None:
    noon = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
    assert moment_at(noon, utc_offset_minutes=-7 * 60).intention == Intention.MORNING
    assert moment_at(noon, utc_offset_minutes=5 * 60 + 30).intention == Intention.CALM
    assert moment_at(noon, utc_offset_minutes=12 * 60).intention == Intention.SLEEP


def test_an_asked_intention_wins_over_the_hour(catalog: list[Practice]) -> None:
    shelf = _shelves(Person(), intention=Intention.FOCUS)["moment"]
    assert shelf.title == "For focus"
    assert {card.practice.intention for card in shelf.cards} == {"focus"}
    assert {card.why for card in shelf.cards} == {"You asked for it"}


def test_no_shelf_shows_a_practice_that_is_not_published(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve({practice.pk: 50 for practice in catalog})
    person = person_of(listener)
    shown = {pk for shelf in _shelves(person).values() for pk in _ids(shelf)}
    hidden = set(sorted(shown)[::2])
    Practice.objects.filter(pk__in=hidden).update(is_published=False)
    for who in (person, Person()):
        after = {pk for shelf in _shelves(who).values() for pk in _ids(shelf)}
        assert after
        assert not after & hidden
    assert not hidden & set(_ids(similar(catalog[0], now=NOW)))


def test_a_shelf_is_mixed_and_never_longer_than_its_size(
    listener: Account, catalog: list[Practice], serve: Serve
) -> None:
    serve({practice.pk: 50 for practice in catalog})
    for person in (person_of(listener), Person()):
        for shelf in _shelves(person).values():
            assert len(shelf.cards) <= SHELF_SIZE
            assert len(set(_ids(shelf))) == len(shelf.cards)
    kinds = [card.practice.kind for card in _shelves(Person())["for-you"].cards]
    assert max(kinds.count(kind) for kind in kinds) <= shelves_selector.MOST_OF_ONE_KIND


def test_for_you_holds_back_near_duplicates_and_begins_with_the_best(
    listener: Account, catalog: list[Practice], serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve()
    person = person_of(listener)
    spread_out = _shelves(person)["for-you"]
    monkeypatch.setattr(shelves_selector, "spread", partial(spread, balance=1.0))
    by_score = _shelves(person)["for-you"]
    assert _ids(spread_out)[0] == _ids(by_score)[0]
    assert set(_ids(spread_out)) != set(_ids(by_score))
    assert _mean_likeness(spread_out) < _mean_likeness(by_score)


def _mean_likeness(shelf: Shelf) -> float:
    """How many tags two practices of a shelf have in common, as a share, mean over all pairs."""
    tags = [
        {card.practice.kind, card.practice.intention, f"{card.practice.voice} voice"}
        | {f"topic {topic.slug}" for topic in card.practice.topics.all()}
        for card in shelf.cards
    ]
    pairs = list(combinations(tags, 2))
    return sum(len(one & other) / len(one | other) for one, other in pairs) / len(pairs)


@pytest.mark.parametrize("size", [3, SHELF_SIZE, 40])
def test_the_number_of_queries_does_not_grow_with_the_shelves(
    size: int,
    listener: Account,
    catalog: list[Practice],
    serve: Serve,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve({practice.pk: 50 for practice in catalog})
    monkeypatch.setattr(shelves_selector, "SHELF_SIZE", size)
    person = person_of(listener)
    with CaptureQueriesContext(
        connection,
    ) as queries:
        shown = _shelves(person)
    assert max(len(shelf.cards) for shelf in shown.values()) >= min(size, 8)
    assert len(queries) <= MOST_QUERIES
