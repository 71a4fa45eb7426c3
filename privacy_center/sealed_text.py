"""Text that only the person's own key opens. The key is read anew each time, so that a destroyed
one opens nothing, in any process, from that moment on."""

from uuid import UUID

from privacy_center.keys import KeyUnavailable, WrappedKey, seal_text, unseal_text, unwrap
from privacy_center.models import DataSubject


def seal(subject_id: UUID, text: str, *, context: str) -> bytes:
    """The text, sealed for this subject and this context. Raises `KeyUnavailable`."""
    return seal_text(_key(subject_id), text, context=f"{subject_id} {context}")


def unseal(
    subject_id: UUID, sealed: bytes, *, context: str, key: WrappedKey | None = None
) -> str | None:
    """The text; None when the key is gone or the text was sealed for something else.

    `key` is what the same request has read of the person already; without it, it is read now.
    """
    try:
        own = unwrap(key.data, key.wrapping_key_id) if key else _key(subject_id)
        return unseal_text(own, sealed, context=f"{subject_id} {context}")
    except KeyUnavailable:
        return None


def _key(subject_id: UUID) -> bytes:
    rows = DataSubject.objects.filter(pk=subject_id)
    wrapped, key_id = rows.values_list("wrapped_key", "wrapping_key_id").first() or (None, "")
    return unwrap(wrapped, key_id)
