"""Checkpoints: signing the tree's size and root (C2SP tlog-checkpoint and signed-note)."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from privacy_center.ledger.verify_receipt import (
    Checkpoint,
    VerifierKey,
    canonical,
    check_key_name,
)


@dataclass(frozen=True)
class SigningKey:
    """An Ed25519 key and the ledger it signs for. Raises `Invalid` for a name with + or spaces."""

    name: str
    private: Ed25519PrivateKey

    def __post_init__(self) -> None:
        check_key_name(self.name)

    @classmethod
    def from_seed(cls, name: str, seed: bytes) -> "SigningKey":
        """The key of a seed of 32 bytes (RFC 8032 §5.1.5). Raises ValueError for another length."""
        return cls(name, Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def generate(cls, name: str) -> "SigningKey":
        """A new key from the system's randomness."""
        return cls(name, Ed25519PrivateKey.generate())

    @property
    def seed(self) -> bytes:
        """The 32 secret bytes to keep."""
        return self.private.private_bytes_raw()

    @property
    def verifier_key(self) -> VerifierKey:
        """The half that anyone may have."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """A note's signature line over `text`, its last newline included (C2SP signed-note)."""
        signature = self.verifier_key.key_hash + self.private.sign(text.encode())
        return f"— {self.name} {base64.b64encode(signature).decode()}\n"

    def signed(self, document: Mapping[str, object]) -> dict[str, object]:
        """The document with this key's signature of its canonical bytes in it, as receipts and
        certificates are handed out. Raises `Invalid` for what JSON cannot say."""
        signature = base64.b64encode(self.private.sign(canonical(document))).decode()
        return {
            **document,
            "signature": {"key": str(self.verifier_key), "value": signature},
        }


def sign_checkpoint(checkpoint: Checkpoint, keys: Sequence[SigningKey]) -> str:
    """The signed note: the checkpoint's text, an empty line, and one line per key.

    Raises ValueError without a key named like the ledger: nobody could verify such a note.
    """
    if checkpoint.origin not in {key.name for key in keys}:
        raise ValueError(f"No signing key is named {checkpoint.origin}.")
    return checkpoint.text + "\n" + "".join(key.sign(checkpoint.text) for key in keys)
