"""Looking for a practice, and what its player reads."""

import json

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from recommendations.models import Intention, Kind, Topic
from recommendations.models.practice import is_plain_text
from recommendations.selectors.practice import Filters

LAST_PAGE = 1_000_000
LENGTHS = {
    "short": (_("Up to 5 minutes"), None, 5),
    "medium": (_("6 to 15 minutes"), 6, 15),
    "long": (_("16 minutes or more"), 16, None),
}


class LibraryForm(forms.Form):
    """Filters of the library; all of them may be empty."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=80,
        validators=[is_plain_text],
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("rain, worry, stars …")}),
    )
    kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=[("", _("Any kind")), *Kind.choices]
    )
    intention = forms.ChoiceField(
        label=_("For"), required=False, choices=[("", _("Anything")), *Intention.choices]
    )
    topic = forms.ModelChoiceField(
        label=_("Topic"),
        required=False,
        queryset=Topic.objects.all(),
        to_field_name="slug",
        empty_label=_("Any topic"),
    )
    length = forms.ChoiceField(
        label=_("Length"),
        required=False,
        choices=[
            ("", _("Any length")),
            *((key, label) for key, (label, _a, _b) in LENGTHS.items()),
        ],
    )
    page = forms.IntegerField(
        required=False, min_value=1, max_value=LAST_PAGE, widget=forms.HiddenInput
    )

    @property
    def filters(self) -> Filters:
        """What to look for, once the form is valid."""
        cleaned = self.cleaned_data
        least, most = None, None
        if cleaned["length"]:
            _label, least, most = LENGTHS[cleaned["length"]]
        return Filters(
            text=cleaned["q"].strip(),
            kind=cleaned["kind"],
            intention=cleaned["intention"],
            topic=cleaned["topic"].slug if cleaned["topic"] else "",
            most_minutes=most,
            least_minutes=least,
        )


class ContentDecoder(json.JSONDecoder):
    """JSON that the database can keep: no NaN, NUL, lone surrogate, or nesting without end."""

    def decode(self, s: str) -> object:  # type: ignore[override]
        try:
            content: object = super().decode(s)
            text = json.dumps(content, allow_nan=False, ensure_ascii=False)
            text.encode("utf-8")
        except (ValueError, RecursionError):
            raise json.JSONDecodeError("not to be kept", s, 0) from None
        if "\\u0000" in text:
            raise json.JSONDecodeError("not to be kept", s, 0)
        return content


class ContentField(forms.JSONField):
    """What the player can read; nothing is an empty object."""

    def clean(self, value: object) -> dict[str, object]:
        content = super().clean(value)
        content = {} if content is None else content
        if not _is_playable(content):
            raise ValidationError("The player reads an object of lists: layers, lines or pattern.")
        return dict(content)


def _is_playable(content: object) -> bool:
    if not isinstance(content, dict):
        return False
    lists = [content.get(name, []) for name in ("layers", "lines", "pattern")]
    if not all(isinstance(items, list) for items in lists):
        return False
    return all(isinstance(item, dict) for items in lists[:2] for item in items)
