"""What a person has agreed to, now and before."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Count, Exists, Max, OuterRef, QuerySet

from privacy_center.models import (
    YES,
    ConsentInForce,
    ConsentRecord,
    ConsentState,
    LedgerEntry,
    Notice,
)
from privacy_center.purposes import Purpose

# A yes to an older notice waits this long for an answer; then it ends.
RENEW_WITHIN = timedelta(days=90)
# This long before a yes ends, the person is asked, and may renew it.
ASK_BEFORE = timedelta(days=30)


def purposes_in_force(subject_id: UUID) -> dict[Purpose, UUID]:
    """The purposes with a live yes, each with the id of the record that says so."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT purpose, record_id FROM consents_of(%s)", [subject_id])
        return {Purpose(purpose): record_id for purpose, record_id in cursor.fetchall()}


def hold_consent(subject_id: UUID, purpose: Purpose) -> UUID | None:
    """The record of a live yes, held until the transaction ends: a withdrawal that comes meanwhile
    waits. None without one. Call it before touching rows that are stored under the consent."""
    with connection.cursor() as cursor:
        cursor.execute(_HOLD, [subject_id, purpose.value])
    record_ids = ConsentInForce.objects.filter(subject_id=subject_id, purpose=purpose)
    return record_ids.values_list("record_id", flat=True).first()


# The row of the answer alone: through the view, the notice that everybody shares would be locked.
_HOLD = """
SELECT 1 FROM privacy_center_consentstate
WHERE subject_id = %s AND purpose = %s FOR NO KEY UPDATE
"""


def consent_states(subject_id: UUID) -> dict[Purpose, ConsentState]:
    """The current answer by purpose, with its record and notice; one never given is missing."""
    states: Iterable[ConsentState] = ConsentState.objects.filter(
        subject_id=subject_id
    ).select_related("record__notice")
    return {Purpose(state.purpose): state for state in states}


def consent_history(subject_id: UUID) -> QuerySet[ConsentRecord]:
    """Every decision, newest first, by the order of recording."""
    return ConsentRecord.objects.filter(subject_id=subject_id).order_by("-entry__id")


def people_by_purpose() -> dict[str, int]:
    """How many people each purpose is in force for; one that is for nobody is missing. Whoever
    shows the counts leaves out those of too few."""
    rows = ConsentInForce.objects.order_by().values_list("purpose")
    return dict(rows.annotate(people=Count("record_id")))


def last_decision() -> int:
    """The ledger entry of the last decision that was recorded; 0 before there is one."""
    last: int | None = LedgerEntry.objects.aggregate(last=Max("id"))["last"]
    return last or 0


def lapsed_states(at: datetime) -> QuerySet[ConsentState]:
    """Every yes whose time has come."""
    return ConsentState.objects.filter(valid_until__lte=at)


def unanswered_states(at: datetime) -> QuerySet[ConsentState]:
    """Every yes to an older notice that was not renewed within the time for it."""
    nexts = Notice.objects.filter(
        purpose=OuterRef("purpose"),
        version=OuterRef("version") + 1,
        published_at__lte=at - RENEW_WITHIN,
    )
    overdue = Notice.objects.filter(Exists(nexts))
    return ConsentState.objects.filter(decision__in=YES, record__notice__in=overdue)
