"""The taste: what is inferred about a person, and what they say about it."""

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from privacy_center.interface import person
from recommendations.actions.listening import NotConsented
from recommendations.actions.taste import (
    exclude_practice,
    hide_practice,
    include_practice,
    reset_taste,
    restore_taste,
)
from recommendations.models import Practice
from recommendations.selectors.inference import inference

ANSWERS = ("yes", "no")


@require_safe
@never_cache
def taste(request: HttpRequest) -> HttpResponse:
    """What the site infers about whoever is looking; without a yes to that, what it would be."""
    context = {"inference": inference(person(request), now=timezone.now())}
    return render(request, "recommendations/taste.html", context)


@require_POST
@login_required
def count(request: HttpRequest, slug: str) -> HttpResponse:
    """Leave what was done with a practice out of the taste, or count it again."""
    practice = get_object_or_404(Practice, slug=slug)
    who = person(request)

    def act(is_yes: bool) -> str:
        if is_yes:
            include_practice(who, practice)
            return _("“%(title)s” counts in your taste again.") % {"title": practice.title}
        exclude_practice(who, practice)
        return _("“%(title)s” is out of your taste, and stays in your history.") % {
            "title": practice.title
        }

    return _answer(request, "counts", act)


@require_POST
@login_required
def hide(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a practice off the person's shelves, or let it be there again."""
    practice = get_object_or_404(Practice, slug=slug)

    def act(is_yes: bool) -> str:
        hide_practice(person(request), practice, is_hidden=is_yes)
        said = (
            _("“%(title)s” will not be on your shelves. The library still has it.")
            if is_yes
            else _("“%(title)s” may be on your shelves again.")
        )
        return said % {"title": practice.title}

    return _answer(request, "hidden", act)


@require_POST
@login_required
def reset(request: HttpRequest) -> HttpResponse:
    """Forget what was inferred and keep the history, or count all of it again."""
    who = person(request)

    def act(is_yes: bool) -> str:
        if is_yes:
            reset_taste(who)
            return _("Forgotten. Your history is as it was, and your taste begins anew.")
        restore_taste(who)
        return _("Your whole history counts in your taste again.")

    return _answer(request, "reset", act)


def _answer(request: HttpRequest, name: str, act: Callable[[bool], str]) -> HttpResponse:
    """Do what the form's yes or no says, and say what was done."""
    wish = request.POST.get(name)
    if wish not in ANSWERS:
        detail = _("This choice is not known here. Nothing was changed.")
        return render(request, "400.html", {"detail": detail}, status=400)
    try:
        messages.success(request, act(wish == "yes"))
    except NotConsented:
        messages.info(request, _("Nothing was changed: this needs your yes to it."))
    return redirect("recommendations:taste")
