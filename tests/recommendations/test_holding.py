"""What is held because of each yes to listening: the sentence, the counts, the months."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from privacy_center.actions.consent import choose_preset
from privacy_center.interface import Purpose
from privacy_center.models import Account, Method
from recommendations.actions.listening import rate_practice, set_favorite
from recommendations.actions.taste import hide_practice, reset_taste
from recommendations.holder import HOLDER
from recommendations.models import Practice, VectorChange
from recommendations.selectors import holding
from recommendations.trainer import train
from tests.conftest import NOW, PRESET, choose, listen, person_of
from tests.recommendations.suspending import suspend

STORE, PERSONALIZE, TRAIN = (
    Purpose.LISTENING_STORE,
    Purpose.LISTENING_PERSONALIZE,
    Purpose.LISTENING_TRAIN,
)


def _sentence(account: Account, purpose: Purpose) -> str:
    held = HOLDER.held(account.subject.id, purpose)
    assert held is not None
    return held.sentence


def test_what_is_stored_is_counted_by_kind_and_by_month(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community"), *catalog[:9])
    person = choose(alice, "just-for-me")
    listen(person, *catalog[:2], at=datetime(2026, 1, 15, tzinfo=UTC))
    listen(person, catalog[2], at=datetime(2024, 5, 15, tzinfo=UTC))
    listen(person, *catalog[:3], at=NOW)
    set_favorite(person, catalog[0], is_favorite=True)
    rate_practice(person, catalog[0], 4)
    held = holding.stored(alice.subject.id, now=datetime(2026, 3, 31, 23, 59, tzinfo=UTC))
    assert held.sentence == (
        "Held now: 6 listens, 1 favorite, 1 rating; the oldest from 14 May 2024."
    )
    assert held.count == 8
    assert held.oldest == datetime(2024, 5, 14, tzinfo=UTC)
    assert held.months[:-1] == (0,) * 9 + (2, 2)
    assert len(held.months) == 12


def test_what_is_hidden_is_held_too(alice: Account, practice: Practice) -> None:
    hide_practice(choose(alice, "just-for-me"), practice, is_hidden=True)
    assert _sentence(alice, STORE).startswith(
        "Held now: 0 listens, 0 favorites, 0 ratings, 1 hidden practice; the oldest from "
    )


def test_nothing_is_said_plainly(alice: Account) -> None:
    choose(alice, "community")
    assert _sentence(alice, STORE) == "Nothing is held yet."
    assert _sentence(alice, PERSONALIZE) == "Nothing to shape your shelves with yet."
    assert _sentence(alice, TRAIN) == "Nothing to learn from yet."
    assert HOLDER.held(alice.subject.id, Purpose.SALE) is None


def test_what_shapes_the_shelves_is_what_counts(alice: Account, catalog: list[Practice]) -> None:
    person = choose(alice, "just-for-me")
    listen(person, *catalog[:3])
    assert _sentence(alice, PERSONALIZE) == "3 practices shape your shelves."
    reset_taste(person)
    assert _sentence(alice, PERSONALIZE) == "Nothing to shape your shelves with yet."


@pytest.mark.django_db(transaction=True)
def test_the_release_that_learned_from_the_person_is_named_and_none_before_it(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community", at=timezone.now()), catalog[0])
    train(clock=timezone.now)
    listen(choose(alice, "community", at=timezone.now()), *catalog[:2])
    assert (
        _sentence(alice, TRAIN) == "2 practices of yours count. The next release learns from you."
    )
    release = train(clock=timezone.now)
    assert release
    assert release.published_at
    assert _sentence(alice, TRAIN) == (
        "2 practices of yours count. Your history is in the release of "
        f"{release.published_at:%-d %B %Y, %H:%M} UTC."
    )


@pytest.mark.parametrize("purpose", [STORE, TRAIN])
def test_law_2_a_suspended_purpose_makes_a_release_without_anybody_urgent(
    purpose: Purpose, alice: Account, practice: Practice
) -> None:
    listen(choose(alice, "community"), practice)
    VectorChange.objects.all().delete()
    suspend(purpose)
    assert [change.kind for change in VectorChange.objects.all()] == ["forget"]
    assert not person_of(alice).can_train


def test_a_suspended_purpose_that_trains_nothing_makes_no_release(alice: Account) -> None:
    suspend(PERSONALIZE)
    assert not VectorChange.objects.exists()


def test_a_yes_to_storing_that_is_renewed_is_learned_from_again(
    alice: Account, practice: Practice
) -> None:
    listen(choose(alice, "community"), practice)
    suspend(STORE)
    VectorChange.objects.all().delete()
    choose_preset(
        alice.subject.id, PRESET["community"], method=Method.PRIVACY_PAGE, at=timezone.now()
    )
    assert person_of(alice).can_train
    assert [change.kind for change in VectorChange.objects.all()] == ["learn"]
