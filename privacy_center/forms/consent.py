"""A decision as it arrives from a page, with the versions of the notices that the page showed."""

import re

from django import forms

from privacy_center.purposes import MOOD, PRESETS, Preset, Purpose

_SHOWN = re.compile(r"([a-z:]{1,32})=([0-9]{1,9})")
YES_OR_NO = [("yes", "yes"), ("no", "no")]


class ShownField(forms.CharField):
    """`purpose=version` pairs, separated by spaces; what cannot be read was not shown."""

    def __init__(self) -> None:
        super().__init__(required=False, max_length=500)

    def clean(self, value: str | None) -> dict[Purpose, int]:
        pairs = _SHOWN.findall(super().clean(value))
        return {Purpose(name): int(version) for name, version in pairs if name in set(Purpose)}


class PresetForm(forms.Form):
    preset = forms.ChoiceField(choices=[(p.key, p.title) for p in PRESETS])
    asked = forms.ChoiceField(choices=[("welcome", ""), ("privacy_page", "")], required=False)
    shown = ShownField()

    @property
    def chosen(self) -> Preset:
        """The preset, once the form is valid."""
        return next(p for p in PRESETS if p.key == self.cleaned_data["preset"])


class WishForm(forms.Form):
    """A yes or no to one purpose."""

    purpose = forms.ChoiceField(choices=[(p.value, p.value) for p in Purpose])
    decision = forms.ChoiceField(choices=YES_OR_NO)
    shown = ShownField()

    @property
    def wishes(self) -> dict[Purpose, bool]:
        """The wish, once the form is valid."""
        return {Purpose(self.cleaned_data["purpose"]): self.cleaned_data["decision"] == "yes"}


class DecisionForm(WishForm):
    """Any wish but a yes to mood: that is explicit, beside its statement (`MoodForm`)."""

    def clean(self) -> dict[str, object]:
        cleaned: dict[str, object] = super().clean() or {}
        if cleaned.get("purpose") in MOOD and cleaned.get("decision") == "yes":
            raise forms.ValidationError("A yes to mood is said beside its statement.")
        return cleaned


class MoodForm(WishForm):
    """An answer to a statement about mood, which stands beside its two buttons."""

    purpose = forms.ChoiceField(choices=[(p.value, p.value) for p in MOOD])


class OptOutForm(forms.Form):
    """Opting out of sale and sharing (`yes`), or taking that back (`no`)."""

    decision = forms.ChoiceField(choices=YES_OR_NO)
