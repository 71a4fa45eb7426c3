"""Proofs as text: C2SP's form, strictly."""

import base64
from collections.abc import Callable

import pytest

from privacy_center.ledger.proof import write_proof
from privacy_center.ledger.tree import inclusion_proof
from privacy_center.ledger.verify_receipt import Invalid, Proof, open_note, parse_proof
from tests.privacy_center.ledger.ledger import KEY, Ledger

LEDGER = Ledger(13)
TEXT = LEDGER.proof(5)
HASH = base64.b64encode(bytes(range(32))).decode()


def test_a_proof_is_its_index_its_hashes_and_the_signed_checkpoint() -> None:
    hashes = inclusion_proof(5, 13, LEDGER.store.read)

    lines = TEXT.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 5"]
    assert [base64.b64decode(line) for line in lines[2:6]] == hashes
    assert "\n".join(lines[6:]) == "\n" + LEDGER.note
    assert parse_proof(TEXT) == Proof(5, tuple(hashes), LEDGER.note)


def test_the_proof_in_a_ledger_of_one_has_no_hashes() -> None:
    proof = parse_proof(Ledger(1).proof(0))

    assert (proof.index, proof.hashes) == (0, ())
    assert open_note(proof.note, [KEY.verifier_key]).size == 1


def test_input_52_up_to_64_hashes_are_read() -> None:
    assert len(parse_proof(write_proof(0, [bytes(32)] * 64, LEDGER.note)).hashes) == 64
    with pytest.raises(Invalid, match="more than 64"):
        parse_proof(write_proof(0, [bytes(32)] * 65, LEDGER.note))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.replace("@v1", "@v2"),
        lambda text: "\n" + text,
        lambda text: text.replace("index 5", "index 05"),
        lambda text: text.replace("index 5", "index -5"),
        lambda text: text.replace("index 5", "index  5"),
        lambda text: text.replace("index 5", "index 5 "),
        lambda text: text.replace("index 5", "index ５"),
        lambda text: text.replace("index 5", "Index 5"),
        lambda text: text.replace("index 5\n", ""),
        lambda text: text.replace("index 5", f"extra {HASH}\nindex 5"),
        lambda text: text.replace("index 5\n", f"index 5\n{HASH[:-2]}9=\n"),
        lambda text: text.replace("index 5\n", f"index 5\n{HASH.replace('A', '-', 1)}\n"),
        lambda text: text.replace(
            "index 5\n", f"index 5\n{base64.b64encode(bytes(31)).decode()}\n"
        ),
        lambda text: text.replace("index 5\n", f"index 5\n {HASH}\n"),
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.split("\n\n")[0],
    ],
)
def test_input_52_a_proof_in_any_other_form_is_refused(change: Callable[[str], str]) -> None:
    changed = change(TEXT)

    assert changed != TEXT
    with pytest.raises(Invalid):
        parse_proof(changed)
