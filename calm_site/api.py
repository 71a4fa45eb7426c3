"""How the API reads and answers: strict JSON in, JSON out, problem details for every error."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, Never

import orjson
from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, renderers, status
from rest_framework.parsers import BaseParser
from rest_framework.response import Response
from rest_framework.views import exception_handler

MAX_DEPTH = 32
MAX_DIGITS = 18


class PayloadTooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = gettext_lazy("That is more than this address takes. Nothing was kept.")
    default_code = "too_large"


class JSONRenderer(renderers.BaseRenderer):
    """orjson; fast, and UTF-8 without escapes."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: object,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        # Errors of a list are keyed by position.
        options = orjson.OPT_NON_STR_KEYS
        return b"" if data is None else orjson.dumps(data, default=str, option=options)


class StrictJSONParser(BaseParser):
    """JSON as RFC 8259 means it, one meaning only.

    Refused with 400: duplicate keys, NaN and infinities, integers of more than 18 digits, nesting
    beyond 32, lone surrogates, NUL, invalid UTF-8, and anything but an object at the top.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> dict[str, object]:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        raw: bytes = stream.read(limit + 1)
        if len(raw) > limit:
            raise PayloadTooLarge
        return parse_object(raw)


def parse_object(raw: bytes) -> dict[str, object]:
    """The JSON object in `raw`; `ParseError` (400) says what is wrong."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise exceptions.ParseError(_("The body is not valid UTF-8.")) from None
    _check_depth(text)
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_small_int,
        )
    except ValueError as error:
        raise exceptions.ParseError(
            _("The body is not valid JSON: %(why)s") % {"why": error}
        ) from None
    if not isinstance(value, dict):
        raise exceptions.ParseError(_("The body must be a JSON object."))
    _check_text(value)
    return value


def _check_depth(text: str) -> None:
    depth = 0
    in_string = escaped = False
    for char in text:
        if in_string:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_string = False
        elif char == '"':
            in_string = True
        elif char in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise exceptions.ParseError(_("The body is nested too deeply."))
        elif char in "]}":
            depth -= 1


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key appears twice")
    return value


def _no_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _small_int(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError("a whole number is too long")
    return int(digits)


def _check_text(value: object) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= c <= "\udfff" for c in value):
            raise exceptions.ParseError(_("Some text contains characters that cannot be stored."))
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def problem(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Every error as problem details (RFC 9457), with the fields at fault under `errors`."""
    if isinstance(error, RequestDataTooBig):
        error = PayloadTooLarge()
    if isinstance(error, OperationalError | InterfaceError):
        return None
    response = exception_handler(error, dict(context))
    if response is None:
        return None
    body: dict[str, object] = {"type": "about:blank", "status": response.status_code}
    if isinstance(response.data, dict) and set(response.data) == {"detail"}:
        body["detail"] = str(response.data["detail"])
        code = getattr(error, "default_code", "")
        if isinstance(error, exceptions.APIException):
            codes = error.get_codes()
            code = codes if isinstance(codes, str) else code
        body["code"] = code
    else:
        body["detail"] = _("Some of what was sent cannot be used. Nothing was kept.")
        body["errors"] = response.data
    response.data = body
    response.content_type = "application/problem+json"
    return response
