"""The privacy page, and the question after sign-up."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.interface import person
from privacy_center.models import Decision, Method, NoticeText
from privacy_center.purposes import LISTENING, PRESETS, Preset, Purpose, preset_of
from privacy_center.selectors.clean import CleanRelease, clean_release
from privacy_center.selectors.consent import (
    consent_history,
    consent_states,
    purposes_in_force,
)
from privacy_center.selectors.kept_now import kept_now
from privacy_center.selectors.matrix import matrix
from privacy_center.selectors.notice import (
    FIRST_LANGUAGE,
    live_notices,
    live_notices_with_texts,
    text_in,
)
from privacy_center.selectors.subject import has_decided, is_below_consent

DECISIONS_SHOWN = 10


@dataclass(frozen=True)
class PresetChoice:
    """A preset with the notices that choosing it says yes to, in the reader's language.

    `deletes` says what choosing it would delete; empty when nothing.
    """

    key: str
    title: Promise
    summary: Promise
    points: tuple[Promise, ...]
    notices: Sequence[NoticeText]
    shown: str
    is_current: bool
    ends_storing: bool
    deletes: str


@dataclass(frozen=True)
class DecisionLine:
    """One decision, as a line to read."""

    record_id: UUID
    recorded_at: datetime
    purpose_title: str
    decision_label: str
    method_label: str


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    """What this site keeps about whoever is looking, and every switch for it."""
    subject_id = person(request).subject_id
    if subject_id is None:
        return render(request, "privacy_center/privacy.html", {"presets": _presets(None)})
    language = get_language() or FIRST_LANGUAGE
    table = matrix(subject_id, language=language, at=timezone.now())
    presets = _presets(subject_id, kept=table.deletes)
    context = {
        "presets": presets,
        "current": next((preset for preset in presets if preset.is_current), None),
        "kept_now": kept_now(table.in_force),
        "matrix": table,
        "decisions": _lines(subject_id, language),
        "is_below_consent": is_below_consent(subject_id),
    }
    return render(request, "privacy_center/privacy.html", context)


@require_safe
@never_cache
@login_required
def welcome(request: HttpRequest) -> HttpResponse:
    """Asked once, after the first sign-in. No choice is made for anybody."""
    subject_id = person(request).subject_id
    if subject_id is None or has_decided(subject_id):
        return redirect("privacy_center:privacy")
    context = {
        "presets": _presets(subject_id, is_asked=True),
        "is_below_consent": is_below_consent(subject_id),
    }
    return render(request, "privacy_center/welcome.html", context)


@require_safe
@never_cache
@login_required
def clean(request: HttpRequest, purpose: str) -> HttpResponse:
    """Whether the release without the person is out: the part of the page that asks again."""
    subject_id = person(request).subject_id
    found = _clean(subject_id, purpose) if subject_id and purpose in set(Purpose) else None
    return render(request, "privacy_center/clean.html", {"clean": found, "purpose": purpose})


def _clean(subject_id: UUID, purpose: str) -> CleanRelease | None:
    state = consent_states(subject_id).get(Purpose(purpose))
    return clean_release(state, live_notices()[Purpose(purpose)]) if state else None


def _presets(
    subject_id: UUID | None, *, is_asked: bool = False, kept: str = ""
) -> list[PresetChoice]:
    notices, language = live_notices_with_texts(), get_language() or FIRST_LANGUAGE
    on = _said_yes_to(subject_id) if subject_id else frozenset()
    current = None if is_asked or _has_paused(subject_id, on) else preset_of(on)
    return [
        _choice(
            preset,
            {purpose: text_in(notices[purpose], language) for purpose in _listed(preset)},
            is_current=preset is current,
            ends_storing=Purpose.LISTENING_STORE in on - preset.purposes,
            kept=kept,
        )
        for preset in PRESETS
    ]


def _said_yes_to(subject_id: UUID) -> frozenset[Purpose]:
    """What the person's last word was yes to, in force or not: what is stored is there until no."""
    states = consent_states(subject_id).items()
    return frozenset(purpose for purpose, state in states if state.is_yes)


def _has_paused(subject_id: UUID | None, on: frozenset[Purpose]) -> bool:
    """No preset describes a choice of which a part waits for an answer."""
    return bool(subject_id and on.intersection(LISTENING) - purposes_in_force(subject_id).keys())


def _choice(
    preset: Preset,
    texts: dict[Purpose, NoticeText],
    *,
    is_current: bool,
    ends_storing: bool,
    kept: str,
) -> PresetChoice:
    return PresetChoice(
        preset.key,
        preset.title,
        preset.summary,
        preset.points,
        list(texts.values()),
        " ".join(f"{purpose}={text.notice.version}" for purpose, text in texts.items()),
        is_current,
        ends_storing,
        kept if ends_storing else "",
    )


def _listed(preset: Preset) -> list[Purpose]:
    return [purpose for purpose in LISTENING if purpose in preset.purposes]


def _lines(subject_id: UUID, language: str) -> list[DecisionLine]:
    records = consent_history(subject_id).select_related("notice").prefetch_related("notice__texts")
    return [
        DecisionLine(
            record.id,
            record.recorded_at,
            text_in(record.notice, language).title,
            str(Decision(record.decision).label),
            str(Method(record.method).label),
        )
        for record in records[:DECISIONS_SHOWN]
    ]
