"""Text that staff write and people read: nothing in it that nobody sees."""

import unicodedata

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LEAST_LETTERS = 8
# Letters by name, and blank to the eye.
_FILLERS = "\u115f\u1160\u3164\uffa0"


def has_words(text: str) -> None:
    """Refuses what a reader would see as a blank line, or as dots."""
    letters = [c for c in text if c.isalnum() and c not in _FILLERS]
    if len(letters) < LEAST_LETTERS:
        raise ValidationError(_("Say it in words."), code="wordless")


def is_plain_text(text: str) -> None:
    """Refuses control characters, direction marks, and everything else without a glyph."""
    if any(unicodedata.category(character).startswith("C") for character in text):
        raise ValidationError(
            _("Use visible text without control characters or direction marks."), code="unplain"
        )
