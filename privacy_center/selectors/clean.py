"""Whether what everybody's shelves are made of is free of a person who has left."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from privacy_center.models import ConsentState, Decision, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.learning import TRAINING, forgetting, learning_times

ENDED = (Decision.WITHDRAWN, Decision.EXPIRED)


@dataclass(frozen=True)
class CleanRelease:
    """Learning from the person ended at `ended_at`; `since` is when the first release without them
    came out, None while it is being made. `record_id` names the certificate of it."""

    ended_at: datetime
    since: datetime | None
    record_id: UUID


def clean_release(state: ConsentState, live: Notice) -> CleanRelease | None:
    """What became of what was learned; None for a purpose that never trained, or still does."""
    if state.purpose not in TRAINING or not _has_ended(state, live):
        return None
    times = learning_times(state.subject_id, Purpose(state.purpose))
    last = times[-1] if times else None
    if last is None or last.ends is None or last.record_id is None:
        return None
    clean = forgetting(last).first_without
    return CleanRelease(last.ends, clean.published_at if clean else None, last.record_id)


def _has_ended(state: ConsentState, live: Notice) -> bool:
    return state.decision in ENDED or (state.is_yes and state.record.notice_id != live.pk)
