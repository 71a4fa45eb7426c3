"""A person's receipts: the list by year, each one in words, the files, and all of them together."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from itertools import groupby
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.keys import KeyUnavailable
from privacy_center.ledger import verify_receipt
from privacy_center.ledger.verify_receipt import receipt_file
from privacy_center.models import Account, ConsentRecord, DataSubject, Decision, Method
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.selectors.notice import FIRST_LANGUAGE, text_in
from privacy_center.selectors.receipt import (
    ReceiptMaker,
    ReceiptNotReady,
    receipt_records,
    sequenced_records,
)
from privacy_center.selectors.subject import subject_of
from privacy_center.sequencer import signing_keys
from privacy_center.views.zip_stream import zip_stream

RECEIPTS_SHOWN = 50
RECEIPTS_AT_ONCE = 100
# The sequencer works once a second or two; the reconciler makes up for it every ten.
RETRY_AFTER_SECONDS = "10"
SCRIPT = Path(verify_receipt.__file__)

View = Callable[..., HttpResponseBase]
Response = TypeVar("Response", bound=HttpResponseBase)


@dataclass(frozen=True)
class Line:
    """One decision in the list, in the reader's language."""

    record_id: UUID
    entry_id: int
    recorded_at: datetime
    title: str
    statement: str
    decision: str
    method: str
    index: int | None


def _for_a_person(view: View) -> View:
    """Signed in and with a data subject; whatever stands in a receipt's way is said plainly."""

    @wraps(view)
    def answer(request: HttpRequest, **arguments: object) -> HttpResponseBase:
        account = request.user
        subject = subject_of(account) if isinstance(account, Account) else None
        if subject is None:
            raise Http404
        try:
            return view(request, subject, **arguments)
        except ReceiptNotReady:
            return _not_ready(request)
        except KeyUnavailable:
            return _key_gone(request) if subject.wrapped_key is None else _key_away(request)

    return require_safe(never_cache(login_required(answer)))


@_for_a_person
def receipts(request: HttpRequest, subject: DataSubject) -> HttpResponse:
    """The decisions, newest first, by year; each leads to its receipt."""
    records = receipt_records(subject.id)
    before = request.GET.get("before", "")
    if before:
        if not before.isascii() or not before.isdigit() or len(before) > 18:
            raise Http404
        records = records.filter(entry__id__lt=int(before))
    lines = [_line(record) for record in records[: RECEIPTS_SHOWN + 1]]
    page = lines[:RECEIPTS_SHOWN]
    years = [(year, list(of)) for year, of in groupby(page, key=lambda line: line.recorded_at.year)]
    context = {
        "years": years,
        "before": before,
        "older": page[-1].entry_id if len(lines) > len(page) else None,
        "is_key_gone": subject.wrapped_key is None,
        "has_waiting": any(line.index is None for line in page),
        "has_ready": any(line.index is not None for line in page),
    }
    return render(request, "privacy_center/receipts.html", context)


@_for_a_person
def receipt(request: HttpRequest, subject: DataSubject, record_id: UUID) -> HttpResponse:
    """One receipt in words."""
    record = _record(subject, record_id)
    context: dict[str, object] = {
        "line": _line(record),
        "record": record,
        "is_key_gone": subject.wrapped_key is None,
    }
    if record.entry.index is not None and subject.wrapped_key is not None:
        maker = ReceiptMaker(subject, keys=signing_keys())
        context |= {"document": maker.receipts([record])[0], "checkpoint": maker.checkpoint}
    return render(request, "privacy_center/receipt.html", context)


@_for_a_person
def download(request: HttpRequest, subject: DataSubject, record_id: UUID) -> HttpResponse:
    """The receipt's file."""
    record = _record(subject, record_id)
    found = ReceiptMaker(subject, keys=signing_keys()).receipts([record])[0]
    return _attached(HttpResponse(receipt_file(found), "application/ld+json"), _file_name(record))


@_for_a_person
def download_all(request: HttpRequest, subject: DataSubject) -> StreamingHttpResponse:
    """Every receipt in one archive, with all that it takes to check them."""
    maker = ReceiptMaker(subject, keys=signing_keys())
    archive = zip_stream(_files(maker), at=timezone.now())
    return _attached(StreamingHttpResponse(archive, "application/zip"), "receipts.zip")


@require_safe
def verify(request: HttpRequest) -> HttpResponse:
    """The page where anybody checks a receipt, in their own browser."""
    context = {"keys": verifier_keys(), "decisions": Decision.choices}
    return render(request, "privacy_center/verify.html", context)


@require_safe
def script(request: HttpRequest) -> HttpResponse:
    """The verifier that needs nothing of ours."""
    return _attached(HttpResponse(SCRIPT.read_bytes(), "text/x-python"), SCRIPT.name)


def _record(subject: DataSubject, record_id: UUID) -> ConsentRecord:
    record = receipt_records(subject.id).filter(pk=record_id).first()
    if record is None:
        raise Http404
    return record


def _line(record: ConsentRecord) -> Line:
    text = text_in(record.notice, get_language() or FIRST_LANGUAGE)
    return Line(
        record.id,
        record.entry.pk,
        record.recorded_at,
        text.title,
        text.statement,
        str(Decision(record.decision).label),
        str(Method(record.method).label),
        record.entry.index,
    )


def _files(maker: ReceiptMaker) -> Iterator[tuple[str, bytes]]:
    keys = verifier_keys()
    readme = render_to_string("privacy_center/receipts_readme.txt", {"key": keys[0]})
    yield "README.txt", readme.encode()
    yield "keys.txt", "".join(f"{key}\n" for key in keys).encode()
    yield SCRIPT.name, SCRIPT.read_bytes()
    for records in _batches(maker):
        for record, found in zip(records, maker.receipts(records), strict=True):
            yield f"receipts/{_file_name(record)}", receipt_file(found)


def _batches(maker: ReceiptMaker) -> Iterator[Sequence[ConsentRecord]]:
    """What the maker's checkpoint covers: whatever came meanwhile is for the next download."""
    covered = sequenced_records(maker.subject.id).filter(entry__index__lt=maker.checkpoint.size)
    records = list(covered[:RECEIPTS_AT_ONCE])
    while records:
        yield records
        records = list(covered.filter(entry__id__lt=records[-1].entry.pk)[:RECEIPTS_AT_ONCE])


def _file_name(record: ConsentRecord) -> str:
    return f"receipt-{record.id}.json"


def _attached(response: Response, name: str) -> Response:
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _not_ready(request: HttpRequest) -> HttpResponse:
    detail = _(
        "This decision is on its way into the ledger; that takes a few seconds. It holds already. "
        "Load the page again for its receipt."
    )
    return _later(request, detail)


def _key_away(request: HttpRequest) -> HttpResponse:
    detail = _(
        "The keys that receipts are made with cannot be reached just now. Nothing was lost; "
        "try again shortly."
    )
    return _later(request, detail)


def _later(request: HttpRequest, detail: str) -> HttpResponse:
    response = render(request, "503.html", {"detail": detail}, status=503)
    response["Retry-After"] = RETRY_AFTER_SECONDS
    return response


def _key_gone(request: HttpRequest) -> HttpResponse:
    detail = _(
        "Your key was destroyed, so nobody can make receipts of your decisions any more: nothing "
        "links them to you. Receipts that you saved before can still be checked."
    )
    return render(request, "400.html", {"detail": detail}, status=410)
