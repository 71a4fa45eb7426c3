"""Text that only the person's own key opens. The key is read anew each time, so that a destroyed
one opens nothing, in any process, from that moment on."""

from uuid import UUID

from privacy_center.keys import KeyUnavailable, seal_text, unseal_text, unwrap
from privacy_center.models import DataSubject


def seal(subject_id: UUID, text: str, *, context: str) -> bytes:
    """The text, sealed for this subject and this context. Raises `KeyUnavailable`."""
    return seal_text(_key(subject_id), text, context=f"{subject_id} {context}")


def unseal(subject_id: UUID, sealed: bytes, *, context: str) -> str | None:
    """The text; None when the key is gone or the text was sealed for something else."""
    try:
        return unseal_text(_key(subject_id), sealed, context=f"{subject_id} {context}")
    except KeyUnavailable:
        return None


def _key(subject_id: UUID) -> bytes:
    rows = DataSubject.objects.filter(pk=subject_id)
    wrapped, key_id = rows.values_list("wrapped_key", "wrapping_key_id").first() or (None, "")
    return unwrap(wrapped, key_id)
