"""The first page: shelves."""

from collections.abc import Sequence
from datetime import timedelta, tzinfo
from datetime import timezone as fixed_zone

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.interface import Person, person
from recommendations.models import Intention
from recommendations.selectors.shelves import Shelf, moment_at, shelves

GREETINGS = {
    Intention.MORNING: gettext_lazy("Good morning"),
    Intention.FOCUS: gettext_lazy("Good day"),
    Intention.CALM: gettext_lazy("Good evening"),
    Intention.SLEEP: gettext_lazy("Good night"),
}
FURTHEST_OFFSET = 14 * 60


@require_safe
@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Shelves for whoever is looking."""
    who, now, clock = person(request), timezone.now(), utc_offset_minutes(request)
    offset = clock or 0
    asked = request.GET.get("intention", "")
    intention = Intention(asked) if asked in Intention.values else None
    moment = moment_at(now, utc_offset_minutes=offset)
    shown = shelves(who, now=now, intention=intention, utc_offset_minutes=offset)
    context = {
        "greeting": _("Welcome") if clock is None else GREETINGS[moment.intention],
        "shelves": shown,
        "intention": intention or "",
        "intentions": Intention.choices,
        "privacy_line": privacy_line(who, shown),
        "device_shelf": not who.can_store,
    }
    return render(request, "recommendations/home.html", context)


@require_safe
def how(request: HttpRequest) -> HttpResponse:
    """How pages are made, and what is kept for it."""
    return render(request, "recommendations/how.html")


def utc_offset_minutes(request: HttpRequest) -> int | None:
    """The device's clock against UTC, from the `clock` cookie; None when it does not say."""
    text = request.COOKIES.get("clock", "")
    try:
        offset = int(text[:6])
    except ValueError:
        return None
    return offset if abs(offset) <= FURTHEST_OFFSET else None


def device_zone(request: HttpRequest) -> tzinfo:
    """The clock of the person's device, by its own word; UTC when it does not say."""
    return fixed_zone(timedelta(minutes=utc_offset_minutes(request) or 0))


def privacy_line(who: Person, shown: Sequence[Shelf]) -> str:
    """How this page was made, in one sentence."""
    if any(shelf.is_by_mood for shelf in shown):
        if who.can_personalize:
            return _("Your own history and your last check-in shaped this page.")
        return _("Your last check-in shaped this page.")
    if any(shelf.is_personal for shelf in shown):
        return _("Your own history shaped this page.")
    if who.can_personalize:
        return _("Once you have listened to something, your own history shapes this page.")
    return _("Nothing about you was used to make this page.")
