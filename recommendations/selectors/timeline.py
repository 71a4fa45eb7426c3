"""What releases did with a person's history and moods, for their timeline."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy_center.interface import Event, Learning, PublishedRelease, Purpose
from recommendations.selectors.forgetting import Learned, learned_in


def learned(times: Sequence[Learning]) -> list[Event]:
    """The first release that learned from the person in each of these times, how many did, the last
    one that knew them, and the first one without them."""
    return [
        event
        for time, found in zip(times, learned_in(times), strict=True)
        for event in _events(time, found)
    ]


def _events(time: Learning, found: Learned) -> Iterator[Event]:
    if found.first_at is None:
        return
    last, clean = found.forgetting.last_with, found.forgetting.first_without
    if clean is not None:
        yield _first_without(clean, time)
    # Whoever came back before that one was made was never out of what is served.
    if last is not None and (clean is not None or time.resumed_at is None):
        yield _last_with(last, time.purpose, is_deleted=clean is not None)
    more = found.count - 1
    yield Event(
        found.first_at,
        _("A release learned from your moods")
        if time.purpose == Purpose.MOOD_TRAIN
        else _("A release learned from your history"),
        ngettext(
            "%(count)d more has been made with it since.",
            "%(count)d more have been made with it since.",
            more,
        )
        % {"count": more}
        if more
        else _("It is the only one since you said yes."),
    )


def _last_with(release: PublishedRelease, purpose: Purpose, *, is_deleted: bool) -> Event:
    is_mood = purpose == Purpose.MOOD_TRAIN
    return Event(
        release.published_at,
        _("The last release that knew your moods")
        if is_mood
        else _("The last release that knew you"),
        (
            _("Release %(release)s. It is deleted.")
            if is_deleted
            else _("Release %(release)s. The next one is made without you.")
        )
        % {"release": short(release)},
    )


def _first_without(release: PublishedRelease, time: Learning) -> Event:
    is_mood = time.purpose == Purpose.MOOD_TRAIN
    return Event(
        release.published_at,
        _("The first release without your moods")
        if is_mood
        else _("The first release without you"),
        (
            _("No mood of yours is in release %(release)s. Earlier ones are deleted.")
            if is_mood
            else _("Nothing you listened to is in release %(release)s. Earlier ones are deleted.")
        )
        % {"release": short(release)},
        certificate_id=time.record_id,
    )


def short(release: PublishedRelease) -> str:
    """A release's name for people: the beginning of its id."""
    return str(release.id)[:8]
