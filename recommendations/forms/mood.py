"""Checking in: two answers, and words for who wants them."""

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recommendations.actions.mood import Felt
from recommendations.models import Energy, Label, Moment, Practice, Valence
from recommendations.models.mood import LONGEST_NOTE, MOST_LABELS, is_plain_note
from recommendations.selectors.mood import Words

_MANY_LABELS = _("Choose at most five words.")


class NoteField(forms.CharField):
    """Text of several lines, each ended by one character, as the browser counts them."""

    def to_python(self, value: object) -> str:
        text = super().to_python(value) or ""
        return text.replace("\r\n", "\n").replace("\r", "\n")


class CheckInForm(forms.Form):
    """One check-in. The id is made with the page, so that sending it twice keeps it once."""

    id = forms.UUIDField(widget=forms.HiddenInput)
    valence = forms.TypedChoiceField(
        label=_("How does it feel?"), coerce=int, choices=Valence.choices, widget=forms.RadioSelect
    )
    energy = forms.TypedChoiceField(
        label=_("How much energy is there?"),
        coerce=int,
        choices=Energy.choices,
        widget=forms.RadioSelect,
    )
    labels = forms.MultipleChoiceField(
        label=_("Words that fit, at most five"),
        required=False,
        choices=Label.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    note = NoteField(
        label=_("A note"),
        required=False,
        strip=False,
        max_length=LONGEST_NOTE,
        validators=[is_plain_note],
        help_text=_("The words and the note are encrypted with a key of your own."),
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off"}),
    )

    def clean_labels(self) -> tuple[Label, ...]:
        labels: list[str] = self.cleaned_data["labels"]
        if len(labels) > MOST_LABELS:
            raise forms.ValidationError(_MANY_LABELS)
        return tuple(label for label in Label if label in labels)

    def felt(self, practice: Practice | None) -> Felt:
        """What was said, now, once the form is valid."""
        said = self.cleaned_data
        return Felt(
            id=said["id"],
            practice=practice,
            moment=said.get("moment", Moment.NONE),
            valence=said["valence"],
            energy=said["energy"],
            words=Words(said["labels"], said["note"]),
            at=timezone.now(),
        )


class CheckInBesideForm(CheckInForm):
    """A check-in before or after a practice."""

    moment = forms.ChoiceField(
        label=_("When"),
        choices=[(m.value, m.label) for m in (Moment.BEFORE, Moment.AFTER)],
        widget=forms.RadioSelect,
    )
