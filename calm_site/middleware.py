"""Requests that cannot be meant are refused before any view; a lost database is said plainly."""

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes, urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.locale import LocaleMiddleware
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from redis.exceptions import ConnectionError as CacheDown
from redis.exceptions import ResponseError as CacheRefuses
from redis.exceptions import TimeoutError as CacheSlow

Handler = Callable[[HttpRequest], HttpResponse]

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
API = "/api/"
LOOPBACK = ("127.0.0.1", "::1")
RETRY_AFTER_SECONDS = "5"
# The database, or the cache that counts sign-in attempts.
OUTAGES = (OperationalError, InterfaceError, CacheDown, CacheSlow, CacheRefuses)
LENGTH = re.compile("[0-9]{1,18}")


def refusal(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """A refusal in the form the client reads: problem details for the API, a page for people."""
    if request.path_info.startswith(API):
        body = {"type": "about:blank", "status": status, "detail": detail}
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return HttpResponse(render_to_string("400.html", {"detail": detail}), status=status)


class ReaderLanguage(LocaleMiddleware):
    """The language a reader chose, or their browser's. The staff pages are written in English only:
    a half of them in another language would help nobody."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        if request.path_info.startswith(reverse("admin:index")):
            translation.activate(settings.LANGUAGE_CODE)


class RequestHygiene:
    """405 for unknown methods; 400 for NUL in the address or a cookie, invalid UTF-8 and a length
    that is none; 413 for big bodies. Only staff upload files: their form checks those."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in METHODS:
            response = refusal(request, 405, _("This method is not supported."))
            response["Allow"] = ", ".join(sorted(METHODS))
            return response
        if not _is_clean(request):
            return refusal(request, 400, _("The address contains characters that cannot be used."))
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not LENGTH.fullmatch(length):
            return refusal(request, 400, _("The length of the request cannot be read."))
        if int(length) > _most_bytes(request):
            return refusal(
                request, 413, _("That is more than this address takes. Nothing was kept.")
            )
        return self.get_response(request)


def _is_clean(request: HttpRequest) -> bool:
    """Whether the query is valid UTF-8, and path, query and cookies are without NUL."""
    raw = request.META.get("QUERY_STRING", "")
    try:
        query = unquote_to_bytes(raw.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        return False
    try:
        urlsplit(request.GET.get("next", ""))
    except ValueError:
        return False
    return "\0" not in "".join([query, request.path, *request.COOKIES.values()])


def _most_bytes(request: HttpRequest) -> int:
    limit: int = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    is_upload = request.content_type == "multipart/form-data"
    if is_upload and request.path_info.startswith(reverse("admin:index")):
        limit += settings.AUDIO_MAX_BYTES
    return limit


class PersonalAnswers:
    """What is answered to somebody with a session, or by the API, is kept by no cache: neither
    between them and us nor in a browser that others use later."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        has_session = settings.SESSION_COOKIE_NAME in request.COOKIES
        is_personal = has_session or request.path_info.startswith(API)
        if is_personal and not request.path_info.startswith(settings.MEDIA_URL):
            response["Cache-Control"] = "private, no-store"
        return response


class DatabaseOutage:
    """A database that is away answers 503 with Retry-After; the next request tries anew.

    Connections come from a pool that checks them, so recovery needs nothing from us (fault 19).
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if isinstance(error, OUTAGES):
            return unavailable(request)
        return None


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 that says what happened, in the client's form."""
    detail = _(
        "The site cannot reach a part of itself just now. Nothing was lost; try again shortly."
    )
    if request.path_info.startswith(API):
        response = refusal(request, 503, detail)
    else:
        response = render(None, "503.html", {"detail": detail}, status=503)
    response["Retry-After"] = RETRY_AFTER_SECONDS
    return response
