"""Consent by the API: what stands, and changing it."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import (
    Account,
    AgeBand,
    ConsentRecord,
    DataSubject,
    Decision,
    Method,
)
from privacy_center.purposes import LISTENING, OFFERED, PRESETS, Purpose, preset_of
from privacy_center.selectors.notice import live_notices
from recommendations.models import Listen, Practice
from tests.answer import Answer, refuses
from tests.conftest import choose, listen, make_account, person_of
from tests.unchanged import unchanged

CONSENT, JSON = "/api/v1/consent/", "application/json"
STORE, TRAIN = Purpose.LISTENING_STORE, Purpose.LISTENING_TRAIN
SignedIn = Callable[[Account], Client]


@pytest.fixture
def client(alice: Account, signed_in: SignedIn) -> Client:
    return signed_in(alice)


def _live() -> dict[str, int]:
    """The versions of all live notices, as a client sends them that has shown them."""
    return {purpose.value: notice.version for purpose, notice in live_notices().items()}


def _patch(client: Client, **body: object) -> Answer:
    return client.patch(CONSENT, {"notices": _live(), **body}, content_type=JSON)


def test_before_any_decision_every_purpose_is_off(client: Client) -> None:
    answer = client.get(CONSENT).json()
    assert answer["preset"] == "just-listening"
    assert set(answer["purposes"]) == set(Purpose)
    assert not any(purpose["is_given"] for purpose in answer["purposes"].values())
    offered = {name for name, purpose in answer["purposes"].items() if purpose["is_offered"]}
    assert offered == OFFERED


@pytest.mark.parametrize("preset", [preset.key for preset in PRESETS])
def test_a_preset_holds_at_once_and_the_answer_says_so(
    client: Client, alice: Account, preset: str
) -> None:
    answer = _patch(client, preset=preset)
    assert answer.status_code == 200
    assert answer.json()["preset"] == preset
    chosen = preset_of(person_of(alice).consents)
    assert chosen is not None
    assert chosen.key == preset
    assert set(ConsentRecord.objects.values_list("method", flat=True)) == {Method.API}


def test_purposes_can_be_changed_one_by_one(client: Client, alice: Account) -> None:
    answer = _patch(client, purposes={TRAIN: True}).json()
    assert answer["purposes"][STORE]["is_given"]
    assert answer["purposes"][TRAIN]["is_given"]
    assert answer["preset"] is None
    _patch(client, purposes={TRAIN: False})
    assert person_of(alice).can_store
    assert not person_of(alice).can_train


def test_ending_store_deletes_what_was_stored(
    client: Client, alice: Account, practice: Practice
) -> None:
    listen(choose(alice, "community"), practice)
    assert _patch(client, purposes={STORE: False}).status_code == 200
    assert not Listen.objects.exists()
    assert ConsentRecord.objects.filter(decision=Decision.WITHDRAWN).count() == len(LISTENING)


def test_the_same_answer_again_changes_nothing(client: Client) -> None:
    _patch(client, preset="community")
    with unchanged():
        assert _patch(client, preset="community").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        {"purposes": {"telepathy": True}},
        {"purposes": {"listening:store ": True}},
        {"purposes": {STORE: True, "telepathy": False}},
        {"preset": "everything"},
        {"preset": "Community"},
    ],
)
def test_input_34_an_unknown_purpose_or_preset_is_400(
    client: Client, body: dict[str, object]
) -> None:
    with unchanged():
        refuses(_patch(client, **body), 400)


@pytest.mark.parametrize("version", [0, -1, "1", 1.0, 1.5, True, None, [1]])
def test_input_34_a_version_that_is_none_is_400(client: Client, version: object) -> None:
    with unchanged():
        refuses(_patch(client, purposes={STORE: True}, notices={STORE: version}), 400)


def test_input_34_a_version_of_an_unknown_purpose_is_400(client: Client) -> None:
    with unchanged():
        refuses(_patch(client, purposes={STORE: True}, notices=_live() | {"telepathy": 1}), 400)


@pytest.mark.parametrize(
    "notices",
    [{}, {STORE: 1}, {STORE: 2, TRAIN: 2}, {STORE: 1, TRAIN: 1}, {TRAIN: 1}],
    ids=["none", "one is missing", "never published", "outdated", "of what it needs none"],
)
def test_input_34_a_yes_to_other_words_than_the_live_ones_is_409_and_changes_nothing(
    client: Client, notices: dict[str, int]
) -> None:
    draft = draft_notice(STORE)
    for text in draft.texts.all():
        text.sentence += " And more."
        text.save()
    publish_notice(draft, at=timezone.now())
    with unchanged():
        refuses(_patch(client, purposes={TRAIN: True}, notices=notices), 409)
        refuses(_patch(client, preset="community", notices=notices), 409)
    assert _patch(client, purposes={TRAIN: True}, notices={STORE: 2, TRAIN: 1}).status_code == 200


def test_a_no_needs_no_notice(client: Client, alice: Account) -> None:
    choose(alice, "community")
    assert _patch(client, purposes={STORE: False}, notices={}).status_code == 200
    assert not person_of(alice).can_store


def test_fault_11_a_yes_after_the_key_was_destroyed_is_refused(
    client: Client, alice: Account
) -> None:
    DataSubject.objects.filter(account=alice).update(wrapped_key=None, wrapping_key_id="")
    with unchanged():
        refuses(_patch(client, purposes={STORE: True}), 400)
        refuses(_patch(client, preset="community"), 400)


@pytest.mark.parametrize("wish", [1, 0, "true", "yes", None, [], {}, 1.0])
def test_a_wish_that_is_not_true_or_false_is_400(client: Client, wish: object) -> None:
    with unchanged():
        refuses(_patch(client, purposes={STORE: wish}), 400)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"preset": "community", "purposes": {STORE: True}},
        {"purposes": {STORE: False, TRAIN: True}},
        {"purposes": {Purpose.SALE: True}},
        {"purposes": {Purpose.ANALYTICS: True}},
    ],
)
def test_a_change_that_is_not_possible_is_400_and_changes_nothing(
    client: Client, alice: Account, body: dict[str, object]
) -> None:
    choose(alice, "just-for-me")
    with unchanged():
        refuses(_patch(client, **body), 400)


def test_below_the_age_of_consent_every_yes_is_400_and_every_no_is_heard(
    db: None, signed_in: SignedIn
) -> None:
    client = signed_in(make_account("dora", band=AgeBand.BELOW_CONSENT))
    with unchanged():
        refuses(_patch(client, preset="community"), 400)
        refuses(_patch(client, purposes={STORE: True}), 400)
    assert _patch(client, preset="just-listening").status_code == 200


def test_nobody_is_asked_without_signing_in(db: None) -> None:
    with unchanged():
        refuses(Client().get(CONSENT), 403)
        refuses(_patch(Client(), preset="community"), 403)


def test_an_account_without_a_person_has_nothing_to_decide(db: None, signed_in: SignedIn) -> None:
    client = signed_in(Account.objects.create_user("editor@example.org", is_staff=True))
    with unchanged():
        refuses(client.get(CONSENT), 404)
        refuses(_patch(client, preset="community"), 404)


def test_input_21_one_s_own_consent_is_all_there_is(
    client: Client, alice: Account, bob: Account
) -> None:
    choose(bob, "community")
    _patch(client, preset="just-listening")
    assert person_of(bob).can_train
    for path in (f"{CONSENT}{bob.subject.id}/", f"{CONSENT}{bob.pk}/"):
        refuses(client.get(path), 404)
    own = client.get(CONSENT, {"subject_id": str(bob.subject.id)}).json()
    assert own["preset"] == "just-listening"
