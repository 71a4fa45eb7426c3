"""What became of what was learned: which releases knew a person, and whether that was compared."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from privacy_center.interface import Comparison, Forgetting, Learning, PublishedRelease, Purpose
from recommendations.models import ModelAudit, Release
from recommendations.selectors.forgetting import forgetting
from tests.conftest import NOW

pytestmark = pytest.mark.django_db

RECORD = UUID(int=7, version=4)


def _at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


# From 1.2 to 3.2: the releases of 2 and 3 knew the person, and that of 1 and of 4 did not.
TIME = Learning(Purpose.LISTENING_TRAIN, _at(1.2), _at(3.2), RECORD)


@pytest.fixture(autouse=True)
def releases() -> list[PublishedRelease]:
    """One an hour from 1 to 6, half an hour in the making; the place in the list is the hour."""
    return [_release(hour) for hour in range(7)]


def _release(hour: int) -> PublishedRelease:
    release = Release.objects.create(
        state=Release.State.RETIRED,
        started_at=_at(hour),
        published_at=_at(hour + 0.5),
        algorithm="ease",
        regularization=1.0,
        gram_digest=f"{hour:064x}",
    )
    return PublishedRelease(release.id, _at(hour + 0.5), release.gram_digest)


def _compare(hours: float, *, is_equal: bool = True) -> Comparison:
    audit = ModelAudit.objects.create(
        at=_at(hours), digest="a" * 64, rebuild_digest=("a" if is_equal else "b") * 64,
        people=3, seconds=1.0,
    )  # fmt: skip
    return Comparison(audit.at, audit.digest, audit.rebuild_digest)


def test_the_last_release_that_knew_and_the_first_that_did_not(
    releases: list[PublishedRelease],
) -> None:
    assert forgetting(TIME) == Forgetting(releases[3], releases[4])


def test_while_learning_goes_on_there_is_nothing_to_tell() -> None:
    assert forgetting(replace(TIME, ends=None, record_id=None)) == Forgetting()


def test_where_no_release_was_made_none_knew(releases: list[PublishedRelease]) -> None:
    short = replace(TIME, begins=_at(3.1))
    assert forgetting(short) == Forgetting(None, releases[4])


def test_until_the_release_without_the_person_is_out_there_is_none(
    releases: list[PublishedRelease],
) -> None:
    late = replace(TIME, ends=_at(6.2))
    assert forgetting(late) == Forgetting(releases[6], None)


def test_a_release_that_was_begun_after_the_person_came_back_is_not_one_without_them(
    releases: list[PublishedRelease],
) -> None:
    assert forgetting(replace(TIME, resumed_at=_at(3.8))) == Forgetting(releases[3], None)


def test_the_first_comparison_after_it_came_out_bears_it_out(
    releases: list[PublishedRelease],
) -> None:
    _compare(4.4)
    assert forgetting(TIME).comparison is None
    first = _compare(5.2)
    _compare(5.4)
    assert forgetting(TIME) == Forgetting(releases[3], releases[4], first)


def test_releases_that_a_comparison_found_wrong_are_passed_over(
    releases: list[PublishedRelease],
) -> None:
    """Nobody can tell what was in them; the next one is made from scratch."""
    _compare(4.4)
    _compare(5.7, is_equal=False)
    assert forgetting(TIME) == Forgetting(releases[3], releases[6], None)
    equal = _compare(7)
    assert forgetting(TIME) == Forgetting(releases[3], releases[6], equal)


def test_a_comparison_that_failed_later_changes_nothing(releases: list[PublishedRelease]) -> None:
    equal = _compare(4.7)
    _compare(5.7, is_equal=False)
    assert forgetting(TIME) == Forgetting(releases[3], releases[4], equal)
