"""Honoring Global Privacy Control: what a browser's signal does to a person's consent."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from privacy_center.actions.consent import decide
from privacy_center.models import ConsentRecord, Decision, Method
from privacy_center.purposes import GPC_COVERS, Purpose
from privacy_center.recorder import Decided, record_decisions
from privacy_center.selectors.consent import consent_states
from privacy_center.selectors.gpc import has_signaled
from privacy_center.selectors.notice import live_notices
from privacy_center.selectors.subject import hold_subject


def honor_signal(subject_id: UUID, *, at: datetime, language: str = "en") -> list[ConsentRecord]:
    """Record a no to sale and sharing, and withdraw whatever else the signal speaks against and is
    on: of two contradicting wishes the more private one is kept, and both are in the ledger.

    The signal is recorded once also where a press said the same before: from then on it is known.
    Returns the new records; none when nothing changed.
    """
    with transaction.atomic():
        subject = hold_subject(subject_id)
        states = consent_states(subject_id)
        on = {purpose for purpose in GPC_COVERS if purpose in states and states[purpose].is_yes}
        wishes = dict.fromkeys((Purpose.SALE, *sorted(on)), False)
        records = decide(subject_id, wishes, method=Method.GPC, at=at, language=language)
        if not has_signaled(subject_id):
            said, how = {Purpose.SALE: Decision.REFUSED}, Decided(at, Method.GPC, language)
            records += record_decisions(subject, said, live_notices(said), how)
        return records
