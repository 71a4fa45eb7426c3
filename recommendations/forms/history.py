"""Looking for listens in one's history, and choosing some of them."""

from collections.abc import Sequence
from datetime import date, timedelta
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.http import QueryDict
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _

from recommendations.models.practice import is_plain_text
from recommendations.selectors.history import Month, Search

MOST_CHOSEN = 500


class MonthField(forms.CharField):
    """A month as `2026-11`; its first day, or None."""

    def clean(self, value: str | None) -> date | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            first = date.fromisoformat(f"{text}-01")
            # The month must have a next one.
            first + timedelta(days=31)
        except (ValueError, OverflowError):
            raise ValidationError(_("Choose a month from the list.")) from None
        return first


class HistoryForm(forms.Form):
    """What to look for and where the page begins; all of it may be empty."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=80,
        validators=[is_plain_text],
        widget=forms.TextInput(attrs={"type": "search"}),
    )
    month = MonthField(label=_("Month"), required=False, max_length=7, widget=forms.Select)
    after = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def offer(self, months: Sequence[Month]) -> None:
        """The months that can be chosen."""
        choices = [
            (f"{m.first:%Y-%m}", f"{date_format(m.first, 'F Y')} ({m.count})") for m in months
        ]
        self.fields["month"].widget.choices = [("", _("Any month")), *choices]

    @property
    def search(self) -> Search:
        """What to look for, once the form is valid."""
        return Search(self.cleaned_data["q"].strip(), self.cleaned_data["month"])

    @property
    def query(self) -> str:
        """The same as the query of an address, to come back to the page; `` when it is empty."""
        query = QueryDict(mutable=True)
        for name in ("q", "month", "after"):
            if value := self.data.get(name):
                query[name] = value
        return f"?{query.urlencode()}" if query else ""


class IdsField(forms.Field):
    """Any number of ids."""

    widget = forms.MultipleHiddenInput

    def clean(self, value: Sequence[str] | None) -> list[UUID]:
        if len(value or []) > MOST_CHOSEN:
            raise ValidationError(_("That is more than can be chosen at once."))
        try:
            return [UUID(text) for text in value or []]
        except ValueError:
            raise ValidationError(_("This is not known here.")) from None


class ChoiceForm(forms.Form):
    """Which listens: the one of a button, all that the search finds, or those that are ticked."""

    only = forms.UUIDField(required=False)
    found = forms.ChoiceField(required=False, choices=[("yes", "yes")])
    listen = IdsField(required=False)

    @property
    def is_found(self) -> bool:
        """Whether everything that the search finds is meant."""
        return bool(self.cleaned_data["found"])

    @property
    def ids(self) -> list[UUID]:
        """The listens that are meant one by one."""
        only: UUID | None = self.cleaned_data["only"]
        ticked: list[UUID] = self.cleaned_data["listen"]
        return [only] if only else ticked
