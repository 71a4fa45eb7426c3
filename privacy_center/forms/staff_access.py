"""Why a member of staff opens one person's data."""

from django import forms

from privacy_center.models import DataSubject, StaffAccess


class StaffAccessForm(forms.ModelForm):
    """The pseudonym, as it stands on the person's receipts, and the reason."""

    subject = forms.ModelChoiceField(
        DataSubject.objects.all(),
        label="Pseudonym",
        widget=forms.TextInput(attrs={"class": "vLargeTextField", "autocomplete": "off"}),
        help_text="The person finds it on every receipt. Nothing here leads from an account to it.",
        error_messages={"invalid_choice": "Nobody here has this pseudonym."},
    )

    class Meta:
        model = StaffAccess
        fields = ("subject", "reason")
        widgets = {"reason": forms.TextInput(attrs={"class": "vLargeTextField"})}
