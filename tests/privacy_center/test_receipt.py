"""Receipts: one for every decision, for its own person alone, and each one verifies."""

import io
import json
import zipfile
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import uuid4

import pytest
from django.db import connection
from django.http import HttpResponseBase, StreamingHttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from privacy_center.actions.consent import decide, take_back_opt_out
from privacy_center.authorities import AUTHORITIES
from privacy_center.expiry import expire
from privacy_center.ledger.verify_receipt import (
    STATES,
    Invalid,
    VerifierKey,
    check_receipt,
    receipt_file,
)
from privacy_center.models import (
    Account,
    ConsentRecord,
    DataSubject,
    Decision,
    LedgerEntry,
    Method,
)
from privacy_center.purposes import Purpose
from privacy_center.regions import REGIONS
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.sequencer import sequence
from tests.answer import refuses
from tests.conftest import NOW, choose

SignedIn = Callable[[Account], Client]
YEARS = timedelta(days=731)


def published() -> list[VerifierKey]:
    return [VerifierKey.parse(text) for text in verifier_keys()]


def sequence_now() -> None:
    sequence(clock=timezone.now)


def destroy_key(account: Account) -> None:
    DataSubject.objects.filter(account=account).update(wrapped_key=None, wrapping_key_id="")


def records_of(account: Account) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(subject=account.subject).order_by("entry__id"))


def file_of(client: Client, record: ConsentRecord) -> bytes:
    response = client.get(f"/privacy/receipts/{record.id}/file/")
    assert response.status_code == 200
    return bytes(response.content)


def pieces_of(response: HttpResponseBase) -> list[bytes]:
    """What a streamed answer sends, piece by piece."""
    assert isinstance(response, StreamingHttpResponse)
    return [bytes(piece) for piece in cast(Iterable[bytes], response.streaming_content)]


@pytest.fixture
def client(alice: Account, signed_in: SignedIn) -> Client:
    return signed_in(alice)


@pytest.fixture
def record(alice: Account) -> ConsentRecord:
    """One of alice's decisions, in the ledger."""
    choose(alice, "community")
    sequence_now()
    return records_of(alice)[0]


@pytest.fixture
def every_kind(alice: Account) -> dict[str, ConsentRecord]:
    """A record of each kind of decision, all in the ledger."""
    subject_id = alice.subject.id

    def say(purpose: Purpose, is_yes: bool, at: datetime) -> None:
        decide(subject_id, {purpose: is_yes}, method=Method.PRIVACY_PAGE, at=at)

    say(Purpose.SALE, False, NOW)
    take_back_opt_out(subject_id, method=Method.PRIVACY_PAGE, at=NOW)
    say(Purpose.LISTENING_STORE, True, NOW)
    say(Purpose.LISTENING_STORE, True, NOW + timedelta(days=725))
    say(Purpose.LISTENING_STORE, False, NOW + timedelta(days=726))
    say(Purpose.MOOD_STORE, True, NOW)
    expire(at=NOW + YEARS)
    sequence_now()
    return {found.decision: found for found in records_of(alice)}


def test_every_kind_of_decision_has_a_receipt_that_verifies(
    client: Client, every_kind: dict[str, ConsentRecord]
) -> None:
    assert set(every_kind) == set(Decision.values)
    for decision, found in every_kind.items():
        data = file_of(client, found)
        verified = check_receipt(data, published())
        assert verified.record_id == str(found.id)
        assert verified.decision == decision
        assert json.loads(data)["record"]["event"]["event_state"] == STATES[decision]


def test_a_receipt_says_what_27560_asks_for(
    client: Client, record: ConsentRecord, settings: Settings
) -> None:
    document = json.loads(file_of(client, record))
    said = document["record"]["processing"]
    assert document["record"]["header"]["pii_principal_id"] == str(record.subject_id)
    assert document["notice"] == record.notice.document
    assert said["privacy_notice"] == {"version": 1, "sha256": record.notice.digest}
    assert said["pii_information"] == ["listens", "favorites", "ratings"]
    assert said["pii_controllers"] == [settings.CONTROLLER]
    assert said["lawful_basis"] == "eu-gdpr:A6-1-a"
    assert said["is_special_category"] is False
    assert said["recipient_third_parties"] == []
    assert said["transfers"] == []
    assert said["jurisdiction"] == "Finland"
    assert said["authority_party"] == AUTHORITIES["FI"]
    assert client.get(said["withdrawal_method"]).status_code == 200


def test_a_receipt_about_mood_says_that_it_is_health_data_and_explicit(
    client: Client, every_kind: dict[str, ConsentRecord]
) -> None:
    document = json.loads(file_of(client, every_kind[Decision.EXPIRED]))
    assert document["record"]["processing"]["is_special_category"] is True
    assert document["record"]["processing"]["lawful_basis"] == "eu-gdpr:A9-2-a"
    assert document["record"]["event"]["event_type"] == "dpv:ExplicitlyExpressedConsent"


def test_every_region_has_an_authority() -> None:
    assert set(AUTHORITIES) == set(REGIONS)


def test_the_file_is_an_attachment_that_no_cache_keeps_and_is_the_same_twice(
    client: Client, record: ConsentRecord
) -> None:
    response = client.get(f"/privacy/receipts/{record.id}/file/")
    assert response["Content-Type"] == "application/ld+json"
    assert response["Content-Disposition"] == f'attachment; filename="receipt-{record.id}.json"'
    assert "no-store" in response["Cache-Control"]
    assert file_of(client, record) == response.content


def test_page_file_and_api_answer_for_every_decision_and_the_api_gives_the_same_bytes(
    client: Client, every_kind: dict[str, ConsentRecord]
) -> None:
    for found in every_kind.values():
        assert client.get(f"/privacy/receipts/{found.id}/").status_code == 200
        answer = client.get(f"/api/v1/receipts/{found.id}/")
        assert answer["Content-Type"] == "application/ld+json"
        assert answer.content == file_of(client, found)


@pytest.mark.parametrize("accept", ["application/ld+json", "application/json", "*/*"])
def test_the_api_gives_a_receipt_to_whoever_reads_json(
    client: Client, record: ConsentRecord, accept: str
) -> None:
    response = client.get(f"/api/v1/receipts/{record.id}/", headers={"Accept": accept})
    assert check_receipt(bytes(response.content), published())


@pytest.mark.parametrize("address", ["/privacy/receipts/{}/", "/privacy/receipts/{}/file/"])
def test_input_21_the_receipt_of_another_person_is_404(
    signed_in: SignedIn, record: ConsentRecord, bob: Account, address: str
) -> None:
    other = signed_in(bob)
    assert other.get(address.format(record.id)).status_code == 404
    assert other.get(address.format(uuid4())).status_code == 404
    assert other.get(address.format("1")).status_code == 404
    refuses(other.get(f"/api/v1/receipts/{record.id}/"), 404)
    assert other.get("/api/v1/receipts/").json()["results"] == []
    assert str(record.id) not in other.get("/privacy/receipts/").text


def test_without_signing_in_there_are_no_receipts(record: ConsentRecord) -> None:
    stranger = Client()
    for address in ("", "all/", f"{record.id}/", f"{record.id}/file/"):
        response = stranger.get(f"/privacy/receipts/{address}")
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")
    refuses(stranger.get("/api/v1/receipts/"), 403)
    refuses(stranger.get(f"/api/v1/receipts/{record.id}/"), 403)


def test_an_account_without_a_person_has_no_receipts(db: None, signed_in: SignedIn) -> None:
    editor = signed_in(Account.objects.create_user("editor@example.org", is_staff=True))
    assert editor.get("/privacy/receipts/").status_code == 404
    refuses(editor.get("/api/v1/receipts/"), 404)


def test_before_its_place_in_the_ledger_the_pages_say_so_and_the_file_comes_later(
    client: Client, alice: Account
) -> None:
    choose(alice, "community")
    waiting = records_of(alice)[0]
    assert "on its way into the ledger" in client.get("/privacy/receipts/").text
    assert "on its way into the ledger" in client.get(f"/privacy/receipts/{waiting.id}/").text
    for address in (f"/privacy/receipts/{waiting.id}/file/", "/privacy/receipts/all/"):
        response = client.get(address)
        assert response.status_code == 503
        assert response["Retry-After"] == "10"
    answer = client.get(f"/api/v1/receipts/{waiting.id}/")
    refuses(answer, 503)
    assert answer["Retry-After"] == "10"
    sequence_now()
    assert check_receipt(file_of(client, waiting), published())


def test_once_the_key_is_destroyed_there_are_no_receipts_and_it_is_said(
    client: Client, alice: Account, record: ConsentRecord
) -> None:
    before = file_of(client, record)
    destroy_key(alice)
    for address in (f"{record.id}/file/", "all/"):
        response = client.get(f"/privacy/receipts/{address}")
        assert response.status_code == 410
        assert "key was destroyed" in response.text
    refuses(client.get(f"/api/v1/receipts/{record.id}/"), 410)
    for address in ("", f"{record.id}/"):
        page = client.get(f"/privacy/receipts/{address}")
        assert page.status_code == 200
        assert "key was destroyed" in page.text
        assert "/file/" not in page.text
    assert check_receipt(before, published())


def test_fault_31_without_the_wrapping_key_nothing_is_made_and_it_is_to_be_tried_again(
    client: Client, record: ConsentRecord, settings: Settings
) -> None:
    settings.KEY_ENCRYPTION_KEYS = {"another": b"k" * 32}
    response = client.get(f"/privacy/receipts/{record.id}/file/")
    assert response.status_code == 503
    assert response["Retry-After"]
    refuses(client.get(f"/api/v1/receipts/{record.id}/"), 503)


def test_fault_30_receipts_verify_after_a_rotation_and_new_ones_are_signed_by_the_new_key(
    client: Client, alice: Account, record: ConsentRecord, settings: Settings
) -> None:
    before = file_of(client, record)
    old_keys = published()
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32, *settings.LEDGER_SIGNING_SEEDS]
    # The new key is not published before it has signed the ledger; until then the old one serves.
    assert file_of(client, record) == before
    choose(alice, "just-listening", at=NOW + timedelta(days=1))
    sequence_now()
    after = file_of(client, record)
    assert json.loads(after)["signature"]["key"] == verifier_keys()[0]
    assert check_receipt(before, old_keys)
    for data in (before, after):
        assert check_receipt(data, published())
    with pytest.raises(Invalid):
        check_receipt(after, old_keys)


def test_a_key_that_the_ledger_never_published_signs_no_receipt(
    client: Client, record: ConsentRecord, settings: Settings
) -> None:
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32]
    assert client.get(f"/privacy/receipts/{record.id}/file/").status_code == 503


def test_all_receipts_come_in_one_archive_with_what_it_takes_to_check_them(
    client: Client, alice: Account, record: ConsentRecord
) -> None:
    choose(alice, "just-listening", at=NOW + timedelta(days=1))
    response = client.get("/privacy/receipts/all/")
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="receipts.zip"'
    pieces = pieces_of(response)
    assert len(pieces) > 3
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.testzip() is None
    keys = [VerifierKey.parse(line) for line in archive.read("keys.txt").decode().splitlines()]
    verified = {
        check_receipt(archive.read(name), keys).record_id
        for name in archive.namelist()
        if name.startswith("receipts/")
    }
    # Those that wait for their place are for the next time.
    placed = ConsentRecord.objects.filter(entry__index__isnull=False)
    assert verified == {str(pk) for pk in placed.values_list("pk", flat=True)}
    assert b"def check_receipt" in archive.read("verify_receipt.py")
    assert str(keys[0]) in archive.read("README.txt").decode()


def test_the_archive_takes_no_more_queries_for_more_receipts(
    client: Client, alice: Account, record: ConsentRecord
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            pieces_of(client.get("/privacy/receipts/all/"))
        return len(captured)

    few = queries()
    for day in range(1, 9):
        choose(alice, "community" if day % 2 == 0 else "just-listening", at=_day(day))
    sequence_now()
    assert LedgerEntry.objects.count() > 20
    assert queries() == few


def _day(day: int) -> datetime:
    return NOW + timedelta(days=day)


def test_the_list_goes_by_year_and_leads_to_what_is_older(client: Client, alice: Account) -> None:
    for day in range(0, 24 * 30, 30):
        choose(alice, "community" if day % 60 == 0 else "just-listening", at=_day(day))
    sequence_now()
    expected = [str(record.id) for record in reversed(records_of(alice))]
    page = client.get("/privacy/receipts/")
    seen: list[str] = []
    while True:
        context: Any = page.context
        years = [year for year, _lines in context["years"]]
        assert years == sorted(years, reverse=True)
        seen += [str(line.record_id) for _year, lines in context["years"] for line in lines]
        if not context["older"]:
            break
        page = client.get(f"/privacy/receipts/?before={context['older']}")
    assert seen == expected
    assert len(expected) > 50


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 40, "٣"])
def test_a_place_in_the_list_that_cannot_be_is_404(
    client: Client, record: ConsentRecord, before: str
) -> None:
    assert client.get("/privacy/receipts/", {"before": before}).status_code == 404


def test_the_api_lists_every_decision_page_by_page_with_as_many_queries_for_any(
    client: Client, alice: Account, record: ConsentRecord
) -> None:
    def listed(address: str) -> tuple[dict[str, Any], int]:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(address)
        assert answer.status_code == 200
        return answer.json(), len(queries)

    _one, few = listed("/api/v1/receipts/")
    for day in range(1, 40):
        choose(alice, "community" if day % 2 == 0 else "just-listening", at=_day(day))
    first, more = listed("/api/v1/receipts/")
    assert more == few
    found, rest = [row["record_id"] for row in first["results"]], first
    while rest["next"]:
        rest, count = listed(rest["next"].removeprefix("http://testserver"))
        assert count == few
        found += [row["record_id"] for row in rest["results"]]
    assert found == [str(record.id) for record in reversed(records_of(alice))]
    assert first["results"][0]["index"] is None
    assert rest["results"][-1]["index"] == 0
    assert check_receipt(bytes(client.get(rest["results"][-1]["receipt"]).content), published())


def test_a_record_that_was_changed_has_a_receipt_that_does_not_verify(
    client: Client, record: ConsentRecord
) -> None:
    document = json.loads(file_of(client, record))
    document["ledger"]["statement"]["language"] = "de"
    with pytest.raises(Invalid):
        check_receipt(receipt_file(document), published())


def test_the_page_for_checking_is_open_to_all_and_brings_the_keys_and_the_program(
    record: ConsentRecord,
) -> None:
    stranger = Client()
    page = stranger.get("/privacy/verify/")
    assert all(key in page.text for key in verifier_keys())
    script = stranger.get("/privacy/verify/verify_receipt.py")
    assert script["Content-Disposition"] == 'attachment; filename="verify_receipt.py"'
    compile(script.text, "verify_receipt.py", "exec")
