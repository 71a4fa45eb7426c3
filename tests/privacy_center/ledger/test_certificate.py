"""Forgetting certificates: what is signed, and that nothing in one can be changed."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_center.ledger.certificate import (
    CertifiedComparison,
    CertifiedRelease,
    make_certificate,
)
from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.verify_receipt import (
    Invalid,
    canonical,
    check_certificate,
    check_file,
    check_receipt,
    main,
    receipt_file,
)
from tests.privacy_center.ledger.ledger import KEY, NAME, NEXT_KEY, Ledger
from tests.privacy_center.ledger.test_flipped_bit import flip, flips

KEYS = [KEY.verifier_key]
LAST = CertifiedRelease(UUID(int=1, version=4), "2026-11-24T09:00:00.000000Z", "a" * 64)
FIRST = CertifiedRelease(UUID(int=2, version=4), "2026-11-24T09:00:07.000000Z", "b" * 64)
COMPARISON = CertifiedComparison("2026-11-24T09:10:00.000000Z", "c" * 64, "c" * 64)
ENDED_AT = "2026-11-24T09:00:05.000000Z"
Json = dict[str, Any]


def _certificate(
    *,
    last_with: CertifiedRelease | None = LAST,
    first_without: CertifiedRelease = FIRST,
    comparison: CertifiedComparison = COMPARISON,
    ended_at: str = ENDED_AT,
    key: SigningKey = KEY,
) -> Json:
    return make_certificate(
        UUID(int=3, version=4),
        purpose="listening:train",
        ended_at=ended_at,
        last_with=last_with,
        first_without=first_without,
        comparison=comparison,
        statement=["It is our signed word.", "Mehr nicht: „Ja“."],
        key=key,
    )


def _resigned(certificate: Json) -> Json:
    """The certificate as an issuer who lies would sign it."""
    signed = {name: value for name, value in certificate.items() if name != "signature"}
    value = base64.b64encode(KEY.private.sign(canonical(signed))).decode()
    return signed | {"signature": certificate["signature"] | {"value": value}}


def _reason(certificate: Json) -> str:
    with pytest.raises(Invalid) as refused:
        check_certificate(certificate, KEYS)
    return str(refused.value)


FILE = receipt_file(_certificate())


def test_a_genuine_certificate_says_what_was_signed() -> None:
    assert str(check_file(FILE, KEYS)) == (
        f"Genuine: listening:train ended at {ENDED_AT}; release {FIRST.id}, out at "
        f"{FIRST.published_at}, is the first without it; compared with a rebuild at "
        f"{COMPARISON.at} and equal. Signed by {NAME}."
    )


def test_it_reads_from_top_to_bottom_and_names_only_the_record() -> None:
    document = json.loads(FILE)
    assert list(document) == [
        "@type", "record_id", "purpose", "ended_at", "last_release_with", "first_release_without",
        "comparison", "ledger", "statement", "signature",
    ]  # fmt: skip
    assert list(document["comparison"]) == ["at", "digest", "rebuild_digest"]


def test_the_same_certificate_is_the_same_file() -> None:
    assert receipt_file(_certificate()) == FILE


def test_where_nothing_was_learned_there_is_no_last_release() -> None:
    file = receipt_file(_certificate(last_with=None))
    assert json.loads(file)["last_release_with"] is None
    assert check_file(file, KEYS)


@settings(max_examples=400, deadline=None)
@given(bit=st.integers(0, 8 * len(FILE) - 1))
def test_fault_26_in_a_certificate(bit: int) -> None:
    with pytest.raises(Invalid):
        check_file(flip(FILE, bit), KEYS)


@pytest.mark.torture
def test_fault_26_in_every_bit_of_a_certificate() -> None:
    for data in flips(FILE):
        with pytest.raises(Invalid):
            check_file(data, KEYS)


def _text_places(value: object, place: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    if isinstance(value, dict):
        return [found for name, one in value.items() for found in _text_places(one, (*place, name))]
    if isinstance(value, list):
        return [found for i, one in enumerate(value) for found in _text_places(one, (*place, i))]
    return [place]


@pytest.mark.parametrize("place", _text_places(_certificate()), ids=str)
def test_fault_26_in_any_field_though_the_file_is_laid_out_well(
    place: tuple[str | int, ...],
) -> None:
    document = json.loads(FILE)
    inside = document
    for name in place[:-1]:
        inside = inside[name]
    text = inside[place[-1]]
    inside[place[-1]] = chr(ord(text[0]) ^ 1) + text[1:]
    with pytest.raises(Invalid):
        check_file(receipt_file(document), KEYS)


def test_fault_30_each_is_checked_by_the_key_that_signed_it_however_many_came_since() -> None:
    newer = receipt_file(_certificate(key=NEXT_KEY))
    both = [NEXT_KEY.verifier_key, KEY.verifier_key]
    assert check_file(FILE, both)
    assert check_file(newer, both)
    with pytest.raises(Invalid, match="not signed by a key that you gave"):
        check_file(newer, KEYS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"ended_at": "2026-11-24T09:00:08.000000Z"},
        {"last_with": replace(LAST, published_at="2026-11-24T09:00:08.000000Z")},
        {"comparison": replace(COMPARISON, at="2026-11-24T09:00:06.000000Z")},
    ],
    ids=["ended after the release", "knew after the release", "compared before the release"],
)
def test_times_that_contradict_each_other_are_refused_though_they_are_signed(wrong: Json) -> None:
    assert _reason(_certificate(**wrong)) == "The times in the certificate are not in order."


def test_a_comparison_that_was_not_equal_is_refused_though_it_is_signed() -> None:
    certificate = _certificate(comparison=replace(COMPARISON, rebuild_digest="d" * 64))
    assert _reason(certificate) == "The comparison in the certificate was not equal."


def test_a_ledger_that_is_not_the_key_s_is_refused_though_it_is_signed() -> None:
    other = _resigned(_certificate() | {"ledger": "another.example/consent"})
    assert _reason(other) == "The certificate is of another ledger than its key."


@pytest.mark.parametrize("name", [name for name in _certificate() if name != "statement"])
def test_a_certificate_that_lacks_something_is_refused_though_it_is_signed(name: str) -> None:
    certificate = {key: value for key, value in _certificate().items() if key != name}
    if name != "signature":
        certificate = _resigned(certificate)
    with pytest.raises(Invalid, match=name):
        check_certificate(certificate, KEYS)


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"ended_at": "yesterday"}, "The ended_at is not a time."),
        (
            {"first_without": replace(FIRST, digest="B" * 64)},
            "The first_release_without.digest is not SHA-256 in hex.",
        ),
    ],
)
def test_what_is_no_time_or_no_digest_is_refused(wrong: Json, reason: str) -> None:
    assert _reason(_certificate(**wrong)) == reason


def test_a_certificate_is_no_receipt_and_a_receipt_no_certificate() -> None:
    with pytest.raises(Invalid):
        check_receipt(FILE, KEYS)
    assert _reason(Ledger(5).receipt(1)) == "The file is not a certificate."


def test_the_program_checks_a_certificate_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "certificate.json"
    path.write_bytes(FILE)
    assert main([str(path), "--key", str(KEY.verifier_key)]) == 0
    assert capsys.readouterr().out == f"{check_file(FILE, KEYS)}\n"
    path.write_bytes(FILE.replace(b"c" * 64, b"e" * 64))
    assert main([str(path), "--key", str(KEY.verifier_key)]) == 1
    assert "changed after it was signed" in capsys.readouterr().out
