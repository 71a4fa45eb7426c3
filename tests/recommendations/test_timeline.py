"""What releases did with a person's history, told from intervals and releases alone."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from privacy_center.interface import Event, Interval
from privacy_center.models import Account
from recommendations.holder import HOLDER
from recommendations.models import Practice, Release
from recommendations.selectors.timeline import learned
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen

LEARNED, CLEAN = "A release learned from your history", "The first release without you"
State = Release.State


def _at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


@pytest.fixture
def releases(db: None) -> None:
    """One an hour from 1 to 9, half an hour in the making; at 4.5 one was thrown away."""
    for hour in range(1, 10):
        _release(hour, published=hour + 0.5)
    _release(4.5, published=None)


def _release(started: float, *, published: float | None) -> None:
    Release.objects.create(
        state=State.DISCARDED if published is None else State.RETIRED,
        started_at=_at(started),
        published_at=None if published is None else _at(published),
        algorithm="ease",
        regularization=1.0,
    )


def _told(*trained: Interval) -> list[tuple[str, datetime]]:
    return [(event.title, event.at) for event in learned(trained)]


@pytest.mark.usefixtures("releases")
def test_whoever_still_shares_is_told_of_the_first_release_and_how_many_since() -> None:
    events = learned([(_at(2.5), None)])
    assert events == [Event(_at(3.5), LEARNED, "6 more have been made with it since.")]
    assert learned([(_at(8), None)])[0].detail == "1 more has been made with it since."
    assert learned([(_at(8.5), None)])[0].detail == "It is the only one since you said yes."


@pytest.mark.usefixtures("releases")
def test_whoever_left_is_told_of_the_first_release_that_was_begun_afterwards() -> None:
    told = learned([(_at(2.5), _at(5.5))])
    assert [(event.title, event.at) for event in told] == [(LEARNED, _at(3.5)), (CLEAN, _at(6.5))]
    assert told[0].detail == "2 more have been made with it since."
    assert "3 March 2026, 04:00 UTC" in told[1].detail


@pytest.mark.usefixtures("releases")
def test_a_release_that_was_begun_before_a_withdrawal_is_never_called_clean() -> None:
    """Though it came out later: what it had read by then is not known here."""
    assert _told((_at(2.5), _at(5.2))) == [(LEARNED, _at(3.5)), (CLEAN, _at(6.5))]


@pytest.mark.usefixtures("releases")
def test_a_release_that_was_thrown_away_is_not_told_of() -> None:
    assert _told((_at(4.2), _at(4.9))) == []


@pytest.mark.usefixtures("releases")
def test_until_the_clean_release_is_there_none_is_named() -> None:
    assert _told((_at(8.5), _at(9.5))) == [(LEARNED, _at(9.5))]


@pytest.mark.usefixtures("releases")
def test_a_time_of_sharing_in_which_nothing_was_made_leaves_no_event() -> None:
    assert _told((_at(2.1), _at(2.9))) == []


@pytest.mark.usefixtures("releases")
def test_whoever_comes_back_is_told_of_each_time_by_itself() -> None:
    assert _told((_at(5.5), None), (_at(0.5), _at(2.5))) == [
        (LEARNED, _at(1.5)),
        (CLEAN, _at(3.5)),
        (LEARNED, _at(6.5)),
    ]


@pytest.mark.usefixtures("releases")
def test_a_release_that_learned_from_somebody_who_came_back_is_not_one_without_them() -> None:
    assert _told((_at(0.5), _at(2.5)), (_at(2.8), None)) == [
        (LEARNED, _at(1.5)),
        (LEARNED, _at(3.5)),
    ]


@pytest.mark.usefixtures("releases")
def test_many_changes_of_mind_are_one_query() -> None:
    times = [(_at(n / 10), _at(n / 10 + 0.05)) for n in range(90)]
    with CaptureQueriesContext(connection) as captured:
        learned(times)
    assert len(captured) == 1


@pytest.mark.usefixtures("releases")
def test_whoever_never_shared_has_no_events() -> None:
    assert learned([]) == []


@pytest.mark.django_db(transaction=True)
def test_real_releases_are_told_as_they_were_made(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community"), *catalog[:3])
    assert train(clock=timezone.now)
    begins = timezone.now()
    listen(choose(alice, "community", at=begins), *catalog[:4])
    first = train(clock=timezone.now)
    ends = timezone.now()
    choose(alice, "just-for-me", at=ends)
    clean = train(clock=timezone.now)
    assert first
    assert clean
    events = HOLDER.events(alice.subject.id, [(begins, ends)])
    assert [event.at for event in events] == [first.published_at, clean.published_at]
    assert (first.people, clean.people) == (2, 1)
