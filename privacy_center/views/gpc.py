"""Opting out of sale and sharing with one press, account or not; and what we say of the signal."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from privacy_center.actions.consent import decide, take_back_opt_out
from privacy_center.forms.consent import OptOutForm
from privacy_center.gpc import COOKIE, PRESSED
from privacy_center.interface import person
from privacy_center.models import Method
from privacy_center.purposes import Purpose
from privacy_center.selectors.notice import FIRST_LANGUAGE
from privacy_center.views.consent import unknown

COOKIE_SECONDS = 365 * 24 * 60 * 60
# When our support of the signal last changed.
LAST_UPDATE = "2026-11-24"


@require_safe
def support(request: HttpRequest) -> JsonResponse:
    """`/.well-known/gpc.json`: that the signal is honored here."""
    return JsonResponse({"gpc": True, "lastUpdate": LAST_UPDATE})


@require_POST
def opt_out(request: HttpRequest) -> HttpResponse:
    """One press, and one back. Who is not signed in is not asked who they are."""
    form = OptOutForm(request.POST)
    if not form.is_valid():
        return unknown(request)
    is_yes = form.cleaned_data["decision"] == "yes"
    _record(request, is_yes=is_yes)
    messages.success(request, _said(is_yes=is_yes))
    return _with_cookie(redirect("privacy_center:privacy"), request, is_yes=is_yes)


def _record(request: HttpRequest, *, is_yes: bool) -> None:
    subject_id, at = person(request).subject_id, timezone.now()
    if subject_id is None:
        return
    if is_yes:
        language = get_language() or FIRST_LANGUAGE
        wishes = {Purpose.SALE: False}
        decide(subject_id, wishes, method=Method.PRIVACY_PAGE, at=at, language=language)
    else:
        take_back_opt_out(subject_id, method=Method.PRIVACY_PAGE, at=at)


def _said(*, is_yes: bool) -> str:
    if is_yes:
        return _("Opt-out request honored. We never sold or shared your data.")
    return _("Your opt-out is taken back. We still do not sell or share your data.")


def _with_cookie(response: HttpResponse, request: HttpRequest, *, is_yes: bool) -> HttpResponse:
    """Without an account, the browser remembers; with one, the ledger does. A cookie that repeats
    the browser's signal is not ours to delete: it would look like a signal that began anew."""
    if not is_yes and request.COOKIES.get(COOKIE) == PRESSED:
        response.delete_cookie(COOKIE, samesite="Lax")
    if is_yes and person(request).subject_id is None:
        response.set_cookie(
            COOKIE, PRESSED, max_age=COOKIE_SECONDS, secure=settings.HTTPS_ONLY, samesite="Lax"
        )
    return response
