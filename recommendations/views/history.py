"""The history: every listen, found, deleted, left out of the taste and counted again."""

from collections.abc import Callable
from datetime import tzinfo
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone as clock
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy_center.interface import Person, person
from recommendations.actions.history import delete_listens, exclude_listens, include_listens
from recommendations.actions.listening import NotConsented
from recommendations.forms.history import ChoiceForm, HistoryForm
from recommendations.models import Listen
from recommendations.selectors.history import chosen, found, last_twelve, months, page_of
from recommendations.views.home import device_zone
from recommendations.views.month_picture import bars

Action = Callable[[Person, QuerySet[Listen]], int]


@require_safe
@never_cache
def history(request: HttpRequest) -> HttpResponse:
    """What the person listened to, as far as the site keeps it; otherwise the browser draws it."""
    who, zone = person(request), device_zone(request)
    listened = months(who.subject_id, zone=zone) if who.subject_id else []
    if who.subject_id is None or not (who.can_store or listened):
        return render(request, "recommendations/history.html", {"is_on_device": True})
    form = HistoryForm(request.GET)
    form.offer(listened)
    context: dict[str, object] = {"form": form, "count": sum(month.count for month in listened)}
    is_valid = form.is_valid()
    if is_valid:
        listens = found(who.subject_id, form.search, zone=zone)
        context |= {
            "page": page_of(listens, after=form.cleaned_data["after"], zone=zone),
            "found": listens.count(),
            "bars": bars(last_twelve(listened, today=clock.now().astimezone(zone).date())),
        }
    # Days and times by the person's own clock.
    with clock.override(zone):
        status = 200 if is_valid else 400
        return render(request, "recommendations/history.html", context, status=status)


@require_POST
@login_required
def delete(request: HttpRequest) -> HttpResponse:
    """Delete the chosen listens."""
    return _act(request, delete_listens, _deleted)


@require_POST
@login_required
def exclude(request: HttpRequest) -> HttpResponse:
    """Leave the chosen listens out of the taste."""
    return _act(request, exclude_listens, _excluded)


@require_POST
@login_required
def include(request: HttpRequest) -> HttpResponse:
    """Count the chosen listens again."""
    return _act(request, include_listens, _included)


def _act(request: HttpRequest, action: Action, said: Callable[[int], str]) -> HttpResponse:
    """Do it to what the form chooses, say what was done, and show the same page again."""
    who, form, choice = person(request), HistoryForm(request.POST), ChoiceForm(request.POST)
    if who.subject_id is None or not form.is_valid() or not choice.is_valid():
        detail = _("This choice is not known here. Nothing was changed.")
        return render(request, "400.html", {"detail": detail}, status=400)
    listens = _listens(who.subject_id, form, choice, zone=device_zone(request))
    try:
        messages.success(request, said(action(who, listens)))
    except NotConsented:
        detail = _("Nothing was changed: this needs your yes to keeping your history.")
        messages.info(request, detail)
    return redirect(reverse("recommendations:history") + ("" if choice.is_found else form.query))


def _listens(
    subject_id: UUID, form: HistoryForm, choice: ChoiceForm, *, zone: tzinfo
) -> QuerySet[Listen]:
    """What was chosen; 404 when any of it is not in the person's own history."""
    if choice.is_found:
        return found(subject_id, form.search, zone=zone)
    listens = chosen(subject_id, choice.ids)
    if listens is None:
        raise Http404
    return listens


def _deleted(count: int) -> str:
    if not count:
        return _("Nothing was chosen, and nothing was deleted.")
    return ngettext("%(count)d listen was deleted.", "%(count)d listens were deleted.", count) % {
        "count": count
    }


def _excluded(count: int) -> str:
    if not count:
        return _("Nothing was changed: nothing was chosen that is in your taste.")
    return ngettext(
        "%(count)d listen is out of your taste, and stays in your history.",
        "%(count)d listens are out of your taste, and stay in your history.",
        count,
    ) % {"count": count}


def _included(count: int) -> str:
    if not count:
        return _("Nothing was changed: nothing was chosen that is out of your taste.")
    return ngettext(
        "%(count)d listen counts in your taste again.",
        "%(count)d listens count in your taste again.",
        count,
    ) % {"count": count}
