"""The data scientist's desk: releases in curves, what waits, shelves explained, releases held."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calm_site.roles import DATA_SCIENTIST, EDITOR, PRIVACY_OFFICER
from privacy_center.models import Account
from recommendations.admin.curve import curve
from recommendations.admin.synthetic_shelf import pictures
from recommendations.models import ModelAudit, ModelState, Practice, Release, VectorChange
from recommendations.selectors.listening import Habit
from recommendations.selectors.release_desk import (
    COVERAGE,
    MEMBERS,
    QUALITY,
    Figure,
    Measure,
    Point,
    Series,
    Unit,
    release_series,
)
from recommendations.selectors.shelves import shelves
from recommendations.selectors.synthetic_shelf import (
    PRESETS,
    SyntheticShelf,
    catalog_now,
    synthetic_shelf,
)
from recommendations.trainer import train
from tests.answer import Answer
from tests.conftest import NOW, choose, listen
from tests.recommendations.sharing import share
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
RELEASES = "/admin/recommendations/release/"
QUEUE = "/admin/recommendations/vectorchange/"
AUDITS = "/admin/recommendations/modelaudit/"
EXPLAIN = f"{RELEASES}explain/"
METRICS = {
    "ndcg@10": 0.412,
    "ndcg@10_low": 0.395,
    "ndcg@10_high": 0.43,
    "coverage@12": 0.75,
    "auc_members": 0.56,
    "auc_members_low": 0.51,
    "auc_members_high": 0.61,
}


def _staff(signed_in: SignedIn, role: str) -> Client:
    account = Account.objects.create_user(f"{uuid4().hex}@example.org", is_staff=True)
    account.groups.add(Group.objects.get(name=role))
    return signed_in(account)


@pytest.fixture
def scientist(db: None, signed_in: SignedIn) -> Client:
    return _staff(signed_in, DATA_SCIENTIST)


@pytest.fixture
def officer(db: None, signed_in: SignedIn) -> Client:
    return _staff(signed_in, PRIVACY_OFFICER)


def release(
    *,
    at: datetime = NOW,
    state: str = Release.State.RETIRED,
    people: int = 300,
    metrics: dict[str, float] | None = None,
    held_because: str = "",
) -> Release:
    """A run that began at a moment; out five seconds later, unless it was held."""
    is_out = state in (Release.State.RETIRED, Release.State.ACTIVE)
    return Release.objects.create(
        state=state,
        started_at=at,
        published_at=at + timedelta(seconds=5) if is_out else None,
        algorithm="ease",
        regularization=300.0,
        people=people,
        interactions=people * 20,
        practices=68,
        metrics=METRICS if metrics is None else metrics,
        held_because=held_because,
        gram_digest="ab" * 32,
        file_digest="cd" * 32,
    )


def held(at: datetime = NOW) -> Release:
    return release(
        at=at,
        state=Release.State.HELD,
        held_because="It ranks clearly worse than the release before.",
    )


def wait_to(kind: VectorChange.Kind, *, since: datetime, batch: int | None = None) -> VectorChange:
    return VectorChange.objects.create(kind=kind, subject_id=uuid4(), created_at=since, batch=batch)


def _text(answer: Answer) -> str:
    """What a person reads of a page, in one line."""
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


# Who sees it.


def _pages() -> list[str]:
    run = held()
    audit = ModelAudit.objects.create(
        at=NOW, digest="a", rebuild_digest="a", people=30, seconds=1.0
    )
    change = wait_to(VectorChange.Kind.LEARN, since=NOW)
    return [
        RELEASES, f"{RELEASES}{run.pk}/change/", EXPLAIN, f"{EXPLAIN}?preset=sleeps-badly",
        QUEUE, f"{QUEUE}{change.pk}/change/", AUDITS, f"{AUDITS}{audit.pk}/change/",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("role", "status"), [(DATA_SCIENTIST, 200), (PRIVACY_OFFICER, 200), (EDITOR, 403)]
)
def test_the_data_scientist_and_the_privacy_officer_see_the_desk_and_nobody_else_does(
    db: None, signed_in: SignedIn, role: str, status: int
) -> None:
    client = _staff(signed_in, role)
    for page in _pages():
        assert client.get(page).status_code == status, page


def test_input_50_for_a_person_who_is_not_staff_there_is_no_desk(
    alice: Account, signed_in: SignedIn
) -> None:
    client = signed_in(alice)
    for page in [*_pages(), f"{RELEASES}{Release.objects.get().pk}/accept/"]:
        assert client.get(page).status_code == 404, page


@pytest.mark.parametrize("page", [RELEASES, QUEUE, AUDITS, EXPLAIN])
def test_nothing_is_written_from_the_desk(scientist: Client, page: str) -> None:
    with unchanged():
        assert scientist.post(page, {"practice_1": "steady-rain"}).status_code == 403


# Releases and their curves.


def test_the_list_says_what_a_release_is_worth_with_its_interval(scientist: Client) -> None:
    release()
    said = _text(scientist.get(RELEASES))
    for words in ("0.412", "0.395 to 0.430", "75.0%", "0.560", "0.510 to 0.610", "300", "6,000",
                  "5.0 s"):  # fmt: skip
        assert words in said, words


def test_a_release_page_says_all_of_it_in_words_and_numbers(scientist: Client) -> None:
    run = release()
    said = _text(scientist.get(f"{RELEASES}{run.pk}/change/"))
    for words in ("Ranking, nDCG@10", "0.395 to 0.430", "Membership: who is in", "ab" * 32):
        assert words in said, words


def test_what_was_not_measured_is_a_dash_and_not_a_zero(scientist: Client) -> None:
    run = release(metrics={})
    listed = scientist.get(RELEASES)
    assert "Not measured yet: Ranking, nDCG@10" in _text(listed)
    assert listed.context["cl"].result_count == 1
    assert "Nothing was measured" in _text(scientist.get(f"{RELEASES}{run.pk}/change/"))


def test_of_fewer_than_twenty_people_nobody_learns_how_many(scientist: Client) -> None:
    run = release(people=19)
    ModelAudit.objects.create(at=NOW, digest="a", rebuild_digest="a", people=19, seconds=1.0)
    pages = (RELEASES, f"{RELEASES}{run.pk}/change/", QUEUE, AUDITS)
    for page in pages:
        said = _text(scientist.get(page))
        assert "few" in said, page
        assert not re.search(r"\b(19|380)\b", said), page


def _drawn(*values: float | None, measure: Measure = COVERAGE) -> Series:
    return Series(
        measure,
        [
            Point(NOW + timedelta(hours=n), None if value is None else Figure(value))
            for n, value in enumerate(values)
        ],
    )


def test_a_curve_rises_where_the_figure_rises() -> None:
    drawn = curve(_drawn(0.2, 0.4))
    assert drawn is not None
    (x0, y0), (x1, y1) = re.findall(r"([\d.]+) ([\d.]+)", drawn.line)
    assert float(x0) < float(x1)
    assert float(y0) > float(y1)


def test_a_release_that_was_not_measured_leaves_a_gap() -> None:
    drawn = curve(_drawn(0.2, None, 0.4, 0.5))
    assert drawn is not None
    assert drawn.line.count("M") == 2
    assert [row.value for row in drawn.rows] == ["50.0%", "40.0%", "–", "20.0%"]


def test_a_curve_that_nobody_measured_is_not_drawn() -> None:
    assert curve(_drawn(None, None)) is None


def test_the_line_of_a_coin_lies_within_the_picture_of_membership() -> None:
    drawn = curve(_drawn(0.9, 0.95, measure=MEMBERS))
    assert drawn is not None
    ticks = [float(tick.y) for tick in drawn.ticks]
    assert min(ticks) <= float(drawn.rule) <= max(ticks)


@pytest.mark.parametrize(
    "values",
    [(0.0,), (1.0, 1.0), (0.31, 0.312), (5, 1_000_000), (0.001, 90_000.0), (3, 3, 3)],
    ids=str,
)
@pytest.mark.parametrize("unit", Unit)
def test_every_value_lies_between_the_lowest_and_the_highest_line(
    unit: Unit, values: tuple[float, ...]
) -> None:
    drawn = curve(_drawn(*values, measure=Measure("x", "X", unit, "")))
    assert drawn is not None
    ticks = [float(tick.y) for tick in drawn.ticks]
    assert 2 <= len(ticks) <= 7
    for y in re.findall(r"M[\d.]+ ([\d.]+)h0", drawn.dots):
        assert min(ticks) <= float(y) <= max(ticks)


def test_only_the_last_sixty_published_releases_are_drawn(db: None) -> None:
    for n in range(63):
        release(at=NOW + timedelta(hours=n))
    held(NOW + timedelta(hours=70))
    quality = next(series for series in release_series() if series.measure is QUALITY)
    assert len(quality.points) == 60
    assert quality.points[-1].at == NOW + timedelta(hours=62, seconds=5)


def test_a_page_of_curves_asks_the_database_as_often_for_sixty_releases_as_for_one(
    scientist: Client,
) -> None:
    release()
    pages = (RELEASES, QUEUE)
    first = {page: _queries(scientist, page) for page in pages}
    for n in range(1, 60):
        release(at=NOW + timedelta(hours=n))
        wait_to(VectorChange.Kind.LEARN, since=NOW)
    assert {page: _queries(scientist, page) for page in pages} == first
    assert max(first.values()) <= 14


def _queries(client: Client, page: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        assert client.get(page).status_code == 200
    return len(asked)


# What waits.


def test_the_queue_says_by_kind_how_many_wait_and_since_when(scientist: Client) -> None:
    now = timezone.now()
    for seconds in (5, 200):
        wait_to(VectorChange.Kind.LEARN, since=now - timedelta(seconds=seconds))
    wait_to(VectorChange.Kind.LEARN, since=now, batch=3)
    lines = {line["queue"].kind: line for line in scientist.get(QUEUE).context["queues"]}
    learn = lines[VectorChange.Kind.LEARN]
    assert (learn["queue"].waiting, learn["queue"].taken_up, learn["age"]) == (2, 1, "3 min")
    forget = lines[VectorChange.Kind.FORGET]
    assert (forget["queue"].waiting, forget["age"], forget["is_late"]) == (0, "", False)


@pytest.mark.parametrize(("seconds", "is_late"), [(20, False), (90, True)])
def test_a_withdrawal_that_waits_for_more_than_a_minute_is_said_to_be_too_late(
    scientist: Client, seconds: int, is_late: bool
) -> None:
    wait_to(VectorChange.Kind.FORGET, since=timezone.now() - timedelta(seconds=seconds))
    assert ("too long" in _text(scientist.get(QUEUE))) is is_late


def test_learning_that_waits_is_never_too_late(scientist: Client) -> None:
    wait_to(VectorChange.Kind.LEARN, since=timezone.now() - timedelta(hours=1))
    assert "too long" not in _text(scientist.get(QUEUE))


def test_how_late_a_release_was_is_told_where_it_is_known(scientist: Client) -> None:
    release(at=NOW, metrics={})
    release(at=NOW + timedelta(hours=1), metrics={"lag_seconds": 37.4})
    lags = [line["lag"] for line in scientist.get(QUEUE).context["published"]]
    assert lags == ["37 s", "–"]


def test_a_night_on_which_the_rebuild_was_not_equal_stands_out(scientist: Client) -> None:
    for night, rebuilt in enumerate(("a" * 64, "b" * 64)):
        ModelAudit.objects.create(
            at=NOW + timedelta(days=night), digest="a" * 64, rebuild_digest=rebuilt, people=30,
            seconds=1.0,
        )  # fmt: skip
    said = _text(scientist.get(QUEUE))
    assert said.count("not equal") == 1
    assert "a" * 12 + " against " + "b" * 12 in said


def test_whose_change_it_is_and_what_they_contribute_is_shown_to_nobody(
    db: None, signed_in: SignedIn
) -> None:
    root = signed_in(Account.objects.create_superuser("root@example.org"))
    change = wait_to(VectorChange.Kind.LEARN, since=NOW, batch=1)
    change.new = b"\x01\x02\x03\x04\x05\x06\x07\x08\x09"
    change.save()
    for page in (QUEUE, f"{QUEUE}{change.pk}/change/"):
        said = root.get(page).content.decode()
        assert str(change.subject_id) not in said
        assert "\\x01" not in said
    asked = root.get(QUEUE, {"subject_id": str(change.subject_id)})
    assert asked.status_code == 400


# A shelf of a synthetic person.


@pytest.fixture
def learned(catalog: list[Practice], transactional_db: None) -> list[Practice]:
    """A release that has learned from a hundred people what goes together."""
    published = [p for p in catalog if p.is_published]
    share([published[n % 20 : n % 20 + 8] for n in range(100)])
    train(clock=timezone.now)
    return published


def _shelf(history: list[Habit]) -> SyntheticShelf:
    now = timezone.now()
    found = synthetic_shelf(history, catalog=catalog_now(now), now=now)
    assert found is not None
    return found


def test_the_shelf_is_the_one_a_person_with_this_history_sees(
    learned: list[Practice], alice: Account
) -> None:
    person = choose(alice, "just-for-me")
    listen(person, *learned[3:6])
    own = shelves(person, now=timezone.now(), intention=None, utc_offset_minutes=0)
    mine = next(shelf for shelf in own if shelf.key == "for-you")
    history = [Habit(p.pk, heard=1, whole=1, favorites=0) for p in reversed(learned[3:6])]
    assert [place.practice for place in _shelf(history).places] == [
        card.practice for card in mine.cards
    ]


def test_the_parts_of_a_synthetic_shelf_add_up_exactly(learned: list[Practice]) -> None:
    history = [Habit(p.pk, heard=n, whole=n, favorites=n % 2) for n, p in enumerate(learned[:5], 1)]
    places = _shelf(history).places
    assert places
    for place in places:
        total = 0.0
        for part in place.parts:
            total += part.part
        assert total == place.score


def test_bars_of_a_page_have_one_scale(learned: list[Practice]) -> None:
    history = [Habit(p.pk, heard=5, whole=5, favorites=1) for p in learned[:4]]
    drawn = [bar for picture in pictures(_shelf(history)) for bar in picture.bars]
    longest = max(drawn, key=lambda bar: abs(bar.part.part))
    for bar in drawn:
        share_of = abs(bar.part.part) / abs(longest.part.part)
        assert float(bar.width) == pytest.approx(float(longest.width) * share_of, abs=0.11)
        assert 0 <= float(bar.x) <= float(bar.x) + float(bar.width) <= 200.11


@pytest.mark.parametrize("key", [preset.key for preset in PRESETS])
def test_every_preset_has_a_history_and_a_shelf(
    learned: list[Practice], scientist: Client, key: str
) -> None:
    answer = scientist.get(EXPLAIN, {"preset": key})
    assert answer.context["form"].history
    assert answer.context["pictures"]


def test_a_made_up_history_is_kept_nowhere(learned: list[Practice], scientist: Client) -> None:
    scientist.get(EXPLAIN)
    with unchanged():
        query = {"practice_1": learned[0].slug, "heard_1": "3", "favorite_1": "on"}
        answer = scientist.get(EXPLAIN, query)
    assert learned[0].title in _text(answer)
    assert answer.context["pictures"]


def test_no_row_about_a_person_is_read_for_a_synthetic_one(
    learned: list[Practice], scientist: Client
) -> None:
    with CaptureQueriesContext(connection) as asked:
        scientist.get(EXPLAIN, {"preset": "sleeps-badly"})
    said = " ".join(query["sql"] for query in asked)
    for table in ("listen", "favorite", "rating", "hiddenpractice", "checkin", "trainingvector"):
        assert f"recommendations_{table}" not in said, table
    assert len(asked) <= 12


def test_without_a_release_there_is_nothing_to_explain(
    scientist: Client, catalog: list[Practice]
) -> None:
    assert "No release is served now" in _text(scientist.get(EXPLAIN, {"preset": "up-early"}))


@pytest.mark.parametrize(
    "query",
    [
        {"practice_1": "no-such"}, {"practice_1": "x" * 5000},
        {"practice_1": "steady-rain", "heard_1": "-1"},
        {"practice_1": "steady-rain", "heard_1": "1e9"},
        {"practice_1": "steady-rain", "heard_1": "9" * 5000},
        {"practice_1": "steady-rain", "practice_2": "steady-rain"},
    ],
    ids=["unknown", "long", "negative", "huge", "endless", "twice"],
)  # fmt: skip
def test_input_02_to_19_a_history_that_cannot_be_meant_is_said_to_be_so(
    scientist: Client, catalog: list[Practice], query: dict[str, str]
) -> None:
    answer = scientist.get(EXPLAIN, query)
    assert answer.status_code == 200
    assert answer.context["form"].errors
    assert not answer.context["pictures"]
    assert "errorlist" in answer.content.decode()


@pytest.mark.parametrize("query", [{}, {"preset": "nobody"}, {"x": "y"}, {"heard_1": "4"}])
def test_an_address_that_says_nothing_is_an_empty_form(
    scientist: Client, catalog: list[Practice], query: dict[str, str]
) -> None:
    answer = scientist.get(EXPLAIN, query)
    assert answer.status_code == 200
    assert not answer.context["is_asked"]


# A release that was held back.


def _accept(run: Release) -> str:
    return f"{RELEASES}{run.pk}/accept/"


def test_a_held_release_says_why_first_thing_on_the_desk(
    scientist: Client, officer: Client
) -> None:
    run = held()
    for client in (scientist, officer):
        for page in (RELEASES, f"{RELEASES}{run.pk}/change/"):
            assert run.held_because in _text(client.get(page))


def test_a_data_scientist_has_the_next_one_published_whatever_its_quality(
    scientist: Client,
) -> None:
    run = held()
    assert _accept(run) in scientist.get(RELEASES).content.decode()
    with unchanged():
        assert "What it does" in _text(scientist.get(_accept(run)))
    assert scientist.post(_accept(run)).status_code == 302
    assert ModelState.objects.get().is_quality_accepted
    entry = LogEntry.objects.get()
    assert (entry.object_id, entry.user_id) == (
        str(run.pk),
        int(scientist.session["_auth_user_id"]),
    )
    assert "whatever its quality" in entry.get_change_message()
    run.refresh_from_db()
    assert run.state == Release.State.HELD
    after = scientist.get(RELEASES).content.decode()
    assert _accept(run) not in after
    assert "The next one is published whatever its quality." in after


def test_a_privacy_officer_sees_why_and_decides_nothing(officer: Client) -> None:
    run = held()
    assert _accept(run) not in officer.get(RELEASES).content.decode()
    with unchanged():
        assert officer.get(_accept(run)).status_code == 403
        assert officer.post(_accept(run)).status_code == 403


def test_what_was_decided_about_a_release_that_has_been_replaced_is_not_done(
    scientist: Client,
) -> None:
    run = held()
    release(at=NOW + timedelta(minutes=1), state=Release.State.ACTIVE)
    assert "newer release" in _text(scientist.get(_accept(run)))
    with unchanged():
        assert "newer release" in _text(scientist.post(_accept(run), follow=True))
    assert scientist.get(RELEASES).context["held"] is None
    assert not LogEntry.objects.exists()


def test_only_a_held_release_can_be_decided_about(scientist: Client) -> None:
    run = release(state=Release.State.ACTIVE)
    with unchanged():
        assert scientist.post(_accept(run)).status_code == 404
        assert scientist.get(f"{RELEASES}{uuid4()}/accept/").status_code == 404
