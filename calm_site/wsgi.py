"""The WSGI entry point (granian, `calm_site.wsgi:application`)."""

import gc
import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

site = get_wsgi_application()
# What is loaded by now stays: the garbage collector need not look at it again with each round.
gc.freeze()

# Models are there once the line above is done.
from privacy_center.eraser import refuse_restored  # noqa: E402
from recommendations.selectors.release import watch_releases  # noqa: E402

refuse_restored()


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """What a web process runs: the site, and from its first request on a look for releases."""
    watch_releases()
    return readable(environ, start_response)


def readable(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The site. A content type that cannot be read, or names an encoding other than UTF-8, is no
    request yet to Django: 400 from here."""
    try:
        _kind, parameters = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        is_text = parameters.get("charset", "utf-8").lower() in ("utf-8", "utf8", "us-ascii")
    except ValueError:
        is_text = False
    if not is_text:
        start_response("400 Bad Request", [("Content-Type", "text/plain")])
        return [b"The content type of the request cannot be read. Nothing was kept.\n"]
    return site(environ, start_response)
