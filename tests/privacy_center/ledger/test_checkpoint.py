"""Checkpoints, signed notes and keys: C2SP's formats, strictly."""

import base64
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256

import pytest

from privacy_center.ledger.checkpoint import SigningKey, sign_checkpoint
from privacy_center.ledger.verify_receipt import (
    Checkpoint,
    Invalid,
    VerifierKey,
    open_note,
    parse_checkpoint,
)
from tests.privacy_center.ledger.ledger import KEY, NAME, NEXT_KEY, Ledger

CHECKPOINT = Checkpoint(NAME, 13, bytes(range(32)))
VERIFIER = KEY.verifier_key
NEXT_VERIFIER = NEXT_KEY.verifier_key
WITNESS = SigningKey.from_seed("witness.example", bytes(32))
ROOT = base64.b64encode(bytes(range(32))).decode()


def note(*keys: SigningKey) -> str:
    return sign_checkpoint(CHECKPOINT, keys or [KEY])


def test_a_checkpoint_is_three_lines() -> None:
    assert CHECKPOINT.text == f"{NAME}\n13\n{ROOT}\n"
    assert parse_checkpoint(CHECKPOINT.text) == CHECKPOINT


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n007\n{ROOT}\n",
        f"{NAME}\n00\n{ROOT}\n",
        f"{NAME}\n+7\n{ROOT}\n",
        f"{NAME}\n-7\n{ROOT}\n",
        f"{NAME}\n 7\n{ROOT}\n",
        f"{NAME}\n7_0\n{ROOT}\n",
        f"{NAME}\n٧\n{ROOT}\n",
        f"{NAME}\n\n{ROOT}\n",
        f"{NAME}\n{2**63}\n{ROOT}\n",
        f"{NAME}\n{'9' * 5000}\n{ROOT}\n",
    ],
)
def test_input_52_a_size_is_written_in_one_way_only(text: str) -> None:
    with pytest.raises(Invalid, match="size"):
        parse_checkpoint(text)


def test_sizes_up_to_63_bits_are_read() -> None:
    for size in (0, 9, 10, 2**63 - 1):
        assert parse_checkpoint(replace(CHECKPOINT, size=size).text).size == size


@pytest.mark.parametrize(
    "root",
    [
        ROOT[:-1],
        ROOT + "=",
        ROOT[:-2] + "9=",
        ROOT.replace("+", "-").replace("/", "_").replace("A", "-", 1),
        ROOT[:8] + " " + ROOT[8:],
        ROOT[:8] + "é" + ROOT[9:],
        base64.b64encode(bytes(31)).decode(),
        base64.b64encode(bytes(33)).decode(),
        "",
    ],
)
def test_input_52_a_root_is_written_in_one_way_only(root: str) -> None:
    with pytest.raises(Invalid, match="root hash"):
        parse_checkpoint(f"{NAME}\n13\n{root}\n")


@pytest.mark.parametrize(
    "text",
    [
        f"{NAME}\n13\n{ROOT}",
        f"{NAME}\n13\n{ROOT}\n\n",
        f"{NAME}\n13\n{ROOT}\nextension\n",
        f"{NAME}\n13\n",
        f"\n13\n{ROOT}\n",
        f"a b\n13\n{ROOT}\n",
        f"a+b\n13\n{ROOT}\n",
        f"{NAME}\r\n13\r\n{ROOT}\r\n",
        "",
    ],
)
def test_input_52_a_checkpoint_has_exactly_its_lines(text: str) -> None:
    with pytest.raises(Invalid):
        parse_checkpoint(text)


def test_a_verifier_key_is_name_id_and_key() -> None:
    public = KEY.private.public_key().public_bytes_raw()
    key_id = sha256(NAME.encode() + b"\n\x01" + public).digest()[:4]

    encoded = base64.b64encode(bytes([1]) + public).decode()
    assert str(VERIFIER) == f"{NAME}+{key_id.hex()}+{encoded}"
    assert VerifierKey.parse(str(VERIFIER)) == VERIFIER
    assert VERIFIER.key_id == key_id.hex()


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper(),
        lambda text: text.replace(VERIFIER.key_id, VERIFIER.key_id.upper()),
        lambda text: text.replace(NAME, "other.example"),
        lambda text: text.replace(NAME, ""),
        lambda text: text.replace(NAME, "two words"),
        lambda text: text.replace(VERIFIER.key_id, NEXT_VERIFIER.key_id),
        lambda text: text.replace("+", " "),
        lambda text: text + "=",
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text[:-4],
        lambda text: "",
        lambda text: text.replace("+AQ", "+AA"),
    ],
)
def test_a_verifier_key_in_any_other_form_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(Invalid):
        VerifierKey.parse(change(str(VERIFIER)))


def test_a_signing_key_comes_back_from_its_seed() -> None:
    key = SigningKey.generate(NAME)

    assert SigningKey.from_seed(NAME, key.seed).verifier_key == key.verifier_key
    assert SigningKey.generate(NAME).seed != key.seed


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "no\u00a0break", "bell\a"])
def test_a_signing_key_with_an_impossible_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid, match="name"):
        SigningKey.from_seed(name, bytes(32))


def test_the_published_example_of_a_note_opens() -> None:
    """c2sp.org/signed-note's form, with the key of Go's documentation (PeterNeumann)."""
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = base64.b64decode(
        "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    )

    assert signature[:4] == key.key_hash
    assert key.verify(signature[4:], text.encode())


def test_a_signed_checkpoint_opens_under_its_key() -> None:
    assert note() == CHECKPOINT.text + "\n" + KEY.sign(CHECKPOINT.text)
    assert open_note(note(), [NEXT_VERIFIER, VERIFIER]) == CHECKPOINT


def test_an_unknown_key_opens_nothing() -> None:
    with pytest.raises(Invalid, match="No key"):
        open_note(note(), [NEXT_VERIFIER])
    with pytest.raises(Invalid, match="No key"):
        open_note(note(), [])


def test_fault_30_while_a_key_is_replaced_either_one_opens_the_note() -> None:
    rotating = note(KEY, NEXT_KEY)

    assert open_note(rotating, [VERIFIER]) == CHECKPOINT
    assert open_note(rotating, [NEXT_VERIFIER]) == CHECKPOINT
    assert open_note(rotating, [NEXT_VERIFIER, VERIFIER]) == CHECKPOINT


def test_signatures_by_strangers_are_ignored() -> None:
    garbage = base64.b64encode(b"1234 and more").decode()

    assert open_note(note() + f"— stranger.example {garbage}\n", [VERIFIER]) == CHECKPOINT
    # The name or the id alone makes nobody known.
    assert open_note(note() + f"— {NAME} {garbage}\n", [VERIFIER]) == CHECKPOINT
    assert open_note(note(KEY, *[WITNESS] * 15), [VERIFIER]) == CHECKPOINT


def test_a_false_signature_by_a_known_key_refuses_the_note() -> None:
    false = KEY.sign("something else")
    for text in (
        CHECKPOINT.text + "\n" + false,
        note() + false,
        CHECKPOINT.text + "\n" + NEXT_KEY.sign(CHECKPOINT.text) + false,
    ):
        with pytest.raises(Invalid, match="false"):
            open_note(text, [VERIFIER, NEXT_VERIFIER])


def test_a_repeated_signature_refuses_the_note() -> None:
    with pytest.raises(Invalid, match="false"):
        open_note(note(KEY, KEY), [VERIFIER])


def test_a_known_key_cannot_speak_for_another_ledger() -> None:
    text = CHECKPOINT.text + "\n" + WITNESS.sign(CHECKPOINT.text)

    with pytest.raises(Invalid, match="No key"):
        open_note(text, [WITNESS.verifier_key, VERIFIER])
    with pytest.raises(ValueError, match="No signing key"):
        sign_checkpoint(CHECKPOINT, [WITNESS])


def test_a_signature_written_in_another_way_is_refused() -> None:
    # RFC 8032 §5.1.7: S + L would satisfy the equation, too.
    order = 2**252 + 27742317777372353535851937790883648493
    signature = KEY.private.sign(CHECKPOINT.text.encode())
    scalar = int.from_bytes(signature[32:], "little") + order
    other = signature[:32] + scalar.to_bytes(32, "little")
    line = base64.b64encode(VERIFIER.key_hash + other).decode()

    with pytest.raises(Invalid, match="false"):
        open_note(f"{CHECKPOINT.text}\n— {NAME} {line}\n", [VERIFIER])


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: text.rstrip("\n"),
        lambda text: text + "\n",
        lambda text: text.replace("\n\n", "\n"),
        lambda text: text.replace("—", "-"),
        lambda text: text.replace("— ", "—  "),
        lambda text: text.replace("— ", " — "),
        lambda text: text[:-1] + " \n",
        lambda text: text[:-1] + "=\n",
        # The same bytes: the last character's low bits mean nothing.
        lambda text: text[:-3] + chr(ord(text[-3]) + 1) + text[-2:],
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("13", "013"),
        lambda text: text + "— name\n",
        lambda text: text + "— name =\n",
        lambda text: text + f"— name {base64.b64encode(b'1234').decode()}\n",
        lambda text: text + "— na+me QUJDREVG\n",
        lambda text: text + "— name QUJDREV\n",
        lambda text: text + "— name QUJDR-VG\n",
        lambda text: text.split("\n\n")[0] + "\n\n",
        lambda text: text.replace(NAME, NAME + "\ud800"),
    ],
)
def test_input_52_a_note_in_any_other_form_is_refused(change: Callable[[str], str]) -> None:
    with pytest.raises(Invalid):
        open_note(change(note()), [VERIFIER])


def test_an_extension_line_is_refused_though_it_is_signed() -> None:
    text = CHECKPOINT.text + "extension\n"

    with pytest.raises(Invalid, match="three lines"):
        open_note(text + "\n" + KEY.sign(text), [VERIFIER])


def test_the_ledger_of_the_tests_signs_its_own_checkpoint() -> None:
    assert open_note(Ledger(5).note, [VERIFIER]) == Ledger(5).checkpoint
