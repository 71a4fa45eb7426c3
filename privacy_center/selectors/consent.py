"""What a person has agreed to, now and before."""

from collections.abc import Iterable
from uuid import UUID

from django.db.models import QuerySet

from privacy_center.models import ConsentInForce, ConsentRecord, ConsentState
from privacy_center.purposes import Purpose


def purposes_in_force(subject_id: UUID) -> dict[Purpose, UUID]:
    """The purposes with a live yes, each with the id of the record that says so."""
    rows = ConsentInForce.objects.filter(subject_id=subject_id).values_list("purpose", "record_id")
    return {Purpose(purpose): record_id for purpose, record_id in rows}


def consent_states(subject_id: UUID) -> dict[Purpose, ConsentState]:
    """The current answer by purpose; a purpose never decided is missing."""
    states: Iterable[ConsentState] = ConsentState.objects.filter(subject_id=subject_id)
    return {Purpose(state.purpose): state for state in states}


def consent_history(subject_id: UUID) -> QuerySet[ConsentRecord]:
    """Every decision, newest first."""
    return ConsentRecord.objects.filter(subject_id=subject_id).order_by("-recorded_at", "-id")
