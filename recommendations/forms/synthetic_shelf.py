"""The history of a synthetic person, as staff make it up."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BoundField

from recommendations.models import Practice
from recommendations.selectors.listening import Habit

LINES = 6
MOST_HEARD = 99


class SyntheticHistoryForm(forms.Form):
    """A few lines, all of which may be empty: a practice by its slug, how often it was heard to the
    end, and whether it is a favorite."""

    def __init__(self, data: Mapping[str, Any] | None, *, practices: Sequence[Practice]) -> None:
        super().__init__(data)
        self.practices = {practice.slug: practice for practice in practices}
        for line in range(1, LINES + 1):
            self.fields[f"practice_{line}"] = forms.CharField(
                label=f"Practice {line}",
                required=False,
                max_length=64,
                widget=forms.TextInput(attrs={"list": "practices", "autocomplete": "off"}),
            )
            self.fields[f"heard_{line}"] = forms.IntegerField(
                label=f"Practice {line}: times heard to the end",
                required=False,
                min_value=0,
                max_value=MOST_HEARD,
            )
            self.fields[f"favorite_{line}"] = forms.BooleanField(
                label=f"Practice {line} is a favorite", required=False
            )

    @property
    def lines(self) -> Iterator[tuple[BoundField, BoundField, BoundField]]:
        """The fields, line by line."""
        for line in range(1, LINES + 1):
            yield self[f"practice_{line}"], self[f"heard_{line}"], self[f"favorite_{line}"]

    def clean(self) -> dict[str, Any]:
        seen: set[str] = set()
        for line in range(1, LINES + 1):
            slug = self.cleaned_data.get(f"practice_{line}", "")
            if slug and slug not in self.practices:
                self.add_error(f"practice_{line}", ValidationError("Choose one from the list."))
            elif slug in seen:
                self.add_error(f"practice_{line}", ValidationError("It is above already."))
            seen |= {slug} - {""}
        return self.cleaned_data

    @property
    def history(self) -> list[Habit]:
        """What the person is made of, once the form is valid: lines that say nothing are left out.

        A practice without a number was heard once.
        """
        lines = (self._habit(line) for line in range(1, LINES + 1))
        return [habit for habit in lines if habit]

    def _habit(self, line: int) -> Habit | None:
        slug = self.cleaned_data[f"practice_{line}"]
        heard = self.cleaned_data[f"heard_{line}"]
        is_favorite = self.cleaned_data[f"favorite_{line}"]
        times = 1 if heard is None else heard
        if not slug or not (times or is_favorite):
            return None
        return Habit(self.practices[slug].pk, times, times, int(is_favorite))


def as_data(history: Sequence[Habit], *, practices: Mapping[int, Practice]) -> dict[str, str]:
    """A history as the form would send it."""
    data: dict[str, str] = {}
    for line, habit in enumerate(history[:LINES], start=1):
        data[f"practice_{line}"] = practices[habit.practice_id].slug
        data[f"heard_{line}"] = str(habit.heard)
        data |= {f"favorite_{line}": "on"} if habit.favorites else {}
    return data
