"""The timeline: dates on a line, newest first, of one kind or of all."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.forms.timeline import TimelineForm
from privacy_center.interface import person
from privacy_center.selectors.notice import FIRST_LANGUAGE
from privacy_center.selectors.timeline import Kind, timeline
from privacy_center.views.consent import unknown

PAGE_SIZE = 40
KINDS = (
    ("", _("Everything")),
    (Kind.DECISION, _("Decisions")),
    (Kind.LEARNING, _("Learning")),
    (Kind.ACCESS, _("Staff who looked")),
    (Kind.JOINING, _("Joining")),
)


@require_safe
@never_cache
@login_required
def timeline_page(request: HttpRequest) -> HttpResponse:
    """One page of what was decided, learned and looked at."""
    subject_id = person(request).subject_id
    if subject_id is None:
        raise Http404
    form = TimelineForm(request.GET)
    if not form.is_valid():
        return unknown(request)
    kind, page = form.cleaned_data["kind"], form.cleaned_data["page"] or 1
    found = timeline(
        subject_id,
        kind=Kind(kind) if kind else None,
        page=page,
        size=PAGE_SIZE,
        language=get_language() or FIRST_LANGUAGE,
    )
    context = {"timeline": found, "kinds": KINDS, "kind": kind, "page": page}
    return render(request, "privacy_center/timeline.html", context)
