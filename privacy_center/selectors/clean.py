"""Whether what everybody's shelves are made of is free of a person who has left."""

from dataclasses import dataclass
from datetime import datetime

from privacy_center.holders import holders
from privacy_center.models import ConsentState, Decision, Notice
from privacy_center.purposes import Purpose

TRAINING = (Purpose.LISTENING_TRAIN, Purpose.MOOD_TRAIN)
ENDED = (Decision.WITHDRAWN, Decision.EXPIRED)


@dataclass(frozen=True)
class CleanRelease:
    """Learning from the person ended at `ended_at`; `since` is when the first release without them
    came out, None while it is being made."""

    ended_at: datetime
    since: datetime | None


def clean_release(state: ConsentState, live: Notice) -> CleanRelease | None:
    """What became of what was learned; None for a purpose that never trained, or still does."""
    ended_at = _ended_at(state, live)
    if state.purpose not in TRAINING or ended_at is None:
        return None
    times = [holder.clean_since(ended_at) for holder in holders()]
    known = [time for time in times if time is not None]
    # With several holders it is clean once the last of them is.
    return CleanRelease(ended_at, max(known) if len(known) == len(times) else None)


def _ended_at(state: ConsentState, live: Notice) -> datetime | None:
    if state.decision in ENDED:
        return state.since
    return live.published_at if state.is_yes and state.record.notice_id != live.pk else None
