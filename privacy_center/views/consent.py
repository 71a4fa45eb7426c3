"""Answering: by a preset, by a switch, or beside the statement about mood. It holds at once."""

from collections.abc import Callable, Sequence
from urllib.parse import urlsplit

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from privacy_center.actions.consent import (
    ConsentRefused,
    NoticeOutdated,
    choose_preset,
    decide,
)
from privacy_center.forms.consent import DecisionForm, PresetForm, WishForm
from privacy_center.gpc import ENDED
from privacy_center.interface import person
from privacy_center.models import ConsentRecord, Method
from privacy_center.selectors.notice import FIRST_LANGUAGE
from privacy_center.views.outcome import outcome

PRIVACY = "privacy_center:privacy"


@require_POST
@login_required
def preset(request: HttpRequest) -> HttpResponse:
    """Choose a preset."""
    subject_id = person(request).subject_id
    form = PresetForm(request.POST)
    if subject_id is None or not form.is_valid():
        return unknown(request)
    is_welcome = form.cleaned_data["asked"] == Method.WELCOME
    return _answered(
        request,
        lambda: choose_preset(
            subject_id,
            form.chosen,
            method=Method.WELCOME if is_welcome else Method.PRIVACY_PAGE,
            at=timezone.now(),
            language=get_language() or FIRST_LANGUAGE,
            shown=form.cleaned_data["shown"],
        ),
        then="recommendations:home" if is_welcome else PRIVACY,
        preset_title=str(form.chosen.title),
    )


@require_POST
@login_required
def decide_one(request: HttpRequest) -> HttpResponse:
    """Flip one switch."""
    return answer(request, DecisionForm(request.POST))


def answer(request: HttpRequest, form: WishForm) -> HttpResponse:
    """Record the wish of a form, go back to where it was pressed, and say what it did."""
    subject_id = person(request).subject_id
    if subject_id is None or not form.is_valid():
        return unknown(request)
    return _answered(
        request,
        lambda: decide(
            subject_id,
            form.wishes,
            method=Method.PRIVACY_PAGE,
            at=timezone.now(),
            language=get_language() or FIRST_LANGUAGE,
            shown=form.cleaned_data["shown"],
        ),
        then=page_before(request),
    )


def page_before(request: HttpRequest) -> str:
    """The page on which a button was pressed, as its form says; never one of another site."""
    said = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(said, allowed_hosts=None)
    return said if is_ours and urlsplit(said).path.startswith("/") else PRIVACY


def unknown(request: HttpRequest) -> HttpResponse:
    """400: what was sent is no choice that a page offers."""
    detail = _("This choice is not known here. Nothing was changed.")
    return render(request, "400.html", {"detail": detail}, status=400)


def _answered(
    request: HttpRequest,
    change: Callable[[], Sequence[ConsentRecord]],
    *,
    then: str,
    preset_title: str = "",
) -> HttpResponse:
    try:
        said = outcome(change(), preset_title=preset_title)
    except NoticeOutdated:
        return render(request, "privacy_center/outdated.html", status=409)
    except ConsentRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said)
        # Whoever answers has been told what the signal ended.
        request.session.pop(ENDED, None)
    return redirect(then)
