"""The history: every listen, found, deleted, left out of the taste and counted again."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy_center.actions.consent import decide
from privacy_center.interface import Purpose
from privacy_center.models import Account, Method
from recommendations.actions.listening import (
    Heard,
    rate_practice,
    record_listens,
    set_favorite,
)
from recommendations.models import Favorite, Listen, Practice, VectorChange
from recommendations.selectors.behavior import served_to
from recommendations.selectors.history import PAGE_SIZE, Month, last_twelve
from tests.answer import Answer
from tests.conftest import NOW, choose, listen, person_of
from tests.recommendations.learned import learned, learned_vectors
from tests.recommendations.suspending import suspend
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
HISTORY = "/history/"


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    choose(alice, "just-for-me")
    return signed_in(alice)


def _hear(account: Account, practice: Practice, at: datetime, *, percent: int = 100) -> UUID:
    """One listen; its id."""
    seconds = practice.seconds_to_complete * percent // 100
    heard = Heard(uuid4(), practice, at, seconds, seconds)
    record_listens(person_of(account), [heard])
    return heard.id


def _shown(answer: Answer) -> list[UUID]:
    """The ids of the listens on a page, in order."""
    return [listen.pk for day in answer.context["page"].days for listen in day.listens]


def _act(client: Client, act: str, **fields: object) -> Answer:
    return client.post(f"{HISTORY}{act}/", fields, follow=True)


def _said(answer: Answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def _changes() -> list[str]:
    return list(VectorChange.objects.order_by("pk").values_list("kind", flat=True))


def test_every_listen_is_listed_newest_first_by_day(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    morning, evening = NOW.replace(hour=7), NOW.replace(hour=20)
    ids = [
        _hear(alice, practice, at)
        for practice, at in zip(
            catalog, (morning - timedelta(days=2), morning, evening), strict=False
        )
    ]
    answer = client.get(HISTORY)
    assert _shown(answer) == ids[::-1]
    days = answer.context["page"].days
    assert [(day.date.day, len(day.listens)) for day in days] == [(NOW.day, 2), (28, 1)]
    assert catalog[0].title in answer.content.decode()


def test_days_are_those_of_the_device_s_own_clock(
    client: Client, alice: Account, practice: Practice
) -> None:
    _hear(alice, practice, datetime(2026, 3, 2, 22, 30, tzinfo=UTC))
    client.cookies["clock"] = "120"
    answer = client.get(HISTORY)
    assert [day.date.day for day in answer.context["page"].days] == [3]
    assert "00:30" in answer.content.decode()


def test_the_history_is_one_s_own(
    client: Client, bob: Account, practice: Practice, signed_in: SignedIn
) -> None:
    choose(bob, "just-for-me")
    own = _hear(bob, practice, NOW)
    assert client.get(HISTORY).context["count"] == 0
    assert _shown(signed_in(bob).get(HISTORY)) == [own]


def test_pages_go_on_where_the_last_one_ended_and_miss_none(
    client: Client, alice: Account, practice: Practice
) -> None:
    # Several at one moment, so that the moment alone cannot say where a page ends.
    ids = {_hear(alice, practice, NOW - timedelta(days=n // 7)) for n in range(2 * PAGE_SIZE + 5)}
    seen: list[UUID] = []
    after: UUID | None = None
    for size in (PAGE_SIZE, PAGE_SIZE, 5):
        answer = client.get(HISTORY, {"after": str(after)} if after else {})
        assert len(_shown(answer)) == size
        seen += _shown(answer)
        after = answer.context["page"].last
    assert after is None
    assert set(seen) == ids
    assert len(seen) == len(ids)


def test_a_longer_history_takes_no_more_queries(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            client.get(HISTORY)
        return len(captured)

    listen(person_of(alice), *catalog[:2])
    few = queries()
    listen(person_of(alice), *catalog, *catalog)
    assert queries() == few


def test_a_page_after_a_listen_that_is_gone_or_another_persons_is_the_first(
    client: Client, alice: Account, bob: Account, practice: Practice
) -> None:
    choose(bob, "just-for-me")
    other = _hear(bob, practice, NOW)
    own = _hear(alice, practice, NOW)
    for after in (other, uuid4()):
        assert _shown(client.get(HISTORY, {"after": str(after)})) == [own]


def test_search_finds_by_every_word_of_the_title(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    rain = next(p for p in catalog if p.slug == "steady-rain")
    other = next(p for p in catalog if p.slug == "even-breath")
    wanted = _hear(alice, rain, NOW)
    _hear(alice, other, NOW)
    for text in ("rain", "RAIN steady", " ste "):
        assert _shown(client.get(HISTORY, {"q": text})) == [wanted]
    assert "Found: 1 of 2" in client.get(HISTORY, {"q": "rain"}).content.decode()
    assert _shown(client.get(HISTORY, {"q": "rain breath"})) == []


def test_search_finds_beginnings_of_words_and_takes_every_sign_as_it_is(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    _hear(alice, next(p for p in catalog if p.slug == "night-train"), NOW)
    numbers = _hear(alice, next(p for p in catalog if p.slug == "four-seven-eight"), NOW)
    Practice.objects.filter(slug="four-seven-eight").update(title="4-7-8 (slow)")
    for text in ("rain", ".", "t*", "tra|x", "\\"):
        assert _shown(client.get(HISTORY, {"q": text})) == []
    for text in ("7", "(slow", "slow"):
        assert _shown(client.get(HISTORY, {"q": text})) == [numbers]


def test_the_month_filter_keeps_one_month(
    client: Client, alice: Account, practice: Practice
) -> None:
    february = _hear(alice, practice, datetime(2026, 2, 28, 23, 59, tzinfo=UTC))
    march = _hear(alice, practice, datetime(2026, 3, 1, 0, 0, tzinfo=UTC))
    assert _shown(client.get(HISTORY, {"month": "2026-02"})) == [february]
    assert _shown(client.get(HISTORY, {"month": "2026-03"})) == [march]
    page = client.get(HISTORY).content.decode()
    assert "February 2026 (1)" in page
    assert _shown(client.get(HISTORY, {"month": "2025-12"})) == []


@pytest.mark.parametrize(
    "query",
    [{"month": "2026-13"}, {"month": "now"}, {"after": "x"}, {"q": "\u202e"}, {"q": "x" * 81}],
)
def test_input_02_19_what_cannot_be_meant_is_400(client: Client, query: dict[str, str]) -> None:
    assert client.get(HISTORY, query).status_code == 400


def test_one_is_deleted_and_the_page_stays_where_it_was(
    client: Client, alice: Account, practice: Practice
) -> None:
    gone, stays = _hear(alice, practice, NOW), _hear(alice, practice, NOW)
    answer = _act(client, "delete", only=gone, listen=[stays], q="rain")
    assert _said(answer) == "1 listen was deleted."
    assert answer.redirect_chain == [("/history/?q=rain", 302)]
    assert [row.pk for row in Listen.objects.all()] == [stays]


def test_the_ticked_ones_are_deleted(client: Client, alice: Account, practice: Practice) -> None:
    ids = [_hear(alice, practice, NOW) for _ in range(3)]
    assert _said(_act(client, "delete", listen=ids[:2])) == "2 listens were deleted."
    assert [row.pk for row in Listen.objects.all()] == ids[2:]


def test_everything_that_the_search_finds_is_deleted_on_every_page(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    rain = next(p for p in catalog if p.slug == "steady-rain")
    for n in range(PAGE_SIZE + 3):
        _hear(alice, rain, NOW - timedelta(days=n))
    stays = _hear(alice, next(p for p in catalog if p.slug == "even-breath"), NOW)
    said = _said(_act(client, "delete", found="yes", q="rain"))
    assert said == f"{PAGE_SIZE + 3} listens were deleted."
    assert [row.pk for row in Listen.objects.all()] == [stays]


def test_all_is_deleted_and_favorites_and_other_people_s_listens_stay(
    client: Client, alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "just-for-me"), catalog[0])
    listen(person_of(alice), *catalog[:5])
    set_favorite(person_of(alice), catalog[0], is_favorite=True)
    assert _said(_act(client, "delete", found="yes")) == "5 listens were deleted."
    assert [row.subject_id for row in Listen.objects.all()] == [bob.subject.id]
    assert Favorite.objects.count() == 1


def test_nothing_ticked_changes_nothing_and_says_so(
    client: Client, alice: Account, practice: Practice
) -> None:
    _hear(alice, practice, NOW)
    for act in ("delete", "exclude", "include"):
        with unchanged():
            said = _said(_act(client, act))
        assert said.startswith("Nothing was")


def test_what_is_left_out_stays_in_the_history_and_shapes_nothing(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    out, counts = _hear(alice, catalog[0], NOW), _hear(alice, catalog[1], NOW)
    said = _said(_act(client, "exclude", only=out))
    assert said == "1 listen is out of your taste, and stays in your history."
    assert set(_shown(client.get(HISTORY))) == {out, counts}
    (habit,) = served_to(person_of(alice), now=NOW).behavior.history
    assert habit.practice_id == catalog[1].pk

    assert _said(_act(client, "include", only=out)) == "1 listen counts in your taste again."
    assert len(served_to(person_of(alice), now=NOW).behavior.history) == 2


def test_a_left_out_listen_that_goes_on_stays_left_out(
    client: Client, alice: Account, practice: Practice
) -> None:
    pk = _hear(alice, practice, NOW, percent=60)
    _act(client, "exclude", only=pk)
    whole = practice.seconds_to_complete
    record_listens(person_of(alice), [Heard(pk, practice, NOW, whole, whole)])
    assert Listen.objects.get().is_excluded
    assert served_to(person_of(alice), now=NOW).behavior.history == []


def test_law_2_what_is_left_out_is_not_learned_and_leaving_out_is_urgent(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    choose(alice, "community")
    out, _counts = _hear(alice, catalog[0], NOW), _hear(alice, catalog[1], NOW)
    VectorChange.objects.all().delete()
    _act(client, "exclude", only=out)
    assert _changes() == ["forget"]
    assert learned_vectors().columns.tolist() == [catalog[1].pk]
    _act(client, "include", only=out)
    assert _changes() == ["forget"], "one change a person, and the more urgent of two"
    assert learned().interactions == 2


def test_law_3_deleting_is_urgent_for_whoever_is_learned_from(
    client: Client, alice: Account, practice: Practice
) -> None:
    choose(alice, "community")
    pk = _hear(alice, practice, NOW)
    VectorChange.objects.all().delete()
    _act(client, "delete", only=pk)
    assert _changes() == ["forget"]


def test_nothing_is_urgent_when_nobody_learned_from_it(
    client: Client, alice: Account, practice: Practice
) -> None:
    pk = _hear(alice, practice, NOW)
    VectorChange.objects.all().delete()
    _act(client, "delete", only=pk)
    assert _changes() == ["learn"], "a yes to training may begin at this very moment"


def test_what_weighs_nothing_is_deleted_without_a_new_model(
    client: Client, alice: Account, practice: Practice
) -> None:
    choose(alice, "community")
    short = _hear(alice, practice, NOW, percent=40)
    out = _hear(alice, practice, NOW)
    _act(client, "exclude", only=out)
    VectorChange.objects.all().delete()
    _act(client, "delete", listen=[short, out])
    assert not Listen.objects.exists()
    assert _changes() == []


@pytest.mark.parametrize("act", ["delete", "exclude", "include"])
def test_input_21_another_persons_listen_is_404_and_nothing_happens(
    act: str, client: Client, alice: Account, bob: Account, practice: Practice
) -> None:
    choose(bob, "community")
    other, own = _hear(bob, practice, NOW), _hear(alice, practice, NOW)
    for fields in ({"only": other}, {"listen": [own, other]}, {"only": uuid4()}):
        with unchanged():
            assert _act(client, act, **fields).status_code == 404
    _act(client, act, found="yes", subject_id=str(bob.subject.id))
    assert Listen.objects.filter(pk=other, is_excluded=False).exists()


@pytest.mark.parametrize(
    "fields",
    [{"only": "1"}, {"listen": ["x"]}, {"found": "maybe"}, {"month": "x"}, {"listen": ["1"] * 501}],
)
def test_a_choice_that_cannot_be_read_is_400(client: Client, fields: dict[str, object]) -> None:
    with unchanged():
        assert _act(client, "delete", **fields).status_code == 400


def test_input_29_without_a_token_nothing_is_deleted(alice: Account, practice: Practice) -> None:
    choose(alice, "just-for-me")
    _hear(alice, practice, NOW)
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="privacy_center.backend.AccountBackend")
    with unchanged():
        assert client.post("/history/delete/", {"found": "yes"}).status_code == 403


def test_input_15_reading_addresses_do_not_write(client: Client) -> None:
    for act in ("delete", "exclude", "include"):
        assert client.get(f"{HISTORY}{act}/").status_code == 405
    assert client.post(HISTORY).status_code == 405


def test_law_1_without_a_yes_to_storing_the_history_is_in_the_browser(
    alice: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    choose(alice, "just-listening")
    own = signed_in(alice)
    for client in (Client(), own):
        page = client.get(HISTORY)
        assert page.status_code == 200
        assert "data-device-history" in page.content.decode()
    with unchanged():
        said = _said(_act(own, "exclude", found="yes"))
    assert said.startswith("Nothing was changed")


def test_a_visitor_who_deletes_is_asked_to_sign_in(catalog: list[Practice]) -> None:
    answer = Client().post("/history/delete/", {"found": "yes"})
    assert answer["Location"].startswith("/accounts/login/")


def test_the_picture_has_twelve_months_and_those_without_a_listen(
    client: Client, alice: Account, practice: Practice
) -> None:
    today = datetime.now(tz=UTC)
    for _ in range(3):
        _hear(alice, practice, today)
    bars = client.get(HISTORY).context["bars"]
    assert len(bars) == 12
    assert [bar.count for bar in bars] == [0] * 11 + [3]
    assert bars[-1].month == today.date().replace(day=1)
    assert (bars[-1].height, bars[0].height) == (60, 0)


def test_the_last_twelve_months_cross_the_year() -> None:
    march = NOW.date().replace(day=1)
    shown = last_twelve([Month(march, 2)], today=NOW.date())
    assert [month.first.month for month in shown] == [4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3]
    assert [month.count for month in shown] == [0] * 11 + [2]


def test_the_history_is_told_in_the_device_s_own_form(
    client: Client, alice: Account, catalog: list[Practice]
) -> None:
    story = next(p for p in catalog if p.kind == "story")
    first = _hear(alice, story, NOW - timedelta(days=1))
    last = _hear(alice, story, NOW, percent=30)
    whole = _hear(alice, catalog[0], NOW)
    set_favorite(person_of(alice), catalog[1], is_favorite=True)
    rate_practice(person_of(alice), story, 4)
    told = client.get("/api/v1/history/").json()
    assert {listen["id"] for listen in told["listens"]} == {str(first), str(last), str(whole)}
    heard = next(listen for listen in told["listens"] if listen["id"] == str(last))
    seconds = story.seconds_to_complete * 30 // 100
    assert heard == {
        "id": str(last),
        "slug": story.slug,
        "startedAt": NOW.isoformat(timespec="milliseconds"),
        "seconds": seconds,
        "position": seconds,
    }
    assert told["favorites"] == [catalog[1].slug]
    assert told["ratings"] == {story.slug: 4}
    assert told["positions"] == {story.slug: seconds, catalog[0].slug: 0}
    assert set(told["cards"]) == {story.slug, catalog[0].slug, catalog[1].slug}
    assert told["cards"][story.slug]["url"] == story.get_absolute_url()


def test_the_history_is_told_to_nobody_else(
    alice: Account, bob: Account, practice: Practice, signed_in: SignedIn
) -> None:
    choose(alice, "just-for-me")
    _hear(alice, practice, NOW)
    assert Client().get("/api/v1/history/").status_code == 403
    assert signed_in(bob).get("/api/v1/history/").json()["listens"] == []


def test_while_the_consent_is_not_in_force_the_history_can_be_deleted_and_not_used(
    client: Client, alice: Account, practice: Practice
) -> None:
    """A new notice suspends the yes: what is there stays the person's own."""
    pk = _hear(alice, practice, NOW)
    suspend(Purpose.LISTENING_STORE)
    assert not person_of(alice).can_store
    page = client.get(HISTORY)
    assert _shown(page) == [pk]
    assert "on hold" in page.content.decode()
    with unchanged():
        assert _said(_act(client, "exclude", only=pk)).startswith("Nothing was changed")
    assert _said(_act(client, "delete", only=pk)) == "1 listen was deleted."


def test_storing_alone_shapes_no_shelf_and_still_has_a_history(
    client: Client, alice: Account, practice: Practice
) -> None:
    wishes = {Purpose.LISTENING_STORE: True, Purpose.LISTENING_PERSONALIZE: False}
    decide(alice.subject.id, wishes, method=Method.PRIVACY_PAGE, at=NOW)
    pk = _hear(alice, practice, NOW)
    assert _shown(client.get(HISTORY)) == [pk]
