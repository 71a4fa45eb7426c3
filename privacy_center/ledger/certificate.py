"""Forgetting certificates: what is signed of a release without a person. `check_certificate` in
verify_receipt.py checks one.

Nobody is named in it. The record is the decision that ended the learning: its own person has the
receipt of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.verify_receipt import CERTIFICATE


@dataclass(frozen=True)
class CertifiedRelease:
    """A release: when it came out, as `timestamp` writes it, and the SHA-256 in hex of the Gram
    matrix that it was made of."""

    id: UUID
    published_at: str
    digest: str

    @property
    def document(self) -> dict[str, str]:
        """The release as a certificate shows it."""
        return {"id": str(self.id), "published_at": self.published_at, "digest": self.digest}


@dataclass(frozen=True)
class CertifiedComparison:
    """A Gram matrix as it was kept, and the same made from scratch: SHA-256 in hex."""

    at: str
    digest: str
    rebuild_digest: str

    @property
    def document(self) -> dict[str, str]:
        """The comparison as a certificate shows it."""
        return {"at": self.at, "digest": self.digest, "rebuild_digest": self.rebuild_digest}


def make_certificate(
    record_id: UUID,
    *,
    purpose: str,
    ended_at: str,
    last_with: CertifiedRelease | None,
    first_without: CertifiedRelease,
    comparison: CertifiedComparison,
    statement: Sequence[str],
    key: SigningKey,
) -> dict[str, object]:
    """The signed certificate; `receipt_file` gives the bytes to hand out.

    `last_with` is None when no release was made while the person took part. `statement` says in
    words what this proves, and what not. Raises `Invalid` for what JSON cannot say.
    """
    certificate: dict[str, object] = {
        "@type": CERTIFICATE,
        "record_id": str(record_id),
        "purpose": purpose,
        "ended_at": ended_at,
        "last_release_with": last_with.document if last_with else None,
        "first_release_without": first_without.document,
        "comparison": comparison.document,
        "ledger": key.name,
        "statement": list(statement),
    }
    return key.signed(certificate)
