"""The questions at sign-up: how old, and where."""

from django import forms
from django.http import HttpRequest
from django.utils import timezone

from privacy_center.actions.subject import TooYoung, age_band, create_subject
from privacy_center.models import Account, AgeBand
from privacy_center.regions import REGIONS


class SignupForm(forms.Form):
    """Asked of everybody in the same neutral words. The age itself is never stored."""

    age = forms.IntegerField(
        label="How old are you?",
        min_value=1,
        max_value=120,
        help_text="We keep only an age group, never the number.",
        widget=forms.NumberInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    region = forms.ChoiceField(
        label="Where do you live?",
        choices=[("", "Choose a place"), *((code, name) for code, (name, _) in REGIONS.items())],
        help_text="The law gives you different rights in different places.",
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
                    "We cannot open an account for you yet. Nothing you typed was kept. "
                    "You can listen to everything here without an account.",
                )
        return cleaned

    def signup(self, request: HttpRequest, account: Account) -> None:
        """Called by allauth once the account exists."""
        band = self.cleaned_data["age_band"]
        assert isinstance(band, AgeBand)
        create_subject(account, region=self.cleaned_data["region"], band=band, at=timezone.now())
