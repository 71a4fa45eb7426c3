"""Reporting listens and ratings: stored once, under a live consent, or not at all."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.test import Client

from privacy_center.models import Account, AgeBand
from privacy_center.purposes import Purpose
from recommendations.models import Listen, Practice, Rating, VectorChange
from tests.answer import Answer, refuses
from tests.conftest import NOW, choose, make_account, person_of
from tests.unchanged import unchanged

LISTENS, RATINGS, JSON = "/api/v1/listens/", "/api/v1/ratings/", "application/json"
MISSING = "consent_missing_listening_store"
SignedIn = Callable[[Account], Client]


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    choose(alice, "just-for-me")
    return signed_in(alice)


def _item(seconds: int = 60, **changes: object) -> dict[str, object]:
    return {
        "id": str(uuid4()),
        "practice": "steady-rain",
        "started_at": NOW.isoformat(),
        "seconds": seconds,
        "position": seconds,
        **changes,
    }


def _report(client: Client, *items: dict[str, object]) -> Answer:
    return client.post(LISTENS, {"listens": list(items)}, content_type=JSON)


def _rate(client: Client, value: int, practice: str = "steady-rain") -> Answer:
    return client.post(RATINGS, {"practice": practice, "value": value}, content_type=JSON)


def test_a_listen_is_stored_under_the_consent_in_force(client: Client, alice: Account) -> None:
    assert _report(client, _item(90)).json() == {"stored": 1}
    listen = Listen.objects.get()
    assert listen.subject_id == alice.subject.id
    assert listen.consent_id == person_of(alice).consents[Purpose.LISTENING_STORE]
    assert (listen.practice.slug, listen.seconds, listen.position) == ("steady-rain", 90, 90)
    assert listen.completion == pytest.approx(90 / listen.practice.seconds_to_complete)


def test_the_same_report_twice_is_one_listen(client: Client) -> None:
    item = _item()
    _report(client, item)
    with unchanged():
        assert _report(client, item).status_code == 200
        assert _report(client, item, item).status_code == 200


def test_progress_goes_on_and_never_back(client: Client) -> None:
    name = str(uuid4())
    for seconds in (60, 240, 120):
        _report(client, _item(seconds, id=name))
    assert (Listen.objects.get().seconds, Listen.objects.get().position) == (240, 240)
    _report(client, _item(300, id=name, position=10), _item(30, id=name))
    assert (Listen.objects.get().seconds, Listen.objects.get().position) == (300, 10)


def test_a_listen_keeps_its_practice_and_its_beginning(client: Client) -> None:
    name = str(uuid4())
    _report(client, _item(60, id=name))
    with unchanged():
        _report(client, _item(600, id=name, practice="even-breath"))
    _report(client, _item(61, id=name, started_at="2026-03-02T01:00:00Z"))
    assert Listen.objects.get().started_at == NOW


def test_input_21_another_person_s_listen_is_never_touched(
    client: Client, bob: Account, signed_in: SignedIn
) -> None:
    item = _item(60)
    _report(client, item)
    choose(bob, "just-for-me")
    other = signed_in(bob)
    with unchanged():
        _report(other, {**item, "seconds": 600})


def test_a_batch_is_kept_whole(client: Client) -> None:
    assert _report(client, *[_item() for _ in range(100)]).json() == {"stored": 100}
    assert Listen.objects.count() == 100


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_of_none_or_too_many_is_400(client: Client, count: int) -> None:
    with unchanged():
        refuses(_report(client, *[_item() for _ in range(count)]), 400)


@pytest.mark.parametrize("practice", ["nowhere", "", "steady rain", "../etc", "x" * 65, 5, None])
def test_a_practice_that_is_not_there_spoils_the_batch(client: Client, practice: object) -> None:
    with unchanged():
        refuses(_report(client, _item(), _item(practice=practice)), 400)


def test_an_unpublished_practice_is_not_there(client: Client, practice: Practice) -> None:
    Practice.objects.filter(pk=practice.pk).update(is_published=False)
    with unchanged():
        refuses(_report(client, _item()), 400)
        refuses(_rate(client, 5), 400)


@pytest.mark.parametrize("seconds", [-1, 86_401, 1.5, "60", True, None, [60]])
def test_seconds_are_a_whole_number_of_at_most_a_day(client: Client, seconds: object) -> None:
    with unchanged():
        refuses(_report(client, _item() | {"seconds": seconds}), 400)
        refuses(_report(client, _item(position=seconds)), 400)


@pytest.mark.parametrize("name", ["id", "practice", "started_at", "seconds", "position"])
def test_a_listen_without_all_its_fields_is_400(client: Client, name: str) -> None:
    item = _item()
    del item[name]
    with unchanged():
        refuses(_report(client, item), 400)


def test_law_1_without_consent_nothing_is_stored_and_the_answer_says_which(
    client: Client, alice: Account
) -> None:
    choose(alice, "just-listening")
    with unchanged():
        for answer in (_report(client, _item()), _rate(client, 5)):
            refuses(answer, 403)
            assert answer.json()["code"] == MISSING


def test_law_8_whoever_was_not_asked_has_not_said_yes(
    bob: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    client = signed_in(bob)
    with unchanged():
        refuses(_report(client, _item()), 403)


def test_below_the_age_of_consent_nothing_is_stored(
    catalog: list[Practice], signed_in: SignedIn
) -> None:
    child = make_account("dora", band=AgeBand.BELOW_CONSENT)
    choose(child, "just-listening")
    client = signed_in(child)
    with unchanged():
        refuses(_report(client, _item()), 403)


def test_nobody_reports_without_signing_in(catalog: list[Practice]) -> None:
    with unchanged():
        refuses(_report(Client(), _item()), 403)
        refuses(_rate(Client(), 5), 403)


def test_staff_without_a_person_store_nothing(catalog: list[Practice], signed_in: SignedIn) -> None:
    client = signed_in(Account.objects.create_user("editor@example.org", is_staff=True))
    with unchanged():
        refuses(_report(client, _item()), 403)


def test_the_model_is_made_again_only_when_a_listen_goes_past_a_mark_that_counts(
    client: Client, alice: Account
) -> None:
    choose(alice, "community")
    notes = []
    item = _item(10)
    for seconds in (10, 299, 301, 400, 539, 541, 600):
        VectorChange.objects.all().delete()
        _report(client, {**item, "seconds": seconds, "position": seconds})
        notes.append(VectorChange.objects.count())
    assert notes == [0, 0, 1, 0, 0, 1, 0]


def test_a_rating_is_kept_under_consent_and_the_last_one_counts(
    client: Client, alice: Account
) -> None:
    assert _rate(client, 2).json() == {"practice": "steady-rain", "value": 2}
    assert _rate(client, 5).status_code == 200
    rating = Rating.objects.get()
    assert (rating.value, rating.subject_id) == (5, alice.subject.id)
    assert rating.consent_id == person_of(alice).consents[Purpose.LISTENING_STORE]


@pytest.mark.parametrize("path", [LISTENS, RATINGS])
def test_what_was_reported_cannot_be_read_by_address(client: Client, path: str) -> None:
    refuses(client.get(path), 405)
