"""The library, a practice with its player, and why it is recommended."""

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from privacy_center.interface import person
from recommendations.forms.practice import LibraryForm
from recommendations.models import Practice
from recommendations.selectors.explanation import explanation
from recommendations.selectors.listening import is_favorite, rating_of, resume_position
from recommendations.selectors.practice import matching, published
from recommendations.selectors.shelves import Card, similar
from recommendations.views.mood import new_check_in

PAGE_SIZE = 24


@require_safe
def library(request: HttpRequest) -> HttpResponse:
    """Every practice, narrowed by what somebody looks for."""
    form = LibraryForm(request.GET)
    if not form.is_valid():
        return render(
            request,
            "recommendations/practice_list.html",
            {"form": form, "page_obj": None, "cards": [], "count": 0},
            status=400,
        )
    page = Paginator(matching(form.filters), PAGE_SIZE).get_page(form.cleaned_data["page"] or 1)
    context = {
        "form": form,
        "page_obj": page,
        "cards": [Card(practice) for practice in page],
        "count": page.paginator.count,
    }
    return render(request, "recommendations/practice_list.html", context)


@require_safe
@never_cache
def practice(request: HttpRequest, slug: str) -> HttpResponse:
    """One practice with its player."""
    found = get_object_or_404(published(), slug=slug)
    who = person(request)
    own = who.subject_id if who.can_store else None
    context = {
        "practice": found,
        "player_data": player_data(found, resume=resume_position(own, found.pk) if own else 0),
        "lines": found.content.get("lines", []),
        "similar": similar(found, now=timezone.now()),
        "is_favorite": bool(own and is_favorite(own, found.pk)),
        "rating": rating_of(own, found.pk) if own else None,
        "check_in_form": new_check_in(who, found),
    }
    return render(request, "recommendations/practice_detail.html", context)


@require_safe
@never_cache
def why(request: HttpRequest, slug: str) -> HttpResponse:
    """Why this practice, for whoever asks: the parts and their sum."""
    found = get_object_or_404(published(), slug=slug)
    reason = explanation(person(request), found, now=timezone.now())
    return render(request, "recommendations/why.html", {"practice": found, "explanation": reason})


def player_data(found: Practice, *, resume: int) -> dict[str, object]:
    """What the player in the browser needs; `resume` in seconds, 0 for the start."""
    bed = found.soundscape
    return {
        "slug": found.slug,
        "title": found.title,
        "kind": found.kind,
        "kindLabel": found.get_kind_display(),
        "seconds": found.seconds,
        "voice": found.voice,
        "content": found.content,
        "soundscape": {"slug": bed.slug, "layers": bed.content.get("layers", [])} if bed else None,
        "audio": found.audio.url if found.audio else None,
        "url": found.get_absolute_url(),
        "resume": resume,
    }
