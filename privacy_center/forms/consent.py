"""A decision as it arrives from a page."""

from django import forms

from privacy_center.purposes import PRESETS, Preset, Purpose


class PresetForm(forms.Form):
    preset = forms.ChoiceField(choices=[(p.key, p.title) for p in PRESETS])
    asked = forms.ChoiceField(choices=[("welcome", ""), ("privacy_page", "")], required=False)

    @property
    def chosen(self) -> Preset:
        """The preset, once the form is valid."""
        return next(p for p in PRESETS if p.key == self.cleaned_data["preset"])


class DecisionForm(forms.Form):
    purpose = forms.ChoiceField(choices=[(p.value, p.value) for p in Purpose])
    decision = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])

    @property
    def wishes(self) -> dict[Purpose, bool]:
        """The wish, once the form is valid."""
        return {Purpose(self.cleaned_data["purpose"]): self.cleaned_data["decision"] == "yes"}
