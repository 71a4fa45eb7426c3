"""The ledger for everybody: checkpoints, proofs, hashes of leaves, and the keys that sign.

No sign-in and no cookies. What can never change is cached for good; a proof reads O(log n) rows.
"""

import base64
import re
from collections.abc import Callable, Sequence
from functools import wraps

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from privacy_center.models import LedgerCheckpoint, LedgerEntry
from privacy_center.selectors.ledger import (
    consistency,
    inclusion,
    latest_checkpoint,
    verifier_keys,
)

LEAVES_AT_ONCE = 1024
YEAR_SECONDS = 31_536_000
# A new checkpoint comes once a second at the most.
LATEST_SECONDS = 1
KEYS_SECONDS = 60

View = Callable[..., HttpResponse]


class _Refusal(Exception):
    """An answer that cannot be given: the status, and why."""

    def __init__(self, status: int, detail: str) -> None:
        self.status = status
        self.detail = detail
        super().__init__(detail)


def _public(view: View) -> View:
    """For HEAD and GET; a refusal is told as problem details (RFC 9457) and kept by no cache."""

    @wraps(view)
    def answer(request: HttpRequest, **arguments: str) -> HttpResponse:
        try:
            return view(request, **arguments)
        except _Refusal as refusal:
            body = {"type": "about:blank", "status": refusal.status, "detail": refusal.detail}
            response = JsonResponse(body, status=refusal.status)
            response["Content-Type"] = "application/problem+json"
            patch_cache_control(response, no_store=True)
            return response

    return require_safe(answer)


@_public
def checkpoint(request: HttpRequest) -> HttpResponse:
    """The newest signed checkpoint (C2SP tlog-checkpoint)."""
    _numbers(request)
    latest = _latest()
    return _text(latest.note, LATEST_SECONDS)


@_public
def checkpoint_at(request: HttpRequest, size: str) -> HttpResponse:
    """The checkpoint that was signed at a size; not every size was."""
    _numbers(request)
    found = LedgerCheckpoint.objects.filter(pk=_number(size)).first()
    if found is None:
        raise _Refusal(404, _("No checkpoint was signed at this size."))
    return _text(found.note, YEAR_SECONDS)


@_public
def consistency_proof(request: HttpRequest) -> HttpResponse:
    """The proof that the tree of size `to` begins with that of size `from` (RFC 9162 §2.1.4)."""
    first, second = _numbers(request, "from", "to")
    if not 0 < first <= second:
        raise _Refusal(400, _("A tree begins with one that is not empty and not larger."))
    _require_size(second)
    hashes = _encoded(consistency(first, second))
    return _json({"from": first, "to": second, "hashes": hashes})


@_public
def inclusion_proof(request: HttpRequest) -> HttpResponse:
    """The proof that a leaf is in the tree of a size (RFC 9162 §2.1.3), and the leaf's hash."""
    index, size = _numbers(request, "index", "size")
    if index >= size:
        raise _Refusal(400, _("A tree of this size has no entry with this index."))
    _require_size(size)
    leaf = _leaf_hashes(index, index + 1)[0]
    hashes = _encoded(inclusion(index, size))
    return _json({"index": index, "size": size, "leaf": leaf, "hashes": hashes})


@_public
def leaves(request: HttpRequest) -> HttpResponse:
    """The hashes of the leaves from `from` up to, and without, `to`."""
    first, last = _numbers(request, "from", "to")
    if not first < last <= first + LEAVES_AT_ONCE:
        raise _Refusal(400, _("Ask for 1 to 1024 entries at a time."))
    _require_size(last)
    return _json({"from": first, "to": last, "leaves": _leaf_hashes(first, last)})


@_public
def keys(request: HttpRequest) -> HttpResponse:
    """Every verifier key that ever signed, one a line, the newest first."""
    _numbers(request)
    return _text("".join(f"{key}\n" for key in verifier_keys()), KEYS_SECONDS)


def _latest() -> LedgerCheckpoint:
    latest = latest_checkpoint()
    if latest is None:
        raise _Refusal(404, _("The ledger is empty: nobody has decided anything yet."))
    return latest


def _require_size(size: int) -> None:
    if size > _latest().size:
        raise _Refusal(404, _("The ledger has not grown to this size."))


def _leaf_hashes(first: int, last: int) -> list[str]:
    entries = LedgerEntry.objects.filter(index__gte=first, index__lt=last).order_by("index")
    return _encoded([bytes(data) for data in entries.values_list("leaf_hash", flat=True)])


def _numbers(request: HttpRequest, *names: str) -> list[int]:
    """Exactly these parameters, once each (input 52)."""
    if sorted(name for name, _values in request.GET.lists()) != sorted(names):
        wanted = ", ".join(names) or _("none")
        raise _Refusal(400, _("The address takes these parameters: %(names)s.") % {"names": wanted})
    if any(len(values) > 1 for _name, values in request.GET.lists()):
        raise _Refusal(400, _("The address says something twice."))
    return [_number(request.GET[name]) for name in names]


def _number(text: str) -> int:
    """A decimal number without leading zeros, below 2^63."""
    if not re.fullmatch(r"0|[1-9][0-9]{0,18}", text, re.ASCII) or int(text) >= 2**63:
        raise _Refusal(400, _("A number is written in digits, without zeros before it."))
    return int(text)


def _encoded(hashes: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(data).decode() for data in hashes]


def _text(text: str, seconds: int) -> HttpResponse:
    return _cached(HttpResponse(text, content_type="text/plain; charset=utf-8"), seconds)


def _json(body: dict[str, object]) -> HttpResponse:
    return _cached(JsonResponse(body), YEAR_SECONDS)


def _cached(response: HttpResponse, seconds: int) -> HttpResponse:
    patch_cache_control(response, public=True, max_age=seconds)
    if seconds == YEAR_SECONDS:
        patch_cache_control(response, immutable=True)
    return response
