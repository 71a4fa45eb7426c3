"""Honoring Global Privacy Control: what a browser's signal does to a person's consent."""

from datetime import datetime
from uuid import UUID

from privacy_center.actions.consent import decide
from privacy_center.models import ConsentRecord, Method
from privacy_center.purposes import GPC_COVERS, Purpose
from privacy_center.selectors.consent import consent_states


def honor_signal(subject_id: UUID, *, at: datetime, language: str = "en") -> list[ConsentRecord]:
    """Record a no to sale and sharing, and withdraw whatever else the signal speaks against and is
    on: of two contradicting wishes the more private one is kept, and both are in the ledger.

    Returns the new records; none when nothing changed.
    """
    states = consent_states(subject_id)
    on = {purpose for purpose in GPC_COVERS if purpose in states and states[purpose].is_yes}
    wishes = dict.fromkeys((Purpose.SALE, *sorted(on)), False)
    return decide(subject_id, wishes, method=Method.GPC, at=at, language=language)
