"""Opting out of sale and sharing: by a browser's signal (Global Privacy Control) or by a press."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from privacy_center.models import ConsentRecord, ConsentState, Decision, Method
from privacy_center.purposes import Purpose


@dataclass(frozen=True)
class OptOut:
    """Whether no to sale and sharing is noted, since when, and whether a signal said it.

    `since` is None where only the browser says so, of somebody without an account.
    """

    is_on: bool
    is_by_signal: bool = False
    since: datetime | None = None


NOT_OPTED_OUT = OptOut(is_on=False)


def opt_out_of(states: Iterable[ConsentState]) -> OptOut:
    """The opt-out that is among a person's answers, which have their records with them."""
    for state in states:
        if state.purpose == Purpose.SALE and state.decision == Decision.REFUSED:
            return OptOut(
                is_on=True, is_by_signal=state.record.method == Method.GPC, since=state.since
            )
    return NOT_OPTED_OUT


def has_signaled(subject_id: UUID) -> bool:
    """Whether a recorded signal still stands: what it said was not taken back since."""
    stands = ConsentState.objects.filter(
        subject_id=subject_id, purpose=Purpose.SALE, decision=Decision.REFUSED
    )
    signals = ConsentRecord.objects.filter(
        subject_id=subject_id, purpose=Purpose.SALE, method=Method.GPC
    )
    return stands.exists() and signals.exists()
