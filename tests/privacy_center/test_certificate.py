"""The forgetting certificate: for its own person alone, and only once everything is there."""

import json
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from privacy_center.actions.consent import decide
from privacy_center.ledger.verify_receipt import Forgotten, Invalid, VerifierKey, check_file
from privacy_center.models import Account, ConsentRecord, Decision, Method
from privacy_center.purposes import Purpose
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.sequencer import sequence
from recommendations.audit import audit
from recommendations.models import ModelAudit, Practice, Release
from recommendations.trainer import train
from tests.calm_site.reading import GERMAN
from tests.conftest import choose, listen
from tests.recommendations.suspending import suspend

pytestmark = pytest.mark.django_db(transaction=True)

SignedIn = Callable[[Account], Client]
TRAIN = Purpose.LISTENING_TRAIN


def _published() -> list[VerifierKey]:
    return [VerifierKey.parse(key) for key in verifier_keys()]


def _end(account: Account) -> ConsentRecord:
    """A no to training, in the ledger."""
    decide(account.subject.id, {TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    sequence(clock=timezone.now)
    return ConsentRecord.objects.get(subject=account.subject, decision=Decision.WITHDRAWN)


def _forget(account: Account) -> ConsentRecord:
    """A no to training, the release without the person, and the comparison."""
    ended = _end(account)
    assert train(clock=timezone.now)
    assert audit(clock=timezone.now)
    return ended


def _address(record: ConsentRecord) -> str:
    return f"/privacy/certificates/{record.id}/"


@pytest.fixture
def learned(alice: Account, bob: Account, catalog: list[Practice]) -> Account:
    """Alice, whom a release has learned from; and bob stays in it."""
    listen(choose(bob, "community", at=timezone.now()), *catalog[:3])
    listen(choose(alice, "community", at=timezone.now()), *catalog[:4])
    assert train(clock=timezone.now)
    return alice


def test_the_file_says_what_became_of_it_and_verifies(
    learned: Account, signed_in: SignedIn
) -> None:
    knew = Release.objects.get(state=Release.State.ACTIVE)
    ended = _forget(learned)
    first, compared = Release.objects.get(state=Release.State.ACTIVE), ModelAudit.objects.get()
    answer = signed_in(learned).get(f"{_address(ended)}file/")
    assert answer["Content-Type"] == "application/json"
    assert answer["Content-Disposition"] == f'attachment; filename="certificate-{ended.id}.json"'
    assert "no-store" in answer["Cache-Control"]
    verified = check_file(answer.content, _published())
    assert isinstance(verified, Forgotten)
    assert (verified.record_id, verified.purpose) == (str(ended.id), TRAIN)
    document = json.loads(answer.content)
    before, after = document["last_release_with"], document["first_release_without"]
    assert (before["id"], before["digest"]) == (str(knew.id), knew.gram_digest)
    assert (after["id"], after["digest"]) == (str(first.id), first.gram_digest)
    assert before["digest"] != after["digest"]
    # Nobody else changed anything meanwhile: what is compared is what the release was made of.
    assert document["comparison"]["rebuild_digest"] == after["digest"] == compared.digest
    assert signed_in(learned).get(f"{_address(ended)}file/").content == answer.content


def test_nothing_in_it_leads_to_the_person(learned: Account, signed_in: SignedIn) -> None:
    ended = _forget(learned)
    text = signed_in(learned).get(f"{_address(ended)}file/").content.decode()
    assert str(learned.subject.id) not in text
    assert learned.email not in text


def test_it_is_complete_only_with_the_comparison(learned: Account, signed_in: SignedIn) -> None:
    ended, client = _end(learned), signed_in(learned)
    assert "is being made" in client.get(_address(ended)).content.decode()
    assert client.get(f"{_address(ended)}file/").status_code == 409
    train(clock=timezone.now)
    waiting = client.get(f"{_address(ended)}file/")
    assert waiting.status_code == 409
    assert waiting["Retry-After"] == "600"
    for answer in (waiting, client.get(_address(ended))):
        assert "Not compared yet. Look again in about ten minutes" in answer.content.decode()
        assert "Download" not in answer.content.decode()
    audit(clock=timezone.now)
    page = client.get(_address(ended)).content.decode()
    assert f"{_address(ended)}file/" in page
    assert page.count(ModelAudit.objects.get().digest) >= 2


def test_whoever_came_back_before_a_release_without_them_is_told_that_there_is_none(
    learned: Account, signed_in: SignedIn
) -> None:
    ended = _end(learned)
    choose(learned, "community", at=timezone.now())
    train(clock=timezone.now)
    audit(clock=timezone.now)
    answer = signed_in(learned).get(f"{_address(ended)}file/")
    assert answer.status_code == 409
    assert "You said yes again" in answer.content.decode()


def test_what_new_words_ended_has_a_certificate_by_the_yes_that_they_ended(
    learned: Account, signed_in: SignedIn
) -> None:
    yes = ConsentRecord.objects.get(subject=learned.subject, purpose=TRAIN, decision=Decision.GIVEN)
    suspend(TRAIN)
    train(clock=timezone.now)
    audit(clock=timezone.now)
    sequence(clock=timezone.now)
    client = signed_in(learned)
    answer = client.get(f"{_address(yes)}file/")
    assert str(check_file(answer.content, _published())).startswith("Genuine: listening:train")
    assert _address(yes) in client.get("/privacy/").content.decode()


def test_timeline_and_privacy_page_lead_to_it(learned: Account, signed_in: SignedIn) -> None:
    ended, client = _forget(learned), signed_in(learned)
    for page in ("/privacy/", "/privacy/timeline/", f"/privacy/clean/{TRAIN}/"):
        assert _address(ended) in client.get(page).content.decode(), page


def test_it_speaks_the_reader_s_language_and_verifies_in_it(
    learned: Account, signed_in: SignedIn
) -> None:
    ended, client = _forget(learned), signed_in(learned)
    english = client.get(f"{_address(ended)}file/").content
    german = client.get(f"{_address(ended)}file/", headers=GERMAN).content
    assert check_file(german, _published())
    assert json.loads(german)["statement"] != json.loads(english)["statement"]


def test_fault_30_certificates_by_an_old_key_are_checked_after_the_rotation(
    learned: Account, bob: Account, signed_in: SignedIn, settings: Settings
) -> None:
    ended, client = _forget(learned), signed_in(learned)
    old = client.get(f"{_address(ended)}file/").content
    # A new key that the ledger has not published yet signs nothing.
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32, *settings.LEDGER_SIGNING_SEEDS]
    assert client.get(f"{_address(ended)}file/").content == old
    choose(bob, "just-for-me", at=timezone.now())
    sequence(clock=timezone.now)
    new = client.get(f"{_address(ended)}file/").content
    assert new != old
    assert check_file(old, _published())
    assert check_file(new, _published())
    with pytest.raises(Invalid):
        check_file(new, _published()[1:])


def test_while_no_key_is_published_it_is_503(
    learned: Account, signed_in: SignedIn, settings: Settings
) -> None:
    ended = _forget(learned)
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32]
    answer = signed_in(learned).get(f"{_address(ended)}file/")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "10"


def test_input_21_the_certificate_of_another_person_is_404(
    learned: Account, bob: Account, signed_in: SignedIn
) -> None:
    ended = _forget(learned)
    for address in (_address(ended), f"{_address(ended)}file/"):
        assert signed_in(learned).get(address).status_code == 200
        assert signed_in(bob).get(address).status_code == 404


def test_a_decision_that_ended_no_learning_has_none(learned: Account, signed_in: SignedIn) -> None:
    client = signed_in(learned)
    for record in ConsentRecord.objects.filter(subject=learned.subject):
        assert client.get(_address(record)).status_code == 404
    assert client.get(f"/privacy/certificates/{uuid4()}/").status_code == 404
    assert client.get("/privacy/certificates/1/").status_code == 404


def test_without_signing_in_it_asks_for_that(learned: Account) -> None:
    ended = _forget(learned)
    for address in (_address(ended), f"{_address(ended)}file/"):
        answer = Client().get(address)
        assert answer.status_code == 302
        assert answer["Location"].startswith("/accounts/login/")


def test_whom_no_release_knew_is_certified_that(
    alice: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    choose(alice, "community", at=timezone.now() - timedelta(minutes=1))
    ended = _forget(alice)
    answer = signed_in(alice).get(f"{_address(ended)}file/")
    assert check_file(answer.content, _published())
    assert json.loads(answer.content)["last_release_with"] is None
    assert "None was made while you took part." in signed_in(alice).get(_address(ended)).text
