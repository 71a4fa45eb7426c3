"""Receipts: what an honest one proves, and what is found in one that is not."""

import base64
import copy
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.proof import write_proof
from privacy_center.ledger.receipt import CONTEXT, PROCESSING_FIELDS, make_receipt
from privacy_center.ledger.tree import inclusion_proof
from privacy_center.ledger.verify_receipt import (
    Invalid,
    Verified,
    canonical,
    check_receipt,
    read_receipt,
    receipt_file,
)
from tests.privacy_center.ledger.ledger import (
    DECISIONS,
    KEY,
    NAME,
    NEXT_KEY,
    NOTICE,
    PROCESSING,
    Ledger,
)

Receipt = dict[str, Any]

LEDGER = Ledger(13)
KEYS = [KEY.verifier_key]


def signed(receipt: Receipt, key: SigningKey = KEY) -> Receipt:
    """The same receipt as if we had signed it like this."""
    rest = {name: value for name, value in receipt.items() if name != "signature"}
    value = base64.b64encode(key.private.sign(canonical(rest))).decode()
    return {**rest, "signature": {"key": str(key.verifier_key), "value": value}}


def at(receipt: Receipt, place: str, value: object) -> Receipt:
    """The same receipt with another value in one place."""
    changed = copy.deepcopy(receipt)
    *path, last = place.split(".")
    target = changed
    for name in path:
        target = target[name]
    target[last] = value
    return changed


@settings(deadline=None)
@given(size=st.integers(1, 40), data=st.data())
def test_no_honest_receipt_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    ledger = Ledger(size)

    verified = check_receipt(receipt_file(ledger.receipt(index)), KEYS)

    statement = ledger.statement(index)
    assert verified == Verified(
        record_id=str(statement.record_id),
        purpose="listening:train",
        decision=statement.decision,
        time=statement.time,
        ledger=NAME,
        index=index,
        size=size,
    )


@pytest.mark.parametrize(
    ("decision", "state"),
    [
        ("given", "dpv:ConsentGiven"),
        ("renewed", "dpv:RenewedConsentGiven"),
        ("refused", "dpv:ConsentRefused"),
        ("withdrawn", "dpv:ConsentWithdrawn"),
        ("expired", "dpv:ConsentExpired"),
        ("invalidated", "dpv:ConsentInvalidated"),
    ],
)
def test_the_event_says_what_happened_in_the_vocabularys_words(decision: str, state: str) -> None:
    receipt: Receipt = LEDGER.receipt(DECISIONS.index(decision))

    assert receipt["record"]["event"]["event_state"] == state
    assert check_receipt(receipt, KEYS).decision == decision


@pytest.mark.parametrize("decision", DECISIONS)
def test_what_ends_without_the_person_is_ascribed_to_the_ledger(decision: str) -> None:
    receipt: Receipt = LEDGER.receipt(DECISIONS.index(decision))
    person = str(LEDGER.statement(0).pii_principal_id)

    expected = NAME if decision in ("expired", "invalidated") else person
    assert receipt["record"]["event"]["entity_id"] == expected


def test_the_record_has_the_names_of_27560() -> None:
    receipt: Receipt = LEDGER.receipt(0)
    record = receipt["record"]

    assert record["header"] == {
        "schema_version": "https://w3id.org/dpv/schema/dpv-27560#record-eu-gdpr",
        "record_id": str(LEDGER.statement(0).record_id),
        "pii_principal_id": str(LEDGER.statement(0).pii_principal_id),
    }
    assert record["processing"] == {
        **PROCESSING,
        "purpose": "listening:train",
        "language": "de",
        "privacy_notice": {"version": 3, "sha256": LEDGER.statement(0).notice},
    }
    assert record["event"] == {
        "event_time": "2026-11-24T09:00:00.000000Z",
        "validity_duration": "2026-11-24T09:00:00.000000Z/2028-11-23T09:00:00.000000Z",
        "entity_id": str(LEDGER.statement(0).pii_principal_id),
        "event_type": "dpv:ExpressedConsent",
        "event_state": "dpv:ConsentGiven",
        "method": "privacy_page",
        "preset": "",
    }


def test_every_name_of_the_record_but_our_own_has_a_meaning() -> None:
    record: Receipt = LEDGER.receipt(0)["record"]  # type: ignore[assignment]
    names = {name for part in ("header", "processing", "event") for name in record[part]}

    assert names - set(CONTEXT) == {"method", "preset"}


def test_consent_to_health_data_is_called_explicit() -> None:
    receipt: Receipt = make(processing={**PROCESSING, "lawful_basis": "eu-gdpr:A9-2-a"})

    assert receipt["record"]["event"]["event_type"] == "dpv:ExplicitlyExpressedConsent"


@pytest.mark.parametrize("name", sorted(PROCESSING_FIELDS))
def test_a_receipt_that_tells_too_little_is_not_made(name: str) -> None:
    processing = {other: value for other, value in PROCESSING.items() if other != name}

    with pytest.raises(ValueError, match=name):
        make(processing=processing)


def make(*, processing: dict[str, object] = PROCESSING, key: SigningKey = KEY) -> Receipt:
    return make_receipt(
        LEDGER.statement(0),
        notice=NOTICE,
        processing=processing,
        opening=LEDGER.opening(0),
        leaf=LEDGER.leaf(0),
        proof=LEDGER.proof(0),
        key=key,
        receipt_id=UUID(int=1, version=4),
    )


# Keys


def test_fault_30_an_old_receipt_still_verifies_after_the_key_was_replaced() -> None:
    old = receipt_file(LEDGER.receipt(3))
    new = receipt_file(Ledger(20, keys=(NEXT_KEY,)).receipt(3))
    both = [NEXT_KEY.verifier_key, KEY.verifier_key]

    assert check_receipt(old, both).index == check_receipt(new, both).index == 3
    with pytest.raises(Invalid, match="key that you gave"):
        check_receipt(old, [NEXT_KEY.verifier_key])


def test_a_receipt_may_be_signed_by_the_new_key_over_a_checkpoint_by_the_old() -> None:
    receipt = make(key=NEXT_KEY)

    assert check_receipt(receipt, [NEXT_KEY.verifier_key, KEY.verifier_key])
    with pytest.raises(Invalid, match="checkpoint"):
        check_receipt(receipt, [NEXT_KEY.verifier_key])


def test_a_receipt_by_a_stranger_is_refused() -> None:
    stranger = SigningKey.from_seed(NAME, b"s" * 32)

    with pytest.raises(Invalid, match="key that you gave"):
        check_receipt(signed(LEDGER.receipt(0), stranger), KEYS)
    forged = at(LEDGER.receipt(0), "signature.value", base64.b64encode(bytes(64)).decode())
    with pytest.raises(Invalid, match="changed after it was signed"):
        check_receipt(forged, KEYS)


# Contradictions: even what we signed ourselves must hold together.


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("record.header.record_id", str(UUID(int=99, version=4))),
        ("record.header.pii_principal_id", str(UUID(int=99, version=4))),
        ("record.processing.purpose", "listening:store"),
        ("record.processing.language", "en"),
        ("record.processing.privacy_notice.version", 4),
        ("record.processing.privacy_notice.sha256", "00" * 32),
        ("record.event.event_time", "2026-11-24T10:00:00.000000Z"),
        ("record.event.event_state", "dpv:ConsentRefused"),
        ("record.event.validity_duration", None),
        ("notice.purpose", "listening:store"),
        ("ledger.leaf.purpose", "listening:store"),
        ("ledger.leaf.decision", "refused"),
        ("ledger.leaf.notice", "00" * 32),
        ("ledger.leaf.time", "2026-11-24T10:00:00.000000Z"),
    ],
)
def test_a_contradiction_is_named(place: str, value: object) -> None:
    receipt = signed(at(LEDGER.receipt(0), place, value))

    with pytest.raises(Invalid, match=r"contradicts itself in .*"):
        check_receipt(receipt, KEYS)


@pytest.mark.parametrize(
    ("place", "value", "reason"),
    [
        ("ledger.statement.decision", "perhaps", "unknown kind"),
        ("ledger.statement.method", "api", "another decision"),
        ("ledger.statement.preset", "community", "another decision"),
        ("ledger.statement.more", "fields", "another decision"),
        ("ledger.opening", base64.b64encode(bytes(32)).decode(), "another decision"),
        ("ledger.opening", base64.b64encode(bytes(31)).decode(), "32 bytes"),
        ("ledger.leaf.commitment", "00" * 32, "another decision"),
        ("ledger.leaf.commitment", LEDGER.leaf(0).commitment.hex().upper(), "another decision"),
        ("ledger.leaf.more", "fields", "not in the ledger"),
        ("notice.texts", {}, "words"),
        ("notice.valid_days", 731, "words"),
        ("ledger.proof", LEDGER.proof(1), "not in the ledger"),
        ("ledger.proof", LEDGER.proof(0).replace("index 0", "index 13"), "ends before"),
        ("ledger.proof", LEDGER.proof(0).replace("index 0", "index 00"), "index"),
        ("ledger.proof", LEDGER.proof(0).replace("\n13\n", "\n14\n"), "false"),
    ],
)
def test_a_receipt_that_does_not_hold_is_refused_though_we_signed_it(
    place: str, value: object, reason: str
) -> None:
    receipt = signed(at(LEDGER.receipt(0), place, value))

    with pytest.raises(Invalid, match=reason):
        check_receipt(receipt, KEYS)


def test_the_receipt_of_one_entry_does_not_prove_another() -> None:
    statement = replace(LEDGER.statement(0), record_id=LEDGER.statement(6).record_id)
    hashes = inclusion_proof(6, 13, LEDGER.store.read)
    receipt = make_receipt(
        statement,
        notice=NOTICE,
        processing=PROCESSING,
        opening=LEDGER.opening(6),
        leaf=LEDGER.leaf(6),
        proof=write_proof(6, hashes, LEDGER.note),
        key=KEY,
        receipt_id=UUID(int=1, version=4),
    )

    with pytest.raises(Invalid):
        check_receipt(receipt, KEYS)


LEAVES_OUT = [
    "record",
    "record.header",
    "record.event.event_state",
    "notice",
    "notice.version",
    "ledger",
    "ledger.statement",
    "ledger.statement.valid_until",
    "ledger.statement.decision",
    "ledger.leaf",
    "ledger.leaf.commitment",
    "ledger.opening",
    "ledger.proof",
]


@pytest.mark.parametrize("place", LEAVES_OUT)
def test_what_is_missing_is_named(place: str) -> None:
    receipt = copy.deepcopy(LEDGER.receipt(0))
    *path, last = place.split(".")
    target: Any = receipt
    for name in path:
        target = target[name]
    del target[last]

    with pytest.raises(Invalid, match=f"lacks {place}"):
        check_receipt(signed(receipt), KEYS)


@pytest.mark.parametrize("place", LEAVES_OUT)
@pytest.mark.parametrize("value", [None, 1, True, [], {}, ["x"], "x"])
def test_a_value_of_another_kind_is_refused_in_words(place: str, value: object) -> None:
    receipt = at(LEDGER.receipt(0), place, value)

    with pytest.raises(Invalid):
        check_receipt(signed(receipt), KEYS)


@pytest.mark.parametrize("signature", [None, [], {}, {"key": 1, "value": 2}, "text"])
def test_a_signature_of_another_kind_is_refused_in_words(signature: object) -> None:
    with pytest.raises(Invalid):
        check_receipt({**LEDGER.receipt(0), "signature": signature}, KEYS)
    with pytest.raises(Invalid, match="lacks signature"):
        check_receipt({}, KEYS)


def test_nothing_may_be_added_beside_the_signature() -> None:
    with pytest.raises(Invalid, match="more than"):
        check_receipt(at(LEDGER.receipt(0), "signature.note", "unsigned"), KEYS)


# The file


def test_a_file_reads_from_top_to_bottom() -> None:
    text = receipt_file(LEDGER.receipt(0)).decode()

    assert text.startswith('{\n  "receipt_id": "')
    assert text.endswith("\n  }\n}\n")
    assert list(json.loads(text)) == [
        "receipt_id",
        "@type",
        "schema_version",
        "record",
        "notice",
        "ledger",
        "signature",
        "@context",
    ]
    assert "Zusammengezählt." in text
    assert len(text) < 8000


def test_a_stored_receipt_gives_the_same_file_in_whatever_order_it_was_kept() -> None:
    receipt = LEDGER.receipt(0)
    shuffled = json.loads(json.dumps(receipt, sort_keys=True))

    assert receipt_file(shuffled) == receipt_file(receipt)
    assert read_receipt(receipt_file(receipt)) == receipt


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data + b"\n",
        lambda data: data[:-1],
        lambda data: b" " + data,
        lambda data: b"\xef\xbb\xbf" + data,
        lambda data: data.replace(b"\n", b"\r\n"),
        lambda data: data.replace(b"    ", b"\t"),
        lambda data: data.replace(b'": ', b'" : ', 1),
        lambda data: data.replace("ä".encode(), b"\\u00e4"),
        lambda data: data.replace("ä".encode(), b"a\xcc\x88"),
        lambda data: data.replace("ä".encode(), b"\\ud800"),
        lambda data: data.replace("ä".encode(), b"\xe4"),
        lambda data: data.replace(b"/", b"\\/", 1),
        lambda data: data.replace(b'"version": 3', b'"version": 3.0'),
        lambda data: data.replace(b'"version": 3', b'"version": 3e0'),
        lambda data: data.replace(b'"version": 3', b'"version": 03'),
        lambda data: data.replace(b'"version": 3', b'"version": NaN'),
        lambda data: data.replace(b'"version": 3', b'"version": ' + b"3" * 5000),
        lambda data: data.replace(b'"version": 3', b'"version": 3,\n    "version": 3'),
        lambda data: data.replace(b'"language": "de"', b'"language": "en",\n "language": "de"'),
        lambda data: json.dumps(json.loads(data), sort_keys=True).encode(),
        lambda data: json.dumps(json.loads(data), sort_keys=True, indent=2).encode() + b"\n",
        lambda data: data.decode().encode("utf-16"),
        lambda data: b"",
        lambda data: b"[]\n",
        lambda data: b"null\n",
        lambda data: b"[" * 100_000,
        lambda data: b'{"a":' * 100_000,
        lambda data: b"\x00" + data,
        lambda data: data + b"\x00",
    ],
)
def test_a_file_has_exactly_one_valid_form(change: Callable[[bytes], bytes]) -> None:
    data = receipt_file(LEDGER.receipt(0))
    changed = change(data)

    assert changed != data
    with pytest.raises(Invalid):
        check_receipt(changed, KEYS)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (b'"version": 3', b'"version": 3,\n    "version": 3', "says something twice"),
        (b'"version": 3', b'"version": 3.0', "not whole"),
        (b'"version": 3', b'"version": 9007199254740992', "too large"),
        (b'"version": 3', b'"version": ' + b"3" * 5000, "too large"),
        (b'"version": 3', b'"version":  3', "laid out differently"),
        (b'"version": 3', b'"version": ', "not JSON"),
        (b'"version": 3', b'"version": 4', "changed after it was signed"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(old: bytes, new: bytes, reason: str) -> None:
    with pytest.raises(Invalid, match=reason):
        check_receipt(receipt_file(LEDGER.receipt(0)).replace(old, new), KEYS)


@pytest.mark.parametrize("data", [b"[]\n", b"null\n", b'"text"\n', b"1\n"])
def test_json_that_is_no_object_is_called_no_receipt(data: bytes) -> None:
    with pytest.raises(Invalid, match=r"not a receipt\.$"):
        check_receipt(data, KEYS)


def test_a_file_of_more_than_a_megabyte_is_not_even_read() -> None:
    with pytest.raises(Invalid, match="too large"):
        check_receipt(b" " * 1_000_001, KEYS)


# Canonical JSON


def test_canonical_json_is_sorted_tight_and_utf_8() -> None:
    value = {"b": [1, True, None, -(2**53) + 1], "a": {"ü": 'ß\n"\u2028'}, "": ""}

    assert canonical(value) == (
        '{"":"","a":{"ü":"ß\\n\\"\u2028"},"b":[1,true,null,-9007199254740991]}'.encode()
    )


@pytest.mark.parametrize(
    "value",
    [
        1.0,
        1.5,
        float("nan"),
        float("inf"),
        2**53,
        -(2**53),
        pytest.param(10**5000, id="10**5000"),
        (1, 2),
        {1: "a"},
        {None: "a"},
        {True: "a"},
        {"a": {2: 3}},
        b"bytes",
        {"set"},
        object(),
        "\ud800",
        {"\udfff": 1},
    ],
)
def test_what_has_no_single_form_is_not_canonical(value: object) -> None:
    with pytest.raises(Invalid):
        canonical([value])


def test_what_never_ends_is_not_canonical() -> None:
    endless: list[object] = []
    endless.append(endless)
    deep: object = 0
    for _ in range(100_000):
        deep = [deep]

    for value in (endless, deep):
        with pytest.raises(Invalid):
            canonical(value)
    with pytest.raises(Invalid):
        receipt_file({"deep": deep})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None)
@given(JSON)
def test_canonical_json_says_the_same(value: object) -> None:
    data = canonical(value)

    assert json.loads(data) == value
    assert canonical(json.loads(data)) == data
