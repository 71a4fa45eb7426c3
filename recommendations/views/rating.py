"""How a practice left the person."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from privacy_center.interface import person
from recommendations.actions.listening import NotConsented, rate_practice
from recommendations.selectors.practice import published


class RatingForm(forms.Form):
    value = forms.TypedChoiceField(coerce=int, choices=[(n, str(n)) for n in range(1, 6)])


@require_POST
@login_required
def rate(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a rating of 1 (heavier) to 5 (lighter)."""
    practice = get_object_or_404(published(), slug=slug)
    form = RatingForm(request.POST)
    if not form.is_valid():
        detail = _("A rating is a whole number from 1 to 5. Nothing was changed.")
        return render(request, "400.html", {"detail": detail}, status=400)
    try:
        rate_practice(person(request), practice, form.cleaned_data["value"])
    except NotConsented:
        messages.info(request, _("Nothing was kept: you chose that your listening stays with you."))
    else:
        messages.success(request, _("Thank you. Your answer is kept with your history."))
    return redirect(practice)
