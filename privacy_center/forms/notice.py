"""Editing a notice's draft: the facts about the processing, and its words in every language."""

from typing import Any

from django import forms
from django.conf import settings

from privacy_center.models import Notice, NoticeText
from privacy_center.models.plain_text import is_plain_text
from privacy_center.purposes import MOOD

CONSENT, EXPLICIT_CONSENT = "eu-gdpr:A6-1-a", "eu-gdpr:A9-2-a"
LEGAL_BASES = [
    (CONSENT, "Consent, GDPR Article 6(1)(a)"),
    (EXPLICIT_CONSENT, "Explicit consent, GDPR Article 9(2)(a)"),
]
LONGEST_LIFE = 10 * 365


class PlainField(forms.CharField):
    """Words of one paragraph; line ends that an editor's window made become spaces."""

    default_validators = [is_plain_text]

    def to_python(self, value: object) -> str:
        return " ".join((super().to_python(value) or "").split())


class NoticeForm(forms.ModelForm):
    """The facts. Each kind of data is a line of its own."""

    valid_days = forms.IntegerField(
        min_value=1, max_value=LONGEST_LIFE, help_text="How long a yes to this notice holds."
    )
    kinds = forms.CharField(
        label="Data used",
        required=False,
        max_length=1000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
        help_text="One kind a line.",
    )
    legal_basis = forms.ChoiceField(choices=LEGAL_BASES)
    special_category = forms.BooleanField(
        required=False, label="Special category", help_text="Data about health, as every mood is."
    )
    retention = PlainField(
        max_length=200,
        label="Kept for how long",
        widget=forms.TextInput(attrs={"class": "vLargeTextField"}),
    )

    class Meta:
        model = Notice
        fields = ("valid_days",)

    def get_initial_for_field(self, field: forms.Field, field_name: str) -> object:
        """The facts are one document in the notice, and fields here."""
        facts: dict[str, Any] = self.instance.processing
        if field_name == "kinds":
            return "\n".join(facts["data"])
        return facts.get(field_name, super().get_initial_for_field(field, field_name))

    def clean_kinds(self) -> list[str]:
        kinds = [" ".join(line.split()) for line in self.cleaned_data["kinds"].splitlines()]
        for kind in kinds:
            is_plain_text(kind)
        return [kind for kind in kinds if kind]

    def clean(self) -> dict[str, Any]:
        cleaned = self.cleaned_data
        facts = {
            "data": cleaned.get("kinds"),
            "legal_basis": cleaned.get("legal_basis"),
            "special_category": cleaned.get("special_category"),
            "retention": cleaned.get("retention"),
        }
        is_special, basis = facts["special_category"], facts["legal_basis"]
        if self.instance.purpose in MOOD and not is_special:
            self.add_error("special_category", "A mood is health data.")
        if is_special != (basis == EXPLICIT_CONSENT):
            self.add_error("legal_basis", "Health data, and only that, needs explicit consent.")
        if not self.errors:
            self.instance.processing = facts
        return cleaned


class NoticeTextForm(forms.ModelForm):
    """The words in one language."""

    language = forms.ChoiceField(choices=settings.LANGUAGES)
    title = PlainField(
        max_length=80, strip=True, widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    sentence = PlainField(
        max_length=600,
        help_text="What happens, in plain words.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )
    statement = PlainField(
        max_length=400,
        help_text="What exactly a person says yes to.",
        widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
    )

    class Meta:
        model = NoticeText
        fields = ("language", "title", "sentence", "statement")
