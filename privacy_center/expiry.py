"""What the calendar does: a yes ends with its time, or when a new notice goes unanswered."""

import logging
from datetime import datetime
from uuid import UUID

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from privacy_center.models import ConsentState, Decision, Method
from privacy_center.purposes import Purpose
from privacy_center.recorder import Decided, record_decisions
from privacy_center.selectors.consent import consent_states, lapsed_states, unanswered_states
from privacy_center.selectors.subject import hold_subject

logger = logging.getLogger(__name__)


def expire(*, at: datetime) -> int:
    """Record the end of every yes whose time has come; return how many ended."""
    return _expire(lapsed_states(at), at)


def expire_unanswered(*, at: datetime) -> int:
    """The same for a yes to an older notice that nobody renewed in time."""
    return _expire(unanswered_states(at), at)


def _expire(states: QuerySet[ConsentState], at: datetime) -> int:
    ended = 0
    for subject_id in set(states.values_list("subject_id", flat=True)):
        try:
            ended += _expire_of(subject_id, states, at)
        except DatabaseError:
            # Nobody waits behind somebody else's trouble; the next round tries again.
            logger.exception("A consent could not be ended.")
    return ended


def _expire_of(subject_id: UUID, states: QuerySet[ConsentState], at: datetime) -> int:
    with transaction.atomic():
        subject = hold_subject(subject_id)
        over = {Purpose(state.purpose) for state in states.filter(subject=subject)}
        on = {p: state for p, state in consent_states(subject_id).items() if state.is_yes}
        ends = over | {purpose for purpose in on if purpose.needs in over}
        if not ends:
            return 0
        # An end is of the words that were agreed to, in the language they were read in.
        notices = {purpose: on[purpose].record.notice for purpose in ends}
        how = Decided(at, Method.EXPIRY, on[next(iter(ends))].record.language)
        return len(record_decisions(subject, dict.fromkeys(ends, Decision.EXPIRED), notices, how))
