"""Evidence for anybody: what is held and why, the ledger as it stands, and every notice."""

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from privacy_center.purposes import Purpose
from privacy_center.selectors.data_map import activities, activities_csv, held_categories
from privacy_center.selectors.evidence import notice_versions, purpose_lines
from privacy_center.selectors.ledger import latest_checkpoint
from privacy_center.selectors.notice import FIRST_LANGUAGE


@require_safe
def evidence(request: HttpRequest) -> HttpResponse:
    """What this site holds, why, and how anybody can check it."""
    context = {
        "purposes": purpose_lines(_language()),
        "categories": held_categories(),
        "checkpoint": latest_checkpoint(),
        "smallest_group": settings.SMALLEST_GROUP,
    }
    return render(request, "privacy_center/evidence.html", context)


@require_safe
def record_of_processing(request: HttpRequest) -> HttpResponse:
    """The record of processing activities (GDPR 30), as a page."""
    context = {"activities": activities(), "controller": settings.CONTROLLER}
    return render(request, "privacy_center/record_of_processing.html", context)


@require_safe
def record_of_processing_file(_request: HttpRequest) -> HttpResponse:
    """The same as a CSV file."""
    answer = HttpResponse(activities_csv(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="record-of-processing.csv"'
    return answer


@require_safe
def notice(request: HttpRequest, purpose: str) -> HttpResponse:
    """Every version of one purpose's notice, and what changed from one to the next."""
    if purpose not in set(Purpose):
        raise Http404
    versions = notice_versions(Purpose(purpose), _language())
    return render(request, "privacy_center/notice.html", {"versions": versions})


def _language() -> str:
    return get_language() or FIRST_LANGUAGE
