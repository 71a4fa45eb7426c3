"""Which part of the timeline is asked for."""

from django import forms

from privacy_center.selectors.timeline import Kind

LAST_PAGE = 10_000


class TimelineForm(forms.Form):
    """Without a kind it is all of them; without a page, the first."""

    kind = forms.ChoiceField(choices=[(kind.value, kind.value) for kind in Kind], required=False)
    page = forms.IntegerField(min_value=1, max_value=LAST_PAGE, required=False)
