"""Keys of people: one random key each, stored only wrapped by a key from the settings.

No process keeps an unwrapped key: whoever destroys the wrapped one has destroyed it everywhere.
"""

import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.keywrap import (
    InvalidUnwrap,
    aes_key_unwrap,
    aes_key_wrap,
)
from django.conf import settings

KEY_BYTES = 32
NONCE_BYTES = 12


class KeyUnavailable(Exception):
    """The person's key is destroyed, or what unwraps it is not here. Nothing is readable."""


@dataclass(frozen=True)
class WrappedKey:
    """A person's key as it is stored (AES key wrap, RFC 3394), and which key wrapped it."""

    data: bytes
    wrapping_key_id: str


def new_key() -> WrappedKey:
    """A random 256-bit key, wrapped by the current wrapping key."""
    return _wrap(os.urandom(KEY_BYTES))


def rewrap(wrapped: WrappedKey) -> WrappedKey:
    """The same key under the current wrapping key. Raises `KeyUnavailable`."""
    return _wrap(unwrap(wrapped.data, wrapped.wrapping_key_id))


def current_wrapping_key_id() -> str:
    """The id of the key that wraps new keys: the first of the settings."""
    keys: dict[str, bytes] = settings.KEY_ENCRYPTION_KEYS
    return next(iter(keys))


def unwrap(wrapped: bytes | memoryview | None, wrapping_key_id: str) -> bytes:
    """The person's key. Raises `KeyUnavailable` when it is destroyed or cannot be unwrapped."""
    wrapping_key = settings.KEY_ENCRYPTION_KEYS.get(wrapping_key_id)
    if wrapped is None or wrapping_key is None:
        raise KeyUnavailable
    try:
        return aes_key_unwrap(wrapping_key, bytes(wrapped))
    except InvalidUnwrap as error:
        raise KeyUnavailable from error


def seal_text(key: bytes, text: str, *, context: str) -> bytes:
    """Nonce, then AES-256-GCM of the text. It opens only with the same key and context."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + _cipher(key).encrypt(nonce, text.encode(), context.encode())


def unseal_text(key: bytes, sealed: bytes, *, context: str) -> str:
    """The text. Raises `KeyUnavailable` when the key or the context is another one."""
    nonce, data = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
    try:
        return _cipher(key).decrypt(nonce, data, context.encode()).decode()
    except (InvalidTag, ValueError) as error:
        raise KeyUnavailable from error


def _wrap(key: bytes) -> WrappedKey:
    key_id = current_wrapping_key_id()
    return WrappedKey(aes_key_wrap(settings.KEY_ENCRYPTION_KEYS[key_id], key), key_id)


def _cipher(key: bytes) -> AESGCM:
    """A key for text alone: the ledger's commitments derive another from the same."""
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt=None, info=b"sealed text").derive(key))
