"""The forgetting certificate: in words, and as a file to keep."""

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.interface import person
from privacy_center.ledger.verify_receipt import receipt_file
from privacy_center.models import ConsentRecord
from privacy_center.selectors.certificate import STATEMENT, Certificate, certificate_of
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices, text_in
from privacy_center.selectors.receipt import ReceiptNotReady
from privacy_center.sequencer import signing_keys

RETRY_AFTER_SECONDS = "600"


@require_safe
@never_cache
@login_required
def certificate(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """What became of what was learned, up to a decision that ended it."""
    return _page(request, _own(request, record_id))


@require_safe
@never_cache
@login_required
def download(request: HttpRequest, record_id: UUID) -> HttpResponse:
    """The signed file. Before everything is there, the page that says what is missing (409)."""
    found = _own(request, record_id)
    if not found.is_ready:
        response = _page(request, found, status=409)
        response["Retry-After"] = RETRY_AFTER_SECONDS
        return response
    try:
        data = receipt_file(found.document(signing_keys()))
    except ReceiptNotReady:
        return _later(request)
    response = HttpResponse(data, "application/json")
    response["Content-Disposition"] = f'attachment; filename="certificate-{record_id}.json"'
    return response


def _own(request: HttpRequest, record_id: UUID) -> Certificate:
    subject_id = person(request).subject_id
    found = certificate_of(subject_id, record_id) if subject_id else None
    if found is None:
        raise Http404
    return found


def _page(request: HttpRequest, found: Certificate, *, status: int = 200) -> HttpResponse:
    purpose = found.time.purpose
    text = text_in(live_notices([purpose])[purpose], get_language() or FIRST_LANGUAGE)
    context = {
        "certificate": found,
        "title": text.title,
        "record": ConsentRecord.objects.get(pk=found.record_id),
        "statement": STATEMENT,
    }
    return render(request, "privacy_center/certificate.html", context, status=status)


def _later(request: HttpRequest) -> HttpResponse:
    detail = _(
        "The key that certificates are signed with is not published yet. Nothing was lost; try "
        "again shortly."
    )
    response = render(request, "503.html", {"detail": detail}, status=503)
    response["Retry-After"] = "10"
    return response
