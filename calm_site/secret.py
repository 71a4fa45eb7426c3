"""Secrets: how they are written, and the demo's own, made once and kept beside its data."""

import os
import secrets
from base64 import b64decode, b64encode
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

KEY_BYTES = 32


def wrapping_keys(text: str) -> dict[str, bytes]:
    """`id:base64` keys, by id and in order. Raises ImproperlyConfigured when there is none."""
    pairs = [item.partition(":") for item in _items(text)]
    if not pairs:
        raise ImproperlyConfigured("Set KEY_ENCRYPTION_KEYS: id:base64, of 32 random bytes.")
    return {key_id: _key("KEY_ENCRYPTION_KEYS", key) for key_id, _colon, key in pairs}


def signing_seeds(text: str) -> list[bytes]:
    """Seeds in base64, in order. Raises ImproperlyConfigured when there is none."""
    seeds = [_key("LEDGER_SIGNING_SEEDS", item) for item in _items(text)]
    if not seeds:
        raise ImproperlyConfigured("Set LEDGER_SIGNING_SEEDS: base64 of 32 random bytes.")
    return seeds


def _items(text: str) -> list[str]:
    return text.replace(",", " ").split()


def _key(name: str, text: str) -> bytes:
    try:
        key = b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ImproperlyConfigured(f"{name}: a key is base64 of {KEY_BYTES} bytes.")
    return key


def demo_secret(var: Path) -> str:
    """Django's SECRET_KEY."""
    return _kept(var / "secret-key", secrets.token_urlsafe(48))


def demo_key(var: Path, name: str) -> str:
    """A random 256-bit key in base64, one of its own for every name."""
    return _kept(var / name, b64encode(secrets.token_bytes(KEY_BYTES)).decode())


def _kept(path: Path, fresh: str) -> str:
    """What the file says; written whole or not at all, so that two first starts agree on one."""
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_text(fresh)
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
