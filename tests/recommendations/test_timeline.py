"""What releases did with a person's history, told from times of learning and releases alone."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from privacy_center.interface import Event, Learning, Purpose
from privacy_center.models import Account
from recommendations.holder import HOLDER
from recommendations.models import Practice, Release
from recommendations.selectors.timeline import learned
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen

LEARNED = "A release learned from your history"
LAST, CLEAN = "The last release that knew you", "The first release without you"
RECORD = UUID(int=7, version=4)
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


def _time(begins: float, ends: float | None, resumed: float | None = None) -> Learning:
    return Learning(
        Purpose.LISTENING_TRAIN,
        _at(begins),
        None if ends is None else _at(ends),
        None if ends is None else RECORD,
        None if resumed is None else _at(resumed),
    )


def _told(*times: Learning) -> list[tuple[str, datetime]]:
    """From the oldest to the newest."""
    return [(event.title, event.at) for event in sorted(learned(times), key=lambda e: e.at)]


@pytest.mark.usefixtures("releases")
def test_whoever_still_shares_is_told_of_the_first_release_and_how_many_since() -> None:
    events = learned([_time(2.5, None)])
    assert events == [Event(_at(3.5), LEARNED, "6 more have been made with it since.")]
    assert learned([_time(8, None)])[0].detail == "1 more has been made with it since."
    assert learned([_time(8.5, None)])[0].detail == "It is the only one since you said yes."


@pytest.mark.usefixtures("releases")
def test_whoever_left_is_told_of_the_last_release_that_knew_them_and_the_first_without_them() -> (
    None
):
    first = Release.objects.get(started_at=_at(6))
    last = Release.objects.get(started_at=_at(5))
    clean, knew, began = learned([_time(2.5, 5.5)])
    assert (began.title, began.at) == (LEARNED, _at(3.5))
    assert began.detail == "2 more have been made with it since."
    assert (knew.title, knew.at) == (LAST, _at(5.5))
    assert knew.detail == f"Release {str(last.id)[:8]}. It is deleted."
    assert (clean.title, clean.at) == (CLEAN, _at(6.5))
    assert f"is in release {str(first.id)[:8]}." in clean.detail
    assert [event.certificate_id for event in (clean, knew, began)] == [RECORD, None, None]


@pytest.mark.usefixtures("releases")
def test_moods_are_told_of_by_their_name() -> None:
    told = learned([replace(_time(2.5, 5.5), purpose=Purpose.MOOD_TRAIN)])
    assert all("mood" in event.title for event in told)


@pytest.mark.usefixtures("releases")
def test_a_release_that_was_begun_before_a_withdrawal_is_never_called_clean() -> None:
    """Though it came out later: what it had read by then is not known here."""
    assert _told(_time(2.5, 5.2)) == [(LEARNED, _at(3.5)), (LAST, _at(5.5)), (CLEAN, _at(6.5))]


@pytest.mark.usefixtures("releases")
def test_a_release_that_was_thrown_away_is_not_told_of() -> None:
    assert _told(_time(4.2, 4.9)) == []


@pytest.mark.usefixtures("releases")
def test_until_the_clean_release_is_there_none_is_named() -> None:
    assert _told(_time(8.5, 9.5)) == [(LAST, _at(9.5)), (LEARNED, _at(9.5))]
    assert learned([_time(8.5, 9.5)])[0].detail.endswith("The next one is made without you.")


@pytest.mark.usefixtures("releases")
def test_a_time_of_sharing_in_which_nothing_was_made_leaves_no_event() -> None:
    assert _told(_time(2.1, 2.9)) == []


@pytest.mark.usefixtures("releases")
def test_whoever_comes_back_is_told_of_each_time_by_itself() -> None:
    assert _told(_time(0.5, 2.5, resumed=5.5), _time(5.5, None)) == [
        (LEARNED, _at(1.5)),
        (LAST, _at(2.5)),
        (CLEAN, _at(3.5)),
        (LEARNED, _at(6.5)),
    ]


@pytest.mark.usefixtures("releases")
def test_a_release_that_learned_from_somebody_who_came_back_is_not_one_without_them() -> None:
    assert _told(_time(0.5, 2.5, resumed=2.8), _time(2.8, None)) == [
        (LEARNED, _at(1.5)),
        (LEARNED, _at(3.5)),
    ]


@pytest.mark.usefixtures("releases")
def test_many_changes_of_mind_are_one_query() -> None:
    times = [_time(n / 10, n / 10 + 0.05) for n in range(90)]
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
    time = Learning(Purpose.LISTENING_TRAIN, begins, ends, RECORD)
    events = HOLDER.events(alice.subject.id, [time])
    assert [event.at for event in events] == [
        clean.published_at, first.published_at, first.published_at,
    ]  # fmt: skip
    assert (first.people, clean.people) == (2, 1)
