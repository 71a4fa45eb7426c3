"""A decision as it arrives from a page, with the versions of the notices that the page showed."""

import re

from django import forms

from privacy_center.purposes import PRESETS, Preset, Purpose

_SHOWN = re.compile(r"([a-z:]{1,32})=([0-9]{1,9})")


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


class DecisionForm(forms.Form):
    purpose = forms.ChoiceField(choices=[(p.value, p.value) for p in Purpose])
    decision = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    shown = ShownField()

    @property
    def wishes(self) -> dict[Purpose, bool]:
        """The wish, once the form is valid."""
        return {Purpose(self.cleaned_data["purpose"]): self.cleaned_data["decision"] == "yes"}
