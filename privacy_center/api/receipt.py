"""One's own receipts: the list of decisions, and each receipt as a file."""

from uuid import UUID

from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound
from rest_framework.pagination import CursorPagination
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse
from rest_framework.views import APIView

from privacy_center.interface import person
from privacy_center.keys import KeyUnavailable
from privacy_center.ledger.verify_receipt import receipt_file
from privacy_center.models import DataSubject, LedgerEntry
from privacy_center.selectors.receipt import ReceiptMaker, ReceiptNotReady, receipt_records
from privacy_center.sequencer import signing_keys


class Later(APIException):
    """A receipt that there is soon. `wait` becomes Retry-After."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_detail = _("The receipt is not there yet. The decision holds already; ask again soon.")
    default_code = "not_ready"
    wait = 10


class KeyGone(APIException):
    status_code = status.HTTP_410_GONE
    default_detail = _(
        "The person's key was destroyed: no receipts can be made any more. Those that were saved "
        "can still be checked."
    )
    default_code = "key_gone"


class ReceiptFile(JSONRenderer):
    """Receipts are JSON-LD; errors stay what they are everywhere."""

    media_type = "application/ld+json"
    format = "jsonld"


class Newest(CursorPagination):
    """By the order of recording, newest first; as many queries for any page."""

    page_size = 50
    ordering = "-id"


class ReceiptsView(APIView):
    """`GET` one's decisions, newest first. `index` is null until the ledger has the decision."""

    def get(self, request: Request) -> Response:
        subject = _subject(request)
        entries = LedgerEntry.objects.filter(record__subject=subject).select_related("record")
        pages = Newest()
        try:
            page = pages.paginate_queryset(entries, request, view=self) or []
        except ValueError as error:
            raise NotFound(pages.invalid_cursor_message) from error
        return pages.get_paginated_response(
            [
                {
                    "record_id": entry.record_id,
                    "purpose": record.purpose,
                    "decision": record.decision,
                    "recorded_at": record.recorded_at,
                    "valid_until": record.valid_until,
                    "index": entry.index,
                    "receipt": reverse("api-receipt", [entry.record_id], request=request),
                }
                for entry in page
                if (record := entry.record)
            ]
        )


class ReceiptView(APIView):
    """`GET` one receipt, byte for byte as its signature wants it."""

    renderer_classes = [ReceiptFile, *APIView.renderer_classes]

    def get(self, request: Request, record_id: UUID) -> HttpResponse:
        subject = _subject(request)
        record = receipt_records(subject.id).filter(pk=record_id).first()
        if record is None:
            raise NotFound(_("There is no such decision."))
        try:
            found = ReceiptMaker(subject, keys=signing_keys()).receipts([record])[0]
        except ReceiptNotReady as error:
            raise Later from error
        except KeyUnavailable as error:
            raise (KeyGone if subject.wrapped_key is None else Later) from error
        return HttpResponse(receipt_file(found), "application/ld+json")


def _subject(request: Request) -> DataSubject:
    subject_id = person(request._request).subject_id
    if subject_id is None:
        raise NotFound(_("This account has no personal data."))
    return DataSubject.objects.get(pk=subject_id)
