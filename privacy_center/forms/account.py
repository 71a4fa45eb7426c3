"""The questions at sign-up: how old, and where."""

from unicodedata import normalize

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from privacy_center.actions.subject import TooYoung, age_band, create_subject
from privacy_center.models import Account, AgeBand
from privacy_center.regions import ELSEWHERE, REGIONS


def _places() -> list[tuple[str, str]]:
    """The regions by name, as the reader's language has them; the one for all others is last."""
    named = [(code, gettext(name)) for code, (name, _age) in REGIONS.items()]
    named.sort(key=lambda place: (place[0] == ELSEWHERE, _sorted_as(place[1])))
    return [("", gettext("Choose a place")), *named]


def _sorted_as(name: str) -> str:
    """An umlaut stands beside its letter; the states of one country stay in their order."""
    return normalize("NFKD", name.partition(",")[0])


class SignupForm(forms.Form):
    """Asked of everybody in the same neutral words. The age itself is never stored."""

    age = forms.IntegerField(
        label=_("How old are you?"),
        min_value=1,
        max_value=120,
        help_text=_("We keep only an age group, never the number."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    region = forms.ChoiceField(
        label=_("Where do you live?"),
        choices=_places,
        help_text=_("The law gives you different rights in different places."),
    )

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        age, region = cleaned.get("age"), cleaned.get("region")
        if isinstance(age, int) and isinstance(region, str):
            try:
                cleaned["age_band"] = age_band(age, region)
            except TooYoung:
                self.add_error(
                    None,
                    _(
                        "We cannot open an account for you yet. Nothing you typed was kept. "
                        "You can listen to everything here without an account."
                    ),
                )
        return cleaned

    def signup(self, request: HttpRequest, account: Account) -> None:
        """Called by allauth once the account exists."""
        band = self.cleaned_data["age_band"]
        assert isinstance(band, AgeBand)
        create_subject(account, region=self.cleaned_data["region"], band=band, at=timezone.now())
