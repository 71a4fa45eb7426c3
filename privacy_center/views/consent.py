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
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy_center.actions.consent import ConsentRefused, choose_preset, decide
from privacy_center.forms.consent import DecisionForm, PresetForm
from privacy_center.interface import person
from privacy_center.models import ConsentRecord, Decision, Method
from privacy_center.purposes import PRESETS, WORDINGS, Purpose, preset_of
from privacy_center.selectors.consent import consent_history, purposes_in_force
from privacy_center.selectors.matrix import matrix, singles
from privacy_center.selectors.subject import has_decided

DECISIONS_SHOWN = 50


@dataclass(frozen=True)
class PresetChoice:
    key: str
    title: str
    summary: str
    points: tuple[str, ...]
    is_current: bool


@dataclass(frozen=True)
class DecisionLine:
    recorded_at: datetime
    purpose_title: str
    decision_label: str
    method_label: str


def _presets(subject_id: UUID | None) -> list[PresetChoice]:
    current = preset_of(purposes_in_force(subject_id)) if subject_id else PRESETS[0]
    return [PresetChoice(p.key, p.title, p.summary, p.points, p is current) for p in PRESETS]


def _lines(subject_id: UUID) -> list[DecisionLine]:
    return [
        DecisionLine(
            record.recorded_at,
            WORDINGS[Purpose(record.purpose)].title,
            Decision(record.decision).label,
            Method(record.method).label,
        )
        for record in consent_history(subject_id)[:DECISIONS_SHOWN]
    ]


@require_safe
@never_cache
def privacy(request: HttpRequest) -> HttpResponse:
    """What this site keeps about whoever is looking, and every switch for it."""
    subject_id = person(request).subject_id
    context: dict[str, object] = {"presets": _presets(subject_id)}
    if subject_id:
        context |= {
            "matrix": matrix(subject_id),
            "singles": singles(subject_id),
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
    presets = [PresetChoice(p.key, p.title, p.summary, p.points, is_current=False) for p in PRESETS]
    return render(request, "privacy_center/welcome.html", {"presets": presets})


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
        records = choose_preset(subject_id, form.chosen, method=method, at=timezone.now())
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
        records = decide(subject_id, form.wishes, method=Method.PRIVACY_PAGE, at=timezone.now())
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _said(records, ""))
    return redirect("privacy_center:privacy")


def _unknown(request: HttpRequest) -> HttpResponse:
    detail = "This choice is not known here. Nothing was changed."
    return render(request, "400.html", {"detail": detail}, status=400)


def _said(records: Sequence[ConsentRecord], preset_title: str) -> str:
    """What just happened, in one or two sentences."""
    if not records:
        return "That was your choice already. Nothing changed."
    ended = {Purpose(r.purpose) for r in records if r.decision == Decision.WITHDRAWN}
    given = [WORDINGS[Purpose(r.purpose)].title for r in records if r.decision == Decision.GIVEN]
    parts = [f"{preset_title}, from now on." if preset_title else ""]
    if given and not preset_title:
        parts.append(f"On from now: {_listed(given)}.")
    if Purpose.LISTENING_STORE in ended:
        parts.append("Your history, favorites and ratings were deleted.")
    elif ended and not preset_title:
        parts.append(f"Off from now: {_listed([WORDINGS[p].title for p in sorted(ended)])}.")
    if Purpose.LISTENING_TRAIN in ended:
        parts.append("The model is being made again without you.")
    said = " ".join(part for part in parts if part)
    return said or "Off, as it was. Your answer is noted."


def _listed(titles: Sequence[str]) -> str:
    return ", ".join(f"“{title}”" for title in titles)
