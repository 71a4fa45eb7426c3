"""Check a consent receipt, or a certificate of forgetting or erasure, without trusting whoever
issued it:

    pip install cryptography
    python verify_receipt.py RECEIPT --key VKEY [--key VKEY ...]

Prints one line and exits with 0 when the receipt is genuine and its decision stands in the ledger
that the key signs for, or says why not and exits with 1. Nothing is sent anywhere; this file needs
nothing else of the service that issued the receipt. The service publishes its verifier keys (VKEY).
"""

import argparse
import base64
import hashlib
import hmac
import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX_BYTES = 1_000_000
MAX_HASHES = 64
# The largest integer that every reader of JSON understands exactly (RFC 8259 §6).
MAX_INTEGER = 2**53 - 1

# The W3C Data Privacy Vocabulary's word for each decision.
STATES = {
    "given": "dpv:ConsentGiven",
    "renewed": "dpv:RenewedConsentGiven",
    "refused": "dpv:ConsentRefused",
    "withdrawn": "dpv:ConsentWithdrawn",
    "expired": "dpv:ConsentExpired",
    "invalidated": "dpv:ConsentInvalidated",
}

CERTIFICATE = "ForgettingCertificate"
ERASURE = "ErasureCertificate"

# The names of both from top to bottom; all others follow by the alphabet.
ORDER = (
    "receipt_id",
    "@type",
    "schema_version",
    "record",
    "header",
    "record_id",
    "pii_principal_id",
    "processing",
    "purpose",
    "decision",
    "time",
    "valid_until",
    "event",
    "event_state",
    "event_time",
    "notice",
    "version",
    "texts",
    "title",
    "sentence",
    "ended_at",
    "last_release_with",
    "first_release_without",
    "id",
    "published_at",
    "comparison",
    "at",
    "digest",
    "rebuild_digest",
    "ledger",
    "statement",
    "opening",
    "leaf",
    "proof",
    "signature",
    "@context",
)


class Invalid(ValueError):
    """Something does not hold; the message tells a person what."""


@dataclass(frozen=True)
class Verified:
    """What a genuine receipt proves: this decision is this entry of this ledger."""

    record_id: str
    purpose: str
    decision: str
    time: str
    ledger: str
    index: int
    size: int

    def __str__(self) -> str:
        return (
            f"Genuine: {self.purpose} {self.decision} at {self.time}, "
            f"entry {self.index} of the {self.size} in the ledger {self.ledger}."
        )


@dataclass(frozen=True)
class Forgotten:
    """What a genuine certificate proves: that the ledger's owner has signed this."""

    record_id: str
    purpose: str
    ended_at: str
    release_id: str
    published_at: str
    compared_at: str
    ledger: str

    def __str__(self) -> str:
        return (
            f"Genuine: {self.purpose} ended at {self.ended_at}; release {self.release_id}, out at "
            f"{self.published_at}, is the first without it; compared with a rebuild at "
            f"{self.compared_at} and equal. Signed by {self.ledger}."
        )


@dataclass(frozen=True)
class Erased:
    """What a genuine certificate of an erasure proves: that the ledger's owner has signed this."""

    number: str
    asked_at: str
    done_at: str
    rows: int
    ledger: str

    def __str__(self) -> str:
        return (
            f"Genuine: erasure {self.number}, asked for at {self.asked_at}, was done at "
            f"{self.done_at}; {self.rows} rows were erased, and nothing was found afterwards. "
            f"Signed by {self.ledger}."
        )


# JSON in one form only


def canonical(value: object) -> bytes:
    """JSON with sorted keys, in UTF-8, without spaces.

    Raises `Invalid` for anything but str, int, bool, None, list and dict with str keys, for
    integers beyond ±(2^53 - 1), and for text that is not Unicode.
    """
    try:
        text = _CANONICAL.encode(value)
        data = text.encode()
        same = _DECODER.decode(text) == value
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid("This cannot be written as canonical JSON.") from error
    # A key that is a number, or a tuple, is read back as something else than was written.
    if not same:
        raise Invalid("This cannot be written as canonical JSON.")
    return data


def receipt_file(receipt: Mapping[str, object]) -> bytes:
    """The only form in which a receipt is issued: indented by 2, in `ORDER`, one final newline."""
    try:
        text = json.dumps(_ordered(receipt), ensure_ascii=False, allow_nan=False, indent=2)
        return text.encode() + b"\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise Invalid("This cannot be written as a receipt.") from error


def read_receipt(data: bytes) -> dict[str, object]:
    """The receipt in a file's bytes. Raises `Invalid` unless they are exactly as issued."""
    if len(data) > MAX_BYTES:
        raise Invalid("The file is too large to be a receipt.")
    try:
        receipt = _DECODER.decode(data.decode())
    except Invalid:
        raise
    except (ValueError, RecursionError) as error:
        raise Invalid("The file is not a receipt: it is not JSON in UTF-8.") from error
    if not isinstance(receipt, dict):
        raise Invalid("The file is not a receipt.")
    if receipt_file(receipt) != data:
        raise Invalid("The file was changed after it was issued: it is laid out differently.")
    return receipt


def _ordered(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _ordered(value[name]) for name in sorted(value, key=_rank)}
    if isinstance(value, list):
        return [_ordered(item) for item in value]
    return value


def _rank(name: str) -> tuple[int, str]:
    return (ORDER.index(name) if name in ORDER else len(ORDER), name)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Invalid("The file says something twice.")
    return found


def _integer(text: str) -> int:
    # Not even parsed if it is long: that would take time without end.
    if len(text) > 17 or abs(int(text)) > MAX_INTEGER:
        raise Invalid("The file holds a number that is too large.")
    return int(text)


def _refuse(text: str) -> NoReturn:
    raise Invalid("The file holds a number that is not whole.")


_CANONICAL = json.JSONEncoder(
    ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_refuse, parse_constant=_refuse
)


def _base64(text: str, length: int, what: str) -> bytes:
    """Standard base64 (RFC 4648 §4) in the one way of writing it."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise Invalid(f"The {what} is not in base64.") from error
    if base64.b64encode(data).decode() != text or len(data) != length:
        raise Invalid(f"The {what} is not in base64 of {length} bytes.")
    return data


def _number(text: str, what: str) -> int:
    """A decimal number without leading zeros, below 2^63."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII) or int(text) >= 2**63:
        raise Invalid(f"The {what} is not a number.")
    return int(text)


# The Merkle tree (RFC 9162 section 2.1)


def leaf_hash(data: bytes) -> bytes:
    """SHA-256(0x00 || data): 32 bytes (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256(0x01 || left || right): 32 bytes (RFC 9162 §2.1.1)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def verify_inclusion(
    index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes
) -> bool:
    """Whether `proof` leads from the leaf hash at `index` to the root hash of `size` leaves (RFC
    9162 §2.1.3.2)."""
    if not 0 <= index < size or len(proof) > MAX_HASHES:
        return False
    if any(len(data) != 32 for data in (leaf, root, *proof)):
        return False
    fn, sn, r = index, size - 1, leaf
    for p in proof:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            r = node_hash(p, r)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            r = node_hash(r, p)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and r == root


# Checkpoints as signed notes (c2sp.org/tlog-checkpoint, c2sp.org/signed-note)


def check_key_name(name: str) -> None:
    """Raise `Invalid` unless a key may have this name: not empty, no spaces, no plus."""
    if not name.isprintable() or name.split() != [name] or "+" in name:
        raise Invalid("A key's name has no spaces and no plus.")


@dataclass(frozen=True)
class VerifierKey:
    """A ledger's public Ed25519 key: the ledger's name and 32 bytes."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read `name+key id in hex+base64(0x01 || key)`. Raises `Invalid`."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            raise Invalid("A key has three parts: name+id+base64.")
        name, key_id, encoded = parts
        check_key_name(name)
        data = _base64(encoded, 33, "key")
        key = cls(name, data[1:])
        if data[0] != 1 or key.key_id != key_id:
            raise Invalid("The key does not agree with its id, or is not for Ed25519.")
        return key

    def __str__(self) -> str:
        encoded = base64.b64encode(b"\x01" + self.public).decode()
        return f"{self.name}+{self.key_id}+{encoded}"

    @property
    def key_hash(self) -> bytes:
        """The 4 bytes that stand before each signature, to find the key by."""
        data = self.name.encode() + b"\n\x01" + self.public
        return hashlib.sha256(data).digest()[:4]

    @property
    def key_id(self) -> str:
        """The same in hex."""
        return self.key_hash.hex()

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether this key signed `data` (RFC 8032)."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class Checkpoint:
    """A ledger's size and root hash (32 bytes) at one moment."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """What is signed: three lines."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read a checkpoint's three lines. Raises `Invalid`."""
    lines = text.split("\n")
    if len(lines) != 4 or lines[3]:
        raise Invalid("A checkpoint has exactly three lines.")
    origin, size, root, _ = lines
    check_key_name(origin)
    return Checkpoint(origin, _number(size, "ledger's size"), _base64(root, 32, "root hash"))


def open_note(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a signed note.

    Signatures by unknown keys are ignored, as the format demands. Raises `Invalid` when a known
    key's signature is false or repeated, or when no key of the checkpoint's own ledger signed.
    """
    head, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n"):
        raise Invalid("The checkpoint is not signed.")
    text = head + "\n"
    checkpoint = parse_checkpoint(text)
    known = {(key.name, key.key_hash): key for key in keys}
    signed: set[VerifierKey] = set()
    for line in tail[:-1].split("\n"):
        name, key_hash, signature = _signature_line(line)
        key = known.get((name, key_hash))
        if key is None:
            continue
        if key in signed or not key.verify(signature, text.encode()):
            raise Invalid("A signature of the checkpoint is false.")
        signed.add(key)
    if checkpoint.origin not in {key.name for key in signed}:
        raise Invalid("No key that you gave has signed the checkpoint.")
    return checkpoint


def _signature_line(line: str) -> tuple[str, bytes, bytes]:
    """Key name, key hash and signature of `— name base64(key hash || signature)`."""
    match = re.fullmatch(r"\u2014 (\S+) ([A-Za-z0-9+/=]+)", line)
    if not match:
        raise Invalid("A signature line of the checkpoint is malformed.")
    name, encoded = match.groups()
    check_key_name(name)
    try:
        data = base64.b64decode(encoded, validate=True)
    except ValueError as error:
        raise Invalid("A signature of the checkpoint is not in base64.") from error
    if len(data) <= 4 or base64.b64encode(data).decode() != encoded:
        raise Invalid("A signature of the checkpoint is not in base64.")
    return name, data[:4], data[4:]


# The proof that an entry is in the tree (c2sp.org/tlog-proof)


@dataclass(frozen=True)
class Proof:
    """An entry's index, the hashes from its leaf to the root, and the signed checkpoint."""

    index: int
    hashes: tuple[bytes, ...]
    note: str


def parse_proof(text: str) -> Proof:
    """Read a proof. Raises `Invalid`; the format's optional `extra` line is refused as well."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 2 or lines[0] != "c2sp.org/tlog-proof@v1":
        raise Invalid("The proof is not in the form c2sp.org/tlog-proof@v1.")
    if not lines[1].startswith("index "):
        raise Invalid("The proof does not say its entry's index.")
    if len(lines) - 2 > MAX_HASHES:
        raise Invalid(f"The proof has more than {MAX_HASHES} hashes.")
    index = _number(lines[1].removeprefix("index "), "entry's index")
    return Proof(index, tuple(_base64(line, 32, "proof's hash") for line in lines[2:]), note)


# The receipt, and the certificate


def check_file(data: bytes, keys: Iterable[VerifierKey]) -> Verified | Forgotten | Erased:
    """What a file proves, whichever of the three it is. Raises `Invalid`."""
    found = read_receipt(data)
    if found.get("@type") == CERTIFICATE:
        return check_certificate(found, keys)
    if found.get("@type") == ERASURE:
        return check_erasure(found, keys)
    return check_receipt(found, keys)


def check_receipt(receipt: Mapping[str, object] | bytes, keys: Iterable[VerifierKey]) -> Verified:
    """What the receipt proves, if all of it holds under the given keys. Raises `Invalid`."""
    found = read_receipt(receipt) if isinstance(receipt, bytes) else receipt
    keys = list(keys)
    _check_signature(found, keys)
    _check_agreement(found)
    statement, leaf = _part(found, "ledger.statement"), _part(found, "ledger.leaf")
    opening = _base64(_text(found, "ledger.opening"), 32, "opening")
    commitment = hmac.digest(opening, canonical(statement), hashlib.sha256)
    if commitment.hex() != _text(found, "ledger.leaf.commitment"):
        raise Invalid("The ledger's entry is about another decision.")
    notice = hashlib.sha256(canonical(_part(found, "notice"))).hexdigest()
    if notice != _text(found, "ledger.leaf.notice"):
        raise Invalid("The words in the receipt are not those of the decision.")
    proof = parse_proof(_text(found, "ledger.proof"))
    checkpoint = open_note(proof.note, keys)
    if proof.index >= checkpoint.size:
        raise Invalid("The ledger ends before the entry's index.")
    leaf_digest = leaf_hash(canonical(leaf))
    if not verify_inclusion(
        proof.index, checkpoint.size, leaf_digest, proof.hashes, checkpoint.root
    ):
        raise Invalid("The entry is not in the ledger.")
    return Verified(
        record_id=_text(found, "ledger.statement.record_id"),
        purpose=_text(found, "ledger.statement.purpose"),
        decision=_text(found, "ledger.statement.decision"),
        time=_text(found, "ledger.statement.time"),
        ledger=checkpoint.origin,
        index=proof.index,
        size=checkpoint.size,
    )


def check_certificate(
    certificate: Mapping[str, object] | bytes, keys: Iterable[VerifierKey]
) -> Forgotten:
    """What the certificate says, if a given key of its ledger signed it and it agrees with itself.
    Raises `Invalid`.

    It cannot show more than that this was said and signed: whoever would count the digests again
    needs everybody's data.
    """
    found = read_receipt(certificate) if isinstance(certificate, bytes) else certificate
    _check_signature(found, keys)
    if _text(found, "@type") != CERTIFICATE:
        raise Invalid("The file is not a certificate.")
    ledger = _own_ledger(found)
    _check_order(found)
    digest = _digest(found, "comparison.digest")
    if digest != _digest(found, "comparison.rebuild_digest"):
        raise Invalid("The comparison in the certificate was not equal.")
    return Forgotten(
        record_id=_text(found, "record_id"),
        purpose=_text(found, "purpose"),
        ended_at=_text(found, "ended_at"),
        release_id=_text(found, "first_release_without.id"),
        published_at=_text(found, "first_release_without.published_at"),
        compared_at=_text(found, "comparison.at"),
        ledger=ledger,
    )


def check_erasure(certificate: Mapping[str, object], keys: Iterable[VerifierKey]) -> Erased:
    """What the certificate of an erasure says, if a given key of its ledger signed it and it agrees
    with itself. Raises `Invalid`. It cannot show more than that this was said and signed."""
    _check_signature(certificate, keys)
    ledger = _own_ledger(certificate)
    asked_at, done_at = _time(certificate, "asked_at"), _time(certificate, "done_at")
    if asked_at > done_at:
        raise Invalid("The times in the certificate are not in order.")
    if _part(certificate, "searched.found") != 0:
        raise Invalid("Something was found after the erasure.")
    counts = list(_object_at(certificate, "erased").values())
    rows = [count for count in counts if isinstance(count, int) and count > 0]
    if len(rows) < len(counts):
        raise Invalid("The certificate does not say how many rows were erased.")
    return Erased(_text(certificate, "number"), asked_at, done_at, sum(rows), ledger)


def _own_ledger(certificate: Mapping[str, object]) -> str:
    """The ledger that a certificate names, which must be the one whose key has signed it."""
    ledger = _text(certificate, "ledger")
    if VerifierKey.parse(_text(certificate, "signature.key")).name != ledger:
        raise Invalid("The certificate is of another ledger than its key.")
    return ledger


def _check_order(certificate: Mapping[str, object]) -> None:
    """The release came out after learning had ended, and after the one that still knew; then the
    comparison."""
    _digest(certificate, "first_release_without.digest")
    before = [_time(certificate, "ended_at")]
    # Nothing had been made while the person took part.
    if _part(certificate, "last_release_with") is not None:
        _digest(certificate, "last_release_with.digest")
        before.append(_time(certificate, "last_release_with.published_at"))
    published = _time(certificate, "first_release_without.published_at")
    if max(before) > published or published > _time(certificate, "comparison.at"):
        raise Invalid("The times in the certificate are not in order.")


def _digest(certificate: Mapping[str, object], place: str) -> str:
    text = _text(certificate, place)
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise Invalid(f"The {place} is not SHA-256 in hex.")
    return text


def _time(certificate: Mapping[str, object], place: str) -> str:
    """Written alike, times are in the order of their text."""
    text = _text(certificate, place)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", text):
        raise Invalid(f"The {place} is not a time.")
    return text


def validity(time: str, valid_until: object) -> str | None:
    """How long a yes holds, as an ISO 8601 interval; None for what is no yes."""
    return f"{time}/{valid_until}" if valid_until else None


def _check_signature(receipt: Mapping[str, object], keys: Iterable[VerifierKey]) -> None:
    signature = _base64(_text(receipt, "signature.value"), 64, "signature")
    signer = {str(key): key for key in keys}.get(_text(receipt, "signature.key"))
    if signer is None:
        raise Invalid("The file is not signed by a key that you gave.")
    if set(_object_at(receipt, "signature")) != {"key", "value"}:
        raise Invalid("The signature holds more than a key and a value.")
    signed = {name: value for name, value in receipt.items() if name != "signature"}
    if not signer.verify(signature, canonical(signed)):
        raise Invalid("The file was changed after it was signed.")


def _check_agreement(receipt: Mapping[str, object]) -> None:
    """Whatever is said in several places must be said alike."""
    statement = "ledger.statement."
    purpose, notice = _text(receipt, statement + "purpose"), _text(receipt, statement + "notice")
    decision, time = _text(receipt, statement + "decision"), _text(receipt, statement + "time")
    if decision not in STATES:
        raise Invalid("The receipt is about an unknown kind of decision.")
    alike = {
        "ledger.leaf.purpose": purpose,
        "ledger.leaf.decision": decision,
        "ledger.leaf.notice": notice,
        "ledger.leaf.time": time,
        "notice.purpose": purpose,
        "record.header.record_id": _text(receipt, statement + "record_id"),
        "record.header.pii_principal_id": _text(receipt, statement + "pii_principal_id"),
        "record.processing.purpose": purpose,
        "record.processing.language": _text(receipt, statement + "language"),
        "record.processing.privacy_notice.sha256": notice,
        "record.processing.privacy_notice.version": _part(receipt, "notice.version"),
        "record.event.event_state": STATES[decision],
        "record.event.event_time": time,
        "record.event.validity_duration": validity(time, _part(receipt, statement + "valid_until")),
    }
    for place, value in alike.items():
        found = _part(receipt, place)
        # Python takes True for 1; no other reader does.
        if found != value or type(found) is not type(value):
            raise Invalid(f"The receipt contradicts itself in {place}.")


def _part(receipt: Mapping[str, object], place: str) -> object:
    found: object = receipt
    for name in place.split("."):
        if not isinstance(found, Mapping) or name not in found:
            raise Invalid(f"The file lacks {place}.")
        found = found[name]
    return found


def _object_at(receipt: Mapping[str, object], place: str) -> Mapping[str, object]:
    found = _part(receipt, place)
    if not isinstance(found, Mapping):
        raise Invalid(f"The file lacks {place}.")
    return found


def _text(receipt: Mapping[str, object], place: str) -> str:
    found = _part(receipt, place)
    if not isinstance(found, str):
        raise Invalid(f"The file lacks {place}.")
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description="Check a consent receipt, or a certificate of forgetting or erasure."
    )
    parser.add_argument("receipt", type=Path, metavar="RECEIPT", help="the file")
    parser.add_argument(
        "--key",
        action="append",
        required=True,
        metavar="VKEY",
        help="a verifier key of the ledger: name+id+base64; may be given several times",
    )
    options = parser.parse_args(arguments)
    try:
        with options.receipt.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        verified = check_file(data, [VerifierKey.parse(key) for key in options.key])
    except OSError as error:
        sys.stdout.write(f"NOT CHECKED: the file cannot be read ({error.strerror}).\n")
        return 1
    except Invalid as error:
        sys.stdout.write(f"NOT GENUINE: {error}\n")
        return 1
    sys.stdout.write(f"{verified}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
