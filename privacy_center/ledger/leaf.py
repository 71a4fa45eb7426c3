"""Leaves: what the ledger says of a decision, and the commitment that hides whose it is."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from privacy_center.ledger.verify_receipt import canonical, leaf_hash

OPENING_BYTES = 32


@dataclass(frozen=True)
class Statement:
    """All that the record of a decision says; the times as `timestamp` writes them."""

    record_id: UUID
    pii_principal_id: UUID
    purpose: str
    decision: str
    notice: str
    time: str
    valid_until: str | None
    language: str
    method: str
    preset: str

    @property
    def document(self) -> dict[str, str | None]:
        """The statement as a receipt shows it."""
        return {
            "record_id": str(self.record_id),
            "pii_principal_id": str(self.pii_principal_id),
            "purpose": self.purpose,
            "decision": self.decision,
            "notice": self.notice,
            "time": self.time,
            "valid_until": self.valid_until,
            "language": self.language,
            "method": self.method,
            "preset": self.preset,
        }

    @property
    def data(self) -> bytes:
        """The bytes that are committed to."""
        return canonical(self.document)


@dataclass(frozen=True)
class Leaf:
    """What anyone may read of a decision: no identifier in it. `notice` is SHA-256 in hex."""

    purpose: str
    decision: str
    notice: str
    time: str
    commitment: bytes

    @property
    def document(self) -> dict[str, str]:
        """The leaf as a receipt shows it."""
        return {
            "purpose": self.purpose,
            "decision": self.decision,
            "notice": self.notice,
            "time": self.time,
            "commitment": self.commitment.hex(),
        }

    @property
    def data(self) -> bytes:
        """The bytes that are hashed into the tree."""
        return canonical(self.document)

    @property
    def hash(self) -> bytes:
        """32 bytes: the leaf's place at the foot of the tree (RFC 9162 §2.1.1)."""
        return leaf_hash(self.data)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC, always with six decimals and `Z`. Raises ValueError for a naive time."""
    if moment.tzinfo is None:
        raise ValueError("A time in the ledger needs its time zone.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def opening(subject_key: bytes, record_id: UUID) -> bytes:
    """32 bytes that open one record's commitment and tell nothing of the person's other records.

    HMAC-SHA256(HKDF-SHA256(subject key, info "consent ledger"), record id): once the key is
    destroyed, it cannot be made again; a receipt carries its own.
    """
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"consent ledger")
    return hmac.digest(derived.derive(subject_key), record_id.bytes, sha256)


def commitment(opening: bytes, statement: bytes) -> bytes:
    """32 bytes, HMAC-SHA256: binds to the statement, and hides it from whoever lacks the opening.

    Raises ValueError for an opening that is not of 32 bytes: HMAC pads shorter ones with zeros, so
    two of them could open the same commitment.
    """
    if len(opening) != OPENING_BYTES:
        raise ValueError("An opening has 32 bytes.")
    return hmac.digest(opening, statement, sha256)
