"""The policy about health data (Washington's My Health My Data Act), apart from all else."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language
from django.views.decorators.http import require_safe

from privacy_center.purposes import MOOD
from privacy_center.selectors.notice import FIRST_LANGUAGE, live_notices_with_texts, text_in


@require_safe
def health_policy(request: HttpRequest) -> HttpResponse:
    """What health data there is, why, and what people can do about it. The purposes are those of
    the live notices, in the same words."""
    notices, language = live_notices_with_texts(), get_language() or FIRST_LANGUAGE
    context = {
        "notices": [text_in(notices[purpose], language) for purpose in MOOD],
        "controller": settings.CONTROLLER,
    }
    return render(request, "privacy_center/health_policy.html", context)
