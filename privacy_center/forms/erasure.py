"""The last question before an account is erased."""

from datetime import timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from privacy_center.actions.erasure import GRACES

# What is typed, so that nobody erases an account by a slip of the finger.
WORD = _("erase")


def _days(grace: timedelta) -> str:
    return str(grace.days)


class ErasureForm(forms.Form):
    """When, and the typed word."""

    grace = forms.ChoiceField(
        label=_("When"),
        widget=forms.RadioSelect,
        choices=[
            (_days(GRACES[0]), _("Now")),
            (_days(GRACES[1]), _("In 7 days; until then I can come back")),
            (_days(GRACES[2]), _("In 30 days; until then I can come back")),
        ],
        initial=_days(GRACES[1]),
    )
    word = forms.CharField(
        label=_("Type the word “erase”"),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )

    def clean_grace(self) -> timedelta:
        return timedelta(days=int(self.cleaned_data["grace"]))

    def clean_word(self) -> str:
        word = str(self.cleaned_data["word"]).strip().lower()
        if word not in {str(WORD), "erase"}:
            raise forms.ValidationError(_("Please type the word as it stands there."))
        return word
