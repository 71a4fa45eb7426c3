"""Check-ins by the API: stored under an explicit yes, idempotent, always readable and deletable."""

import logging
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from privacy_center.models import Account, DataSubject
from recommendations.models import CheckIn, Label, Practice, VectorChange
from tests.answer import Answer, refuses
from tests.conftest import choose
from tests.recommendations.moods import PERSONALIZE, STORE, feel, keep_mood, share_mood
from tests.unchanged import unchanged

ADDRESS, JSON = "/api/v1/check-ins/", "application/json"
MISSING = "consent_missing_mood_store"
NOTE = "The letter came.\nI read it twice."
SignedIn = Callable[[Account], Client]


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    share_mood(alice)
    return signed_in(alice)


def _said(**changes: object) -> dict[str, object]:
    """A check-in as an app sends it."""
    return {
        "id": str(uuid4()),
        "practice": "steady-rain",
        "moment": "before",
        "valence": -1,
        "energy": 2,
        "labels": ["restless", "worried"],
        "note": NOTE,
        "at": timezone.now().isoformat(),
        **changes,
    }


def _send(client: Client, said: dict[str, object]) -> Answer:
    return client.post(ADDRESS, said, content_type=JSON)


def test_a_check_in_is_stored_under_the_consent_in_force_and_comes_back(
    client: Client, alice: Account
) -> None:
    said = _said()
    answer = _send(client, said)
    assert (answer.status_code, answer.json()) == (201, said | {"at": answer.json()["at"]})
    kept = CheckIn.objects.get()
    assert kept.subject_id == alice.subject.id
    assert kept.consent_id == share_mood(alice).consents[STORE]
    assert client.get(ADDRESS).json() == {"count": 1, "page_size": 24, "results": [answer.json()]}
    assert VectorChange.objects.get().kind == VectorChange.Kind.LEARN


def test_labels_and_note_are_stored_sealed_and_for_this_check_in_alone(
    client: Client, alice: Account
) -> None:
    first, second = _said(), _said(note="Another day.")
    _send(client, first)
    _send(client, second)
    one, other = CheckIn.objects.get(pk=str(first["id"])), CheckIn.objects.get(pk=str(second["id"]))
    for text in (b"letter", b"worried"):
        assert text not in bytes(one.sealed)
    CheckIn.objects.filter(pk=other.pk).update(sealed=one.sealed)
    results = {item["id"]: item for item in client.get(ADDRESS).json()["results"]}
    assert results[first["id"]]["note"] == NOTE
    assert results[second["id"]]["note"] is None


def test_the_same_check_in_twice_is_one(client: Client) -> None:
    said = _said()
    first = _send(client, said)
    with unchanged():
        again = _send(client, said)
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    "change", [{"note": "Other words."}, {"valence": 0}, {"labels": []}, {"moment": "after"}]
)
def test_input_33_an_id_that_says_something_else_is_refused(
    client: Client, change: dict[str, object]
) -> None:
    said = _said()
    _send(client, said)
    with unchanged():
        refuses(_send(client, said | change), 422)


def test_another_persons_id_is_refused_and_tells_nothing(
    client: Client, bob: Account, signed_in: SignedIn
) -> None:
    share_mood(bob)
    said = _said()
    _send(client, said)
    stranger = signed_in(bob)
    with unchanged():
        answer = _send(stranger, said)
    refuses(answer, 422)
    assert "letter" not in answer.content.decode()


@pytest.mark.parametrize("preset", ["just-listening", "just-for-me", "community"])
def test_without_the_explicit_yes_nothing_is_stored_whatever_the_preset(
    bob: Account, catalog: list[Practice], signed_in: SignedIn, preset: str
) -> None:
    choose(bob, preset)
    sharer = signed_in(bob)
    with unchanged():
        answer = _send(sharer, _said())
    refuses(answer, 403)
    assert answer.json()["code"] == MISSING


def test_nobody_checks_in_without_an_account(catalog: list[Practice]) -> None:
    with unchanged():
        refuses(_send(Client(), _said()), 403)


def test_a_no_to_storing_deletes_every_check_in_at_once(
    client: Client, alice: Account, bob: Account
) -> None:
    share_mood(alice, PERSONALIZE)
    _send(client, _said())
    feel(share_mood(bob), 0, 0)
    keep_mood(alice)
    assert CheckIn.objects.get().subject_id == bob.subject.id
    refuses(_send(client, _said()), 403)


@pytest.mark.parametrize(
    "change",
    [
        {"valence": 3}, {"valence": -3}, {"energy": 3}, {"valence": "1"}, {"valence": True},
        {"energy": 0.5}, {"valence": None}, {"moment": "during"}, {"practice": "nowhere"},
        {"practice": None}, {"moment": "none"}, {"labels": ["joyful"]}, {"labels": "calm"},
        {"labels": ["calm", "calm"]}, {"labels": ["calm", "sad", "sore", "angry", "lonely",
        "content"]}, {"note": "x" * 501}, {"note": None}, {"note": 7}, {"id": "7"},
        {"at": "yesterday"}, {"at": "2999-01-01T00:00:00Z"}, {"at": "2026-01-01T00:00:00"},
        {"subject_id": "f66626f3-229a-47a0-9a6c-5d447779514d"}, {"mood": 1},
    ],
    ids=repr,
)  # fmt: skip
def test_what_a_check_in_cannot_be_is_refused(client: Client, change: dict[str, object]) -> None:
    with unchanged():
        refuses(_send(client, _said(**change)), 400)


@pytest.mark.parametrize(
    "note",
    [" ", "\n \t"[:2], "\u00a0", "sent \u202eback", "\u2066one\u2069", "tab\there", "bell\x07"],
)
def test_input_19_a_note_of_spaces_or_direction_marks_is_refused(client: Client, note: str) -> None:
    with unchanged():
        refuses(_send(client, _said(note=note)), 400)


def test_a_note_may_be_left_out_have_lines_and_be_as_long_as_it_says(client: Client) -> None:
    for note in ("", "x" * 500, "one\r\ntwo"):
        assert _send(client, _said(note=note)).status_code == 201
    notes = {item["note"] for item in client.get(ADDRESS).json()["results"]}
    assert notes == {"", "x" * 500, "one\ntwo"}


def test_input_46_a_note_is_in_no_log_line_also_not_when_it_is_refused(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        _send(client, _said(note="unrepeatable"))
        refuses(_send(client, _said(note="unrepeatable \u202e")), 400)
        refuses(_send(client, _said(note="unrepeatable", valence=9)), 400)
    assert "unrepeatable" not in caplog.text


def test_one_check_in_is_deleted_and_all_are(client: Client) -> None:
    first = _said()
    for said in (first, _said(), _said()):
        _send(client, said)
    assert client.delete(f"{ADDRESS}{first['id']}/").status_code == 204
    assert CheckIn.objects.count() == 2
    refuses(client.delete(f"{ADDRESS}{first['id']}/"), 404)
    assert client.delete(ADDRESS).json() == {"deleted": 2}
    assert not CheckIn.objects.exists()


def test_input_21_another_persons_check_in_is_not_there(
    client: Client, bob: Account, signed_in: SignedIn
) -> None:
    said = _said()
    _send(client, said)
    stranger = signed_in(bob)
    with unchanged():
        refuses(stranger.delete(f"{ADDRESS}{said['id']}/"), 404)
        assert stranger.delete(ADDRESS).json() == {"deleted": 0}
        assert stranger.get(ADDRESS).json()["results"] == []


def test_input_47_a_page_size_beyond_the_limit_is_the_limit(client: Client) -> None:
    assert client.get(ADDRESS, {"page_size": 10**9}).json()["page_size"] == 100
    refuses(client.get(ADDRESS, {"ordering": "subject_id"}), 400)


def test_fault_31_without_the_key_nothing_is_stored(client: Client, alice: Account) -> None:
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapping_key_id="gone")
    with unchanged():
        answer = _send(client, _said())
    refuses(answer, 503)
    assert answer.json()["code"] == "key_unavailable"


def test_fault_32_a_destroyed_key_makes_the_words_unreadable_from_that_moment(
    client: Client, alice: Account
) -> None:
    _send(client, _said())
    assert client.get(ADDRESS).json()["results"][0]["labels"] == [Label.RESTLESS, Label.WORRIED]
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapped_key=None, wrapping_key_id="")
    shown = client.get(ADDRESS).json()["results"][0]
    assert (shown["labels"], shown["note"], shown["valence"]) == (None, None, -1)
    # What cannot be read any more can still be deleted.
    assert client.delete(ADDRESS).json() == {"deleted": 1}


def test_an_id_is_as_the_client_made_it(client: Client) -> None:
    said = _said()
    _send(client, said)
    assert CheckIn.objects.get().pk == UUID(str(said["id"]))
