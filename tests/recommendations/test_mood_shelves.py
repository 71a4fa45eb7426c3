"""The last check-in on one's own shelves: it moves what fits to the front, and says so."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from privacy_center.interface import Person
from privacy_center.models import Account, AgeBand, DataSubject
from recommendations.models import Intention, Label, Mood, Practice
from recommendations.selectors.explanation import explanation
from recommendations.selectors.shelves import Shelf, shelves
from recommendations.trainer import train
from recommendations.wishes import TOPICS, WISHES
from tests.conftest import NOW, choose, listen, make_account, person_of
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, keep_mood, share_mood

BECAUSE = "Because you said you feel worried"


def _shelves(person: Person, *, intention: Intention | None = None) -> dict[str, Shelf]:
    shown = shelves(person, now=NOW, intention=intention, utc_offset_minutes=0)
    return {shelf.key: shelf for shelf in shown}


def _same(one: dict[str, Shelf], other: dict[str, Shelf]) -> bool:
    def shown(found: dict[str, Shelf]) -> object:
        return [
            (key, shelf.title, shelf.note, [(card.practice.pk, card.why) for card in shelf.cards])
            for key, shelf in found.items()
        ]

    return shown(one) == shown(other)


def _fits(practice: Practice, *, topics: set[str]) -> bool:
    return bool(topics & {topic.slug for topic in practice.topics.all()})


def test_every_mood_has_its_wish_and_every_topic_of_the_table_is_in_the_catalog(
    catalog: list[Practice],
) -> None:
    known = {topic.slug for practice in catalog for topic in practice.topics.all()}
    assert set(WISHES) == set(Mood)
    assert set(TOPICS) == set(Label)
    wished = {topic for wish in WISHES.values() for topic in wish.topics}
    assert wished | {topic for topics in TOPICS.values() for topic in topics} <= known


def test_a_check_in_moves_what_fits_to_the_front_and_says_because_of_which_word(
    alice: Account, catalog: list[Practice]
) -> None:
    feel(share_mood(alice, PERSONALIZE), -1, 1, Label.WORRIED)
    shown = _shelves(person_of(alice))
    for_you, tonight = shown["for-you"], shown["moment"]
    assert for_you.is_personal
    assert tonight.is_personal
    assert tonight.title == "For tonight"
    first = for_you.cards[0]
    assert first.why == BECAUSE
    assert first.practice.intention in (Intention.CALM, Intention.EASE)
    assert _fits(first.practice, topics={"worry", "breath", "body", "walking"})
    whys = [card.why for card in for_you.cards]
    assert whys == sorted(whys, key=lambda why: why != BECAUSE)
    assert BECAUSE in {card.why for card in tonight.cards}
    assert any(card.practice.intention == Intention.SLEEP for card in tonight.cards)
    assert first.why_url == f"/practices/{first.practice.slug}/why/"


def test_without_readable_words_the_reason_is_what_was_answered(
    alice: Account, catalog: list[Practice]
) -> None:
    feel(share_mood(alice, PERSONALIZE), -1, 2, Label.WORRIED)
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapped_key=None, wrapping_key_id="")
    shown = _shelves(person_of(alice))["for-you"]
    assert shown.cards[0].why == "Because you said: heavy, wide awake"


def test_what_is_asked_for_stays_what_is_shown(alice: Account, catalog: list[Practice]) -> None:
    feel(share_mood(alice, PERSONALIZE), -1, 1, Label.WORRIED)
    shown = _shelves(person_of(alice), intention=Intention.FOCUS)["moment"]
    assert {card.practice.intention for card in shown.cards} == {Intention.FOCUS}


def test_a_check_in_counts_for_twelve_hours(alice: Account, catalog: list[Practice]) -> None:
    person = share_mood(alice, PERSONALIZE)
    plain = _shelves(person)
    feel(person, -1, 1, at=NOW - timedelta(hours=12))
    assert _same(_shelves(person), plain)
    feel(person, -1, 1, at=NOW - timedelta(hours=11, minutes=59))
    assert not _same(_shelves(person), plain)


@pytest.mark.parametrize("uses", [(STORE,), (STORE, TRAIN)])
def test_without_the_yes_to_shelves_by_mood_a_check_in_shapes_nothing(
    alice: Account, catalog: list[Practice], uses: tuple[str, ...]
) -> None:
    plain = _shelves(Person())
    person = share_mood(alice, PERSONALIZE, TRAIN)
    feel(person, -2, 2, Label.SAD)
    assert not _same(_shelves(person), plain)
    keep_mood(alice, *{PERSONALIZE, TRAIN} - set(uses))
    assert _same(_shelves(person_of(alice)), plain)


def test_law_7_whoever_refuses_mood_has_the_same_shelves_as_before(
    alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:4])
    before = _shelves(person_of(alice))
    keep_mood(alice, STORE, PERSONALIZE, TRAIN)
    after = _shelves(person_of(alice))
    assert _same(after, before)
    assert [len(shelf.cards) for shelf in after.values()] == [
        len(shelf.cards) for shelf in before.values()
    ]


def test_the_why_page_of_what_fits_says_that_the_check_in_was_used(
    alice: Account, catalog: list[Practice]
) -> None:
    person = share_mood(alice, PERSONALIZE)
    plain = explanation(person, catalog[0], now=NOW)
    feel(person, -1, 1, Label.WORRIED)
    card = _shelves(person)["for-you"].cards[0]
    reason = explanation(person, card.practice, now=NOW)
    assert plain.sentence.startswith("Nothing about you was used")
    assert reason.is_by_mood
    assert "last check-in" in reason.sentence


@pytest.fixture
def restless(alice: Account, catalog: list[Practice], settings: Settings) -> Person:
    """Alice, who shares everything, in a model that learned what restless people hear."""
    settings.SMALLEST_GROUP, settings.EASE_REGULARIZATION = 3, 10.0
    for number in range(4):
        account = make_account(f"restless-{number}", band=AgeBand.ADULT)
        listen(choose(account, "community"), *catalog[30:34])
        feel(share_mood(account, TRAIN), -1, 1)
    listen(choose(alice, "community"), *catalog[:4])
    feel(share_mood(alice, PERSONALIZE, TRAIN), -1, 1, Label.SORE)
    assert train(clock=timezone.now)
    return person_of(alice)


@pytest.mark.django_db(transaction=True)
def test_what_was_learned_of_the_mood_is_a_part_and_the_parts_add_up_exactly(
    restless: Person, catalog: list[Practice]
) -> None:
    with_mood = [explanation(restless, practice, now=NOW) for practice in catalog]
    named = [part for reason in with_mood for part in reason.parts if part.practice is None]
    assert {part.weight for part in named} == {1}
    for reason in with_mood:
        total = 0.0
        for part in reason.parts:
            total += part.part
        assert total == reason.score
    learned = explanation(restless, catalog[30], now=NOW)
    [of_mood] = [part for part in learned.parts if part.practice is None]
    assert of_mood.part > 0


@pytest.mark.django_db(transaction=True)
def test_what_was_learned_of_the_mood_brings_what_such_people_hear_onto_the_shelf(
    restless: Person, alice: Account, catalog: list[Practice]
) -> None:
    learned = {practice.pk for practice in catalog[30:34]}
    shown = _shelves(restless)["for-you"]
    assert learned & {card.practice.pk for card in shown.cards}
    for card in shown.cards:
        assert card.practice.pk > 0
    # The same without listening: the mood alone is history enough.
    choose(alice, "just-listening")
    assert learned & {card.practice.pk for card in _shelves(person_of(alice))["for-you"].cards}


@pytest.mark.django_db(transaction=True)
def test_a_mood_is_on_no_shelf_and_counted_among_nothing_that_is_popular(
    restless: Person, catalog: list[Practice]
) -> None:
    own = {practice.pk for practice in catalog}
    shown = [card.practice.pk for shelf in _shelves(restless).values() for card in shelf.cards]
    assert set(shown) <= own
