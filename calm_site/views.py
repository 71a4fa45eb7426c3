"""Pages of the shell: the account, health, the demo's mailbox, and what errors look like."""

import email
import email.policy
import sys
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.db import connection
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_safe

from calm_site.middleware import API, LOOPBACK, OUTAGES, refusal, unavailable

MAILS_SHOWN = 20


@require_safe
@login_required
def account(request: HttpRequest) -> HttpResponse:
    """One's own account: e-mail, password, passkeys, second step, sign out."""
    return render(request, "calm_site/account.html")


@require_safe
def health(request: HttpRequest) -> JsonResponse:
    """200 when the site answers and its database does; else 503 by the middleware."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return JsonResponse({"status": "ok"})


@dataclass(frozen=True)
class Mail:
    subject: str
    to: str
    date: str
    body: str


@require_safe
def mailbox(request: HttpRequest) -> HttpResponse:
    """The demo's outgoing mail, newest first: only on a demo, and only to the machine itself."""
    if request.META["REMOTE_ADDR"] not in LOOPBACK:
        raise Http404
    folder = Path(settings.MAIL_DIR)
    files = sorted(folder.glob("*.log"), key=lambda f: f.stat().st_mtime, reverse=True)
    mails = [_read_mail(file) for file in files[:MAILS_SHOWN]]
    return render(request, "calm_site/mailbox.html", {"mails": mails})


def _read_mail(file: Path) -> Mail:
    first = file.read_bytes().split(b"\n" + b"-" * 79)[0]
    message = email.message_from_bytes(first, policy=email.policy.default)
    part = message.get_body(preferencelist=("plain",))
    return Mail(
        subject=str(message["Subject"]),
        to=str(message["To"]),
        date=str(message["Date"]),
        body=part.get_content() if part else "",
    )


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, as a page or as problem details."""
    return refusal(request, 400, _("The request cannot be read. Nothing was kept."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, as a page or as problem details."""
    if request.path_info.startswith(API):
        return refusal(request, 404, _("There is nothing at this address."))
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    """500, as a page or as problem details; 503 when the database was lost outside of a view."""
    if isinstance(sys.exception(), OUTAGES):
        return unavailable(request)
    if request.path_info.startswith(API):
        return refusal(request, 500, _("Something broke on our side. It is in our log."))
    return defaults.server_error(request)
