"""What the calendar does: a yes ends with its time, or when a new notice goes unanswered."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from privacy_center.models import ConsentState, DataSubject, Decision, Method
from privacy_center.purposes import Purpose
from privacy_center.recorder import Decided, record_decisions
from privacy_center.selectors.consent import consent_states, lapsed_states, unanswered_states
from privacy_center.selectors.notice import live_notices


def expire(*, at: datetime) -> int:
    """Record the end of every yes whose time has come; return how many ended."""
    return _expire(lapsed_states(at), at)


def expire_unanswered(*, at: datetime) -> int:
    """The same for a yes to an older notice that nobody renewed in time."""
    return _expire(unanswered_states(at), at)


def _expire(states: QuerySet[ConsentState], at: datetime) -> int:
    ended = 0
    for subject_id in set(states.values_list("subject_id", flat=True)):
        with transaction.atomic():
            subject = DataSubject.objects.select_for_update(no_key=True).get(pk=subject_id)
            over = {Purpose(state.purpose) for state in states.filter(subject=subject)}
            on = {purpose for purpose, state in consent_states(subject_id).items() if state.is_yes}
            ends = over | {purpose for purpose in on if purpose.needs in over}
            how = Decided(at, Method.EXPIRY)
            decisions = dict.fromkeys(ends, Decision.EXPIRED)
            ended += len(record_decisions(subject, decisions, live_notices(), how))
    return ended
