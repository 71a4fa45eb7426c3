"""The admin as a site: who comes in, and what everybody else sees."""

import logging
from collections.abc import Callable
from functools import wraps
from typing import TypeVar, cast

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import BadRequest, FieldError, ValidationError
from django.db import DataError, NotSupportedError, ProgrammingError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse

logger = logging.getLogger(__name__)

V = TypeVar("V", bound=Callable[..., HttpResponseBase])

# What Django's own lists raise on a filter, a sort or a row that nobody could have meant.
CANNOT_BE_MEANT = (
    DataError,
    ProgrammingError,
    NotSupportedError,
    FieldError,
    ValidationError,
    ValueError,
    TypeError,
    IndexError,
    OverflowError,
)


class StaffSite(AdminSite):
    """Signing in is the site's own; to people who are not staff nothing is here (input 50)."""

    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = "Staff"

    def has_permission(self, request: HttpRequest) -> bool:
        is_staff = super().has_permission(request)
        if request.user.is_authenticated and not is_staff:
            raise Http404
        return is_staff

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        self.has_permission(request)
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response

    def admin_view(self, view: V, cacheable: bool = False) -> V:
        return super().admin_view(_refusing(view), cacheable)


def _refusing(view: V) -> V:
    """The view, answering 400 to an address or a choice of rows that was made by hand and breaks
    it."""

    @wraps(view)
    def refusing(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        is_by_hand = bool(request.GET) or ACTION_CHECKBOX_NAME in request.POST
        if not is_by_hand:
            return view(request, *args, **kwargs)
        try:
            response = view(request, *args, **kwargs)
            # Lists read their rows when they are rendered.
            return response.render() if isinstance(response, SimpleTemplateResponse) else response
        except CANNOT_BE_MEANT as error:
            # The message may hold what was typed; the kind of error says enough to look for it.
            logger.warning("Refused at %s: %s", request.path, type(error).__name__)
            raise BadRequest("This list cannot be asked for that.") from None

    return cast(V, refusing)
