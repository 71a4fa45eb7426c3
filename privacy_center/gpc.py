"""Global Privacy Control: reads a browser's signal, and has a change of it recorded, once.

The signal is a header, or a cookie: gpc.js sets `gpc=signal` where a browser tells scripts only,
and `gpc=pressed` is the opt-out of somebody without an account. Nothing else counts, least of all
a query parameter.
"""

from collections.abc import Callable
from contextlib import suppress

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language

from privacy_center.actions.consent import decide
from privacy_center.actions.gpc import honor_signal
from privacy_center.interface import person
from privacy_center.models import Decision, Method
from privacy_center.purposes import Purpose
from privacy_center.selectors.gpc import has_signaled

COOKIE = "gpc"
SIGNAL, PRESSED = "signal", "pressed"
# In the session: what its last request said, and what the signal ended that was not told yet.
SEEN, ENDED = "gpc", "gpc_ended"
API = "/api/"

Handler = Callable[[HttpRequest], HttpResponse]


def has_signal(request: HttpRequest) -> bool:
    """Whether the browser says it. Of several headers, which arrive joined by commas, one that is
    exactly `1` is enough."""
    values = request.META.get("HTTP_SEC_GPC", "").split(",")
    return any(value.strip(" \t") == "1" for value in values) or (
        request.COOKIES.get(COOKIE) == SIGNAL
    )


class GlobalPrivacyControl:
    """Sets `request.gpc`. For somebody signed in, a change of it goes to the ledger."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.gpc = has_signal(request)  # type: ignore[attr-defined]
        # Recordings depend on nobody, and an untouched session keeps them cacheable.
        is_media = request.path_info.startswith(settings.MEDIA_URL)
        if settings.SESSION_COOKIE_NAME in request.COOKIES and not is_media:
            # That the database is away is for the view to meet; the next request notes the signal.
            with suppress(OperationalError, InterfaceError):
                _note(request)
        response = self.get_response(request)
        if request.session.modified:
            _begin(request)
        if request.path_info.startswith(API) or _is_page(response):
            patch_vary_headers(response, ["Sec-GPC"])
        return response


def _begin(request: HttpRequest) -> None:
    """A sign-in writes the session anyway: it begins with knowing that there is no signal."""
    if SEEN not in request.session and not _says_no(request) and request.user.is_authenticated:
        request.session[SEEN] = False


def _note(request: HttpRequest) -> None:
    """One look at the session, unless the signal is another than at its last request.

    Only a change counts: an explicit yes after the signal holds while the same signal goes on. In
    a new session a signal that was recorded before is no change.
    """
    says = _says_no(request)
    seen: bool | None = request.session.get(SEEN)
    if bool(seen) is says or not request.user.is_authenticated:
        return
    subject_id = person(request).subject_id
    if not says or subject_id is None or (seen is None and has_signaled(subject_id)):
        request.session[SEEN] = says
        return
    at, language = timezone.now(), get_language() or "en"
    if has_signal(request):
        records = honor_signal(subject_id, at=at, language=language)
    else:
        # A press is a press, also when it was made before signing in.
        said, by = {Purpose.SALE: False}, Method.PRIVACY_PAGE
        records = decide(subject_id, said, method=by, at=at, language=language)
    # Afterwards: a signal that could not be recorded is heard again at the next request.
    request.session[SEEN] = says
    ended = [record.purpose for record in records if record.decision == Decision.WITHDRAWN]
    if ended:
        request.session[ENDED] = ended
    # What was read of the person is older than what was just recorded.
    del request._person  # type: ignore[attr-defined]


def _says_no(request: HttpRequest) -> bool:
    """An opt-out that was pressed in this browser goes with the person who signs in."""
    return has_signal(request) or request.COOKIES.get(COOKIE) == PRESSED


def _is_page(response: HttpResponse) -> bool:
    return str(response.get("Content-Type", "")).startswith("text/html")
