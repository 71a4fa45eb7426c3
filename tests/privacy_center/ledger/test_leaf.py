"""Leaves, timestamps, and commitments that hide whose decision it is."""

import hmac
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from uuid import UUID

import pytest

from privacy_center.ledger.leaf import commitment, opening, timestamp
from privacy_center.ledger.verify_receipt import leaf_hash
from tests.privacy_center.ledger.ledger import Ledger

LEDGER = Ledger(2)
RECORD = UUID("6ba7b810-9dad-41d1-80b4-00c04fd430c8")


def test_a_leaf_is_canonical_json_of_what_anyone_may_know() -> None:
    leaf = replace(LEDGER.leaf(0), notice="ab" * 32, commitment=bytes(32))

    assert leaf.data == (
        b'{"commitment":"' + b"00" * 32 + b'","decision":"given","notice":"' + b"ab" * 32 + b'",'
        b'"purpose":"listening:train","time":"2026-11-24T09:00:00.000000Z"}'
    )
    assert leaf.hash == leaf_hash(leaf.data)


def test_a_leaf_names_neither_the_person_nor_the_record() -> None:
    statement = LEDGER.statement(0)

    for identifier in (statement.pii_principal_id, statement.record_id):
        for form in (str(identifier), identifier.hex):
            assert form.encode() not in LEDGER.leaf(0).data


def test_a_statement_is_canonical_json_of_all_that_the_record_says() -> None:
    assert LEDGER.statement(1).data == (
        b'{"decision":"renewed","language":"de","method":"privacy_page","notice":"'
        + LEDGER.statement(1).notice.encode()
        + b'","pii_principal_id":"00000000-0000-4000-8000-000000000007","preset":"",'
        b'"purpose":"listening:train","record_id":"00000000-0000-4000-8000-000000000002",'
        b'"time":"2026-11-24T09:01:00.000000Z","valid_until":"2028-11-23T09:01:00.000000Z"}'
    )


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 11, 24, 9, 0, tzinfo=UTC), "2026-11-24T09:00:00.000000Z"),
        (datetime(2026, 11, 24, 9, 0, 0, 42, tzinfo=UTC), "2026-11-24T09:00:00.000042Z"),
        (
            datetime(2026, 1, 1, 1, 30, tzinfo=timezone(timedelta(hours=2))),
            "2025-12-31T23:30:00.000000Z",
        ),
    ],
)
def test_a_timestamp_is_utc_with_six_decimals(moment: datetime, text: str) -> None:
    assert timestamp(moment) == text


def test_a_timestamp_needs_a_time_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        timestamp(datetime(2026, 11, 24))  # noqa: DTZ001


def test_an_opening_is_hmac_under_a_key_derived_from_the_persons() -> None:
    # RFC 5869 with the standard library alone.
    extracted = hmac.digest(bytes(32), b"k" * 32, sha256)
    derived = hmac.digest(extracted, b"consent ledger\x01", sha256)

    assert opening(b"k" * 32, RECORD) == hmac.digest(derived, RECORD.bytes, sha256)


def test_another_person_or_another_record_has_another_opening() -> None:
    openings = {
        opening(b"a" * 32, RECORD),
        opening(b"b" * 32, RECORD),
        opening(b"a" * 32, UUID(int=RECORD.int ^ 1)),
    }

    assert len(openings) == 3


def test_a_commitment_is_hmac_of_the_statement_under_its_opening() -> None:
    assert commitment(b"o" * 32, b"statement") == hmac.digest(b"o" * 32, b"statement", sha256)


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_an_opening_of_another_length_is_refused(length: int) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        commitment(bytes(length), b"statement")
