"""Recording decisions: the record, its leaf for the ledger, the current answer, the holders' part.

All of it is one transaction. Where the leaf stands in the tree is for the sequencer, later.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.db import connection

from privacy_center.holders import holders
from privacy_center.keys import KeyUnavailable, unwrap
from privacy_center.ledger.leaf import OPENING_BYTES, commitment
from privacy_center.models import (
    ConsentRecord,
    ConsentState,
    DataSubject,
    Decision,
    LedgerEntry,
    Method,
    Notice,
)
from privacy_center.purposes import Purpose
from privacy_center.wake import wake_sequencer

# An arbitrary number that means "decisions" among PostgreSQL's advisory locks.
DECISIONS_LOCK = 7_201_003


@dataclass(frozen=True)
class Decided:
    """How a decision was made: when, by which way, in which language, by which preset."""

    at: datetime
    method: Method
    language: str = "en"
    preset: str = ""


def record_decisions(
    subject: DataSubject,
    decisions: Mapping[Purpose, Decision],
    notices: Mapping[Purpose, Notice],
    how: Decided,
) -> list[ConsentRecord]:
    """Write decisions with all that belongs to them, ends before beginnings; return the records.

    Inside the caller's transaction, which holds the subject's row. Raises `KeyUnavailable` for a
    yes when the person's key is gone.
    """
    records = _records(subject, dict(sorted(decisions.items(), key=_order)), notices, how)
    if not records:
        return []
    _share_decisions(subject)
    _insert(records)
    ConsentState.objects.bulk_create(
        _states(records),
        update_conflicts=True,
        unique_fields=["subject", "purpose"],
        update_fields=["decision", "record", "since", "valid_until"],
    )
    _tell_holders(records)
    wake_sequencer()
    return records


# The answers before the lock: whoever stores something holds one of them, and then shares the lock.
_SHARE = """
WITH answers AS MATERIALIZED (
    SELECT 1 FROM privacy_center_consentstate WHERE subject_id = %s FOR NO KEY UPDATE
)
SELECT pg_advisory_xact_lock_shared(%s) FROM (SELECT count(*) FROM answers) AS held
"""


def _share_decisions(subject: DataSubject) -> None:
    """Before the decision gets its number: so whoever holds the lock alone knows that none with a
    lower number is still under way."""
    with connection.cursor() as cursor:
        cursor.execute(_SHARE, [subject.pk, DECISIONS_LOCK])


def record_first_decisions(
    subjects: Iterable[DataSubject],
    decisions: Mapping[Purpose, Decision],
    notices: Mapping[Purpose, Notice],
    how: Decided,
) -> list[ConsentRecord]:
    """The same decisions for many who never decided, without telling holders, and without the lock
    of decisions, which they would hold too long. Raises `IntegrityError` for one who did."""
    records = [
        record for subject in subjects for record in _records(subject, decisions, notices, how)
    ]
    _insert(records)
    ConsentState.objects.bulk_create(_states(records))
    wake_sequencer()
    return records


def _order(change: tuple[Purpose, Decision]) -> tuple[bool, bool]:
    """Ends before beginnings; uses end before storing does, storing begins before uses do."""
    purpose, decision = change
    return decision.is_yes, (purpose.needs is None) != decision.is_yes


def _records(
    subject: DataSubject,
    decisions: Mapping[Purpose, Decision],
    notices: Mapping[Purpose, Notice],
    how: Decided,
) -> list[ConsentRecord]:
    """The records, each committed to under the person's own key.

    Nobody's no waits for a key: where it is away, the record keeps an opening of its own.
    """
    try:
        key = unwrap(subject.wrapped_key, subject.wrapping_key_id)
    except KeyUnavailable:
        if any(decision.is_yes for decision in decisions.values()):
            raise
        key = None
    records = []
    for purpose, decision in decisions.items():
        notice = notices[purpose]
        record = ConsentRecord(
            id=uuid4(),
            subject=subject,
            purpose=purpose,
            decision=decision,
            method=how.method,
            notice=notice,
            language=how.language,
            preset=how.preset,
            recorded_at=how.at,
            valid_until=how.at + timedelta(days=notice.valid_days) if decision.is_yes else None,
        )
        record.opening = None if key else os.urandom(OPENING_BYTES)
        record.commitment = commitment(record.opened_by(key), record.statement.data)
        records.append(record)
    return records


def _insert(records: Iterable[ConsentRecord]) -> None:
    """The records, and their leaves in the order of recording."""
    inserted = ConsentRecord.objects.bulk_create(records)
    LedgerEntry.objects.bulk_create(
        LedgerEntry(record=record, leaf_hash=record.leaf.hash) for record in inserted
    )


def _states(records: Sequence[ConsentRecord]) -> list[ConsentState]:
    return [
        ConsentState(
            subject_id=record.subject_id,
            purpose=record.purpose,
            decision=record.decision,
            record=record,
            since=record.recorded_at,
            valid_until=record.valid_until,
        )
        for record in records
    ]


def _tell_holders(records: Sequence[ConsentRecord]) -> None:
    for record in records:
        decision, purpose = Decision(record.decision), Purpose(record.purpose)
        for holder in holders():
            if decision.is_yes:
                holder.on_given(record.subject_id, purpose)
            elif decision in (Decision.WITHDRAWN, Decision.EXPIRED):
                holder.on_ended(record.subject_id, purpose)
