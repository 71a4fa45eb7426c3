"""The privacy page, the question after sign-up, and the two ways to answer: preset and switch."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy_center.actions.consent import (
    ConsentRefused,
    NoticeOutdated,
    choose_preset,
    decide,
)
from privacy_center.forms.consent import DecisionForm, PresetForm
from privacy_center.interface import person
from privacy_center.models import YES, ConsentRecord, Decision, Method, NoticeText
from privacy_center.purposes import LISTENING, PRESETS, Preset, Purpose, preset_of
from privacy_center.selectors.consent import consent_history, purposes_in_force
from privacy_center.selectors.matrix import matrix
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices_with_texts, text_in
from privacy_center.selectors.subject import has_decided

DECISIONS_SHOWN = 50


@dataclass(frozen=True)
class PresetChoice:
    """A preset with the notices that choosing it says yes to, in the reader's language."""

    key: str
    title: Promise
    summary: Promise
    points: tuple[Promise, ...]
    notices: Sequence[NoticeText]
    shown: str
    is_current: bool


@dataclass(frozen=True)
class DecisionLine:
    recorded_at: datetime
    purpose_title: str
    decision_label: str
    method_label: str


def _presets(current: Preset | None) -> list[PresetChoice]:
    notices, language = live_notices_with_texts(), get_language() or FIRST_LANGUAGE
    return [
        PresetChoice(
            p.key,
            p.title,
            p.summary,
            p.points,
            [text_in(notices[purpose], language) for purpose in sorted(p.purposes, key=_listed)],
            " ".join(f"{purpose}={notices[purpose].version}" for purpose in sorted(p.purposes)),
            p is current,
        )
        for p in PRESETS
    ]


def _listed(purpose: Purpose) -> int:
    return LISTENING.index(purpose)


def _current(subject_id: UUID | None) -> Preset | None:
    return preset_of(purposes_in_force(subject_id)) if subject_id else PRESETS[0]


def _lines(subject_id: UUID) -> list[DecisionLine]:
    language = get_language() or FIRST_LANGUAGE
    records = consent_history(subject_id).select_related("notice").prefetch_related("notice__texts")
    return [
        DecisionLine(
            record.recorded_at,
            text_in(record.notice, language).title,
            str(Decision(record.decision).label),
            str(Method(record.method).label),
        )
        for record in records[:DECISIONS_SHOWN]
    ]


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    """What this site keeps about whoever is looking, and every switch for it."""
    subject_id = person(request).subject_id
    context: dict[str, object] = {"presets": _presets(_current(subject_id))}
    if subject_id:
        context |= {
            "matrix": matrix(subject_id, language=get_language() or FIRST_LANGUAGE),
            "decisions": _lines(subject_id),
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
    return render(request, "privacy_center/welcome.html", {"presets": _presets(None)})


@require_POST
@login_required
def preset(request: HttpRequest) -> HttpResponse:
    """Choose a preset; it holds at once."""
    subject_id = person(request).subject_id
    form = PresetForm(request.POST)
    if subject_id is None or not form.is_valid():
        return _unknown(request)
    is_welcome = form.cleaned_data["asked"] == Method.WELCOME
    method = Method.WELCOME if is_welcome else Method.PRIVACY_PAGE
    try:
        records = choose_preset(
            subject_id,
            form.chosen,
            method=method,
            at=timezone.now(),
            language=get_language() or FIRST_LANGUAGE,
            shown=form.cleaned_data["shown"],
        )
    except NoticeOutdated:
        return _outdated(request)
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _said(records, form.chosen.title))
    return redirect("recommendations:home" if is_welcome else "privacy_center:privacy")


@require_POST
@login_required
def decide_one(request: HttpRequest) -> HttpResponse:
    """Flip one switch; it holds at once."""
    subject_id = person(request).subject_id
    form = DecisionForm(request.POST)
    if subject_id is None or not form.is_valid():
        return _unknown(request)
    try:
        records = decide(
            subject_id,
            form.wishes,
            method=Method.PRIVACY_PAGE,
            at=timezone.now(),
            language=get_language() or FIRST_LANGUAGE,
            shown=form.cleaned_data["shown"],
        )
    except NoticeOutdated:
        return _outdated(request)
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _said(records, ""))
    return redirect("privacy_center:privacy")


def _unknown(request: HttpRequest) -> HttpResponse:
    detail = "This choice is not known here. Nothing was changed."
    return render(request, "400.html", {"detail": detail}, status=400)


def _outdated(request: HttpRequest) -> HttpResponse:
    detail = _(
        "These words have changed since you opened the page. Nothing was changed; read anew."
    )
    return render(request, "400.html", {"detail": detail}, status=409)


def _said(records: Sequence[ConsentRecord], preset_title: str) -> str:
    """What just happened, in one or two sentences."""
    if not records:
        return "That was your choice already. Nothing changed."
    language = get_language() or FIRST_LANGUAGE
    ended = {Purpose(r.purpose) for r in records if r.decision == Decision.WITHDRAWN}
    titles = {p: text_in(n, language).title for p, n in live_notices_with_texts().items()}
    given = [titles[Purpose(r.purpose)] for r in records if r.decision in YES]
    parts = [f"{preset_title}, from now on." if preset_title else ""]
    if given and not preset_title:
        parts.append(f"On from now: {_quoted(given)}.")
    if Purpose.LISTENING_STORE in ended:
        parts.append("Your history, favorites and ratings were deleted.")
    elif ended and not preset_title:
        parts.append(f"Off from now: {_quoted([titles[p] for p in sorted(ended)])}.")
    if Purpose.LISTENING_TRAIN in ended:
        parts.append("The model is being made again without you.")
    said = " ".join(part for part in parts if part)
    return said or "Off, as it was. Your answer is noted."


def _quoted(titles: Sequence[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
