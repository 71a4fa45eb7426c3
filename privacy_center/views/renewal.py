"""Putting a renewal aside: the question is quiet, and can wait."""

from datetime import datetime, timedelta

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from privacy_center.gpc import ENDED
from privacy_center.views.consent import page_before

# A session lasts for weeks; after this long it is the next visit.
NEXT_VISIT = timedelta(hours=8)
ASIDE = "renewals_aside_at"


@require_POST
@login_required
def put_aside(request: HttpRequest) -> HttpResponse:
    """Ask nothing more during this visit; what the signal ended is told, and stays off."""
    request.session[ASIDE] = timezone.now().timestamp()
    request.session.pop(ENDED, None)
    return redirect(page_before(request))


def is_put_aside(request: HttpRequest, *, at: datetime) -> bool:
    """Whether the person said `later` during this visit."""
    aside_at: float = request.session.get(ASIDE, 0.0)
    return at.timestamp() - aside_at < NEXT_VISIT.total_seconds()
