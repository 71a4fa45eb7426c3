"""What mood is for, and its own explicit statements (GDPR 9(2)(a)), one by one."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from privacy_center.forms.consent import MoodForm
from privacy_center.interface import person
from privacy_center.selectors.matrix import mood_cells
from privacy_center.selectors.notice import FIRST_LANGUAGE
from privacy_center.selectors.subject import is_below_consent
from privacy_center.views.consent import answer


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def mood(request: HttpRequest) -> HttpResponse:
    """Read what would happen; `POST` is an answer to one statement."""
    if request.method == "POST":
        return _answer(request)
    subject_id = person(request).subject_id
    language = get_language() or FIRST_LANGUAGE
    context = {
        "cells": mood_cells(subject_id, language=language, at=timezone.now()),
        "is_below_consent": subject_id is not None and is_below_consent(subject_id),
    }
    return render(request, "privacy_center/mood.html", context)


@login_required
def _answer(request: HttpRequest) -> HttpResponse:
    return answer(request, MoodForm(request.POST))
