"""Favorites: the list, and marking one."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy_center.interface import person
from recommendations.actions.listening import NotConsented, set_favorite
from recommendations.selectors.listening import favorite_ids
from recommendations.selectors.practice import by_ids, published
from recommendations.selectors.shelves import Card


@require_safe
@never_cache
def favorites(request: HttpRequest) -> HttpResponse:
    """What the person marked; without storing, the browser keeps the list itself."""
    who = person(request)
    ids = favorite_ids(who.subject_id) if who.subject_id and who.can_store else []
    practices = by_ids(ids)
    context = {
        "cards": [Card(practices[pk]) for pk in ids if pk in practices],
        "device_shelf": not who.can_store,
    }
    return render(request, "recommendations/favorite_list.html", context)


@require_POST
@login_required
def favorite(request: HttpRequest, slug: str) -> HttpResponse:
    """Mark or unmark a practice, as the form says; twice is the same as once."""
    practice = get_object_or_404(published(), slug=slug)
    wish = request.POST.get("favorite")
    if wish not in ("yes", "no"):
        detail = _("This choice is not known here. Nothing was changed.")
        return render(request, "400.html", {"detail": detail}, status=400)
    try:
        set_favorite(person(request), practice, is_favorite=wish == "yes")
    except NotConsented:
        messages.info(request, _("Nothing was kept: you chose that your listening stays with you."))
    return redirect(practice)
