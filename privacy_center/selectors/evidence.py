"""What the public may see for itself: what is held and why, how many said yes, and every notice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy_center.models import Notice
from privacy_center.purposes import OFFERED, Purpose
from privacy_center.selectors.consent import people_by_purpose
from privacy_center.selectors.notice import live_notices_with_texts, text_in
from privacy_center.selectors.notice_diff import Difference, notice_differences
from privacy_center.selectors.processing import gdpr_article

LEGAL_BASES: Mapping[str, Promise] = {
    "A6-1-a": _("Consent (GDPR Article 6(1)(a))"),
    "A9-2-a": _("Explicit consent to health data (GDPR Article 9(2)(a))"),
}
# Counted anew so seldom, and rounded, nobody can be seen coming or going.
COUNTED_FOR_SECONDS = 60 * 60
ROUNDED_TO = 10


@dataclass(frozen=True)
class PurposeLine:
    """One purpose: its live notice, what it covers, and how many people say yes to it.

    `people` is rounded down to tens; None for a group too small to show.
    """

    purpose: Purpose
    title: str
    sentence: str
    version: int
    data: Sequence[str]
    retention: str
    legal_basis: Promise | str
    is_offered: bool
    people: int | None


@dataclass(frozen=True)
class Version:
    """A published notice in one language, and how it differs from the version before."""

    notice: Notice
    title: str
    sentence: str
    statement: str
    differences: Sequence[Difference]


def purpose_lines(language: str) -> list[PurposeLine]:
    """Every purpose by its live notice, in a language."""
    notices, counts = live_notices_with_texts(), _people()
    return [_purpose_line(notices[purpose], language, counts) for purpose in Purpose]


def notice_versions(purpose: Purpose, language: str) -> list[Version]:
    """Every published version of a purpose's notice, newest first, each against the one before."""
    published = Notice.objects.filter(purpose=purpose, published_at__isnull=False)
    notices = list(published.order_by("-version").prefetch_related("texts"))
    older: list[Notice | None] = [*notices[1:], None]
    return [_version(*pair, language) for pair in zip(notices, older, strict=True)]


def _purpose_line(notice: Notice, language: str, counts: Mapping[str, int]) -> PurposeLine:
    text, said = text_in(notice, language), notice.processing
    article = gdpr_article(said)
    return PurposeLine(
        purpose=Purpose(notice.purpose),
        title=text.title,
        sentence=text.sentence,
        version=notice.version,
        data=list(said["data"]),
        retention=str(said["retention"]),
        legal_basis=LEGAL_BASES.get(article, article),
        is_offered=notice.purpose in OFFERED,
        people=_shown(counts.get(notice.purpose, 0)),
    )


def _people() -> dict[str, int]:
    """How many live yeses each purpose has."""
    return cache.get_or_set("live-consents", people_by_purpose, COUNTED_FOR_SECONDS) or {}


def _shown(people: int) -> int | None:
    return None if people < settings.SMALLEST_GROUP else people - people % ROUNDED_TO


def _version(notice: Notice, before: Notice | None, language: str) -> Version:
    text = text_in(notice, language)
    return Version(
        notice,
        text.title,
        text.sentence,
        text.statement,
        notice_differences(before, notice) if before else [],
    )
