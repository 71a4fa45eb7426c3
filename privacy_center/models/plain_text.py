"""Text that staff write and people read: nothing in it that nobody sees."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def is_plain_text(text: str) -> None:
    """Refuses control characters, direction marks, and everything else without a glyph."""
    if any(unicodedata.category(character).startswith("C") for character in text):
        raise ValidationError(
            _("Use visible text without control characters or direction marks."), code="unplain"
        )
