"""Erasing an account: what goes and what stays, the question, and the certificate."""

from allauth.account.decorators import reauthentication_required
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from privacy_center.actions.erasure import (
    ErasureRefused,
    ask_erasure,
    cancel_erasure,
)
from privacy_center.eraser import STEPS, counts, whom_of
from privacy_center.erasure_certificate import statement
from privacy_center.forms.erasure import ErasureForm
from privacy_center.ledger.verify_receipt import receipt_file
from privacy_center.models import Account, Erasure
from privacy_center.selectors.data_map import erasure_preview
from privacy_center.selectors.erasure import erasure_by_number, waiting_erasure
from privacy_center.selectors.subject import subject_of

# A page that waits looks again after so many seconds, also without JavaScript.
LOOK_AGAIN_SECONDS = 2


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@reauthentication_required  # type: ignore[untyped-decorator]
def leave(request: HttpRequest) -> HttpResponse:
    """What would go and what would stay; after the typed word, it goes."""
    account = request.user
    subject = subject_of(account) if isinstance(account, Account) else None
    if not isinstance(account, Account) or subject is None:
        raise Http404
    form = ErasureForm(request.POST or None)
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            erasure = ask_erasure(
                account,
                at=timezone.now(),
                grace=form.cleaned_data["grace"],
                language=get_language() or "en",
            )
        except ErasureRefused as reason:
            refused = str(reason)
        else:
            if erasure.due_at <= timezone.now():
                logout(request)
            return redirect("privacy_center:erasure", erasure.number)
    context = {
        "form": form,
        "refused": refused,
        "waiting": waiting_erasure(subject.pk),
        "preview": erasure_preview(counts(whom_of(subject))),
        "statement": statement(),
    }
    status = 400 if form.is_bound and (refused or not form.is_valid()) else 200
    return render(request, "privacy_center/leave.html", context, status=status)


@never_cache
@require_safe
def erasure(request: HttpRequest, number: str) -> HttpResponse:
    """How far an erasure is, and then its certificate. The number is what opens it: there is no
    account any more."""
    found = _found(number)
    is_begun = found.state == Erasure.State.RUNNING or (
        found.state == Erasure.State.WAITING and found.due_at <= timezone.now()
    )
    context = {
        "erasure": found,
        "is_begun": is_begun,
        "done_steps": found.step,
        "steps": len(STEPS),
        "statement": (found.certificate or {}).get("statement", []),
        "categories": erasure_preview(found.erased),
    }
    response = render(request, "privacy_center/erasure.html", context)
    if is_begun:
        response["Refresh"] = str(LOOK_AGAIN_SECONDS)
    return response


@never_cache
@require_safe
def erasure_file(request: HttpRequest, number: str) -> HttpResponse:
    """The signed certificate, as a file to keep."""
    found = _found(number)
    if found.certificate is None:
        raise Http404
    response = HttpResponse(receipt_file(found.certificate), "application/json")
    response["Content-Disposition"] = f'attachment; filename="erasure-{number}.json"'
    return response


@never_cache
@require_POST
def cancel(request: HttpRequest, number: str) -> HttpResponse:
    """Come back, while there is time. The number is in the mail, and on the page after asking."""
    _found(number)
    cancel_erasure(number, at=timezone.now())
    return redirect("privacy_center:erasure", number)


def _found(number: str) -> Erasure:
    found = erasure_by_number(number, timezone.now())
    if found is None:
        raise Http404
    return found
