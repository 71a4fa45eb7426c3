"""What the shelves say, in one language: looked up once, and not for every page."""

from dataclasses import dataclass
from functools import lru_cache

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override


@dataclass(frozen=True)
class ShelfTexts:
    """Titles, notes and reasons. `%(title)s` is the place of a practice's title."""

    for_you: str
    by_history: str
    by_mood: str
    by_both: str
    because: str
    something: str
    begin: str
    by_editors: str
    by_editors_and_mood: str
    editors_choice: str
    goes_well_with: str
    one_place: str
    what_people_like: str
    goes_well: str
    again: str
    from_history: str
    asked: str
    time_of_day: str
    by_hour: str
    by_hour_and_mood: str
    by_hour_and_history: str
    popular: str
    counted: str
    little_time: str
    short: str
    five_minutes: str


@lru_cache
def shelf_texts(language: str | None) -> ShelfTexts:
    """The texts in a language, as `get_language` names it."""
    with override(language):
        return ShelfTexts(
            for_you=_("For you"),
            by_history=_("Shaped by your own history."),
            by_mood=_("Shaped by your last check-in."),
            by_both=_("Shaped by your own history and your last check-in."),
            because=_("Because you listened to %(title)s"),
            something=_("something like it"),
            begin=_("A good place to begin"),
            by_editors=_("Chosen by our editors, the same for everybody."),
            by_editors_and_mood=_("By our editors and your last check-in."),
            editors_choice=_("An editors' choice"),
            goes_well_with=_("Goes well with %(title)s"),
            one_place=_("One place to go on from, the same for everybody."),
            what_people_like=_("What people who stay with it like as well."),
            goes_well=_("Goes well with it"),
            again=_("Listen again"),
            from_history=_("From the history you keep here."),
            asked=_("You asked for it"),
            time_of_day=_("For this time of day"),
            by_hour=_("By the hour on your own clock."),
            by_hour_and_mood=_("By the hour on your own clock, and by your last check-in."),
            by_hour_and_history=_("By the hour on your own clock, in the order of your history."),
            popular=_("Popular here"),
            counted=_("Counted among people who share; never fewer than %(people)s."),
            little_time=_("When there is little time"),
            short=_("Five minutes or less."),
            five_minutes=_("Five minutes or less"),
        )


@lru_cache(maxsize=4096)
def times_heard(heard: int, *, language: str | None) -> str:
    """How often somebody heard a practice."""
    with override(language):
        if heard == 0:
            return _("A favorite of yours")
        times = ngettext("You heard it once", "You heard it %(count)s times", heard)
        return times % {"count": number_format(heard)}


@lru_cache(maxsize=4096)
def at_least(people: int, *, language: str | None) -> str:
    """How many people listen to a practice. The caller rounds down to tens: from one release to the
    next, an exact count would show a single person."""
    with override(language):
        shown = number_format(people, force_grouping=True)
        return _("At least %(people)s people listen to it") % {"people": shown}
