"""What a change did, in one or two sentences for the person who made it."""

from collections.abc import Sequence

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from privacy_center.models import YES, ConsentRecord, Decision
from privacy_center.purposes import Purpose
from privacy_center.selectors.learning import TRAINING
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices_with_texts, text_in


def outcome(records: Sequence[ConsentRecord], *, preset_title: str = "") -> str:
    """What these new records did; by a preset, its title."""
    if not records:
        return _("That was your choice already. Nothing changed.")
    given = [Purpose(record.purpose) for record in records if record.decision in YES]
    ended = [Purpose(r.purpose) for r in records if r.decision == Decision.WITHDRAWN]
    parts = [_changed(given, ended, preset_title), *_deleted(ended)]
    if set(TRAINING) & set(ended):
        parts.append(_("Everyone’s shelves are being made again without you."))
    return " ".join(part for part in parts if part) or _("Off, as it was. Your answer is noted.")


def _changed(given: Sequence[Purpose], ended: Sequence[Purpose], preset_title: str) -> str:
    if preset_title:
        return _("%(preset)s, from now on.") % {"preset": preset_title}
    on = _("On from now: %(titles)s.") % {"titles": _titles(given)} if given else ""
    off = _("Off from now: %(titles)s.") % {"titles": _titles(ended)} if ended else ""
    return " ".join(part for part in (on, off) if part)


def _deleted(ended: Sequence[Purpose]) -> list[str]:
    deleted = []
    if Purpose.LISTENING_STORE in ended:
        deleted.append(_("Your history, favorites and ratings were deleted."))
    if Purpose.MOOD_STORE in ended:
        deleted.append(_("Your check-ins were deleted."))
    return deleted


def _titles(purposes: Sequence[Purpose]) -> str:
    notices, language = live_notices_with_texts(), get_language() or FIRST_LANGUAGE
    titles = [text_in(notices[purpose], language).title for purpose in purposes]
    return ", ".join(_("“%(title)s”") % {"title": title} for title in titles)
