"""People who stand for nobody, in great numbers, for measuring: written straight by COPY."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from django.db import connection

from privacy_center.keys import new_key, unwrap
from privacy_center.ledger.leaf import Leaf, Statement, commitment, opening, timestamp
from privacy_center.ledger.verify_receipt import leaf_hash
from privacy_center.models import AgeBand, Decision, Method, Notice
from privacy_center.purposes import Purpose, preset_of
from privacy_center.selectors.notice import live_notices
from privacy_center.wake import wake_sequencer

_LANGUAGE = "en"
_SUBJECT = {
    "id": "uuid", "region": "varchar", "age_band": "varchar", "is_synthetic": "bool",
    "created_at": "timestamptz", "wrapped_key": "bytea", "wrapping_key_id": "varchar",
}  # fmt: skip
_RECORD = {
    "id": "uuid", "subject_id": "uuid", "purpose": "varchar", "decision": "varchar",
    "method": "varchar", "notice_id": "int8", "language": "varchar", "preset": "varchar",
    "wording_digest": "varchar", "recorded_at": "timestamptz", "valid_until": "timestamptz",
    "commitment": "bytea",
}  # fmt: skip
_ENTRY = {"record_id": "uuid", "leaf_hash": "bytea"}
_STATE = {
    "subject_id": "uuid", "purpose": "varchar", "decision": "varchar", "record_id": "uuid",
    "since": "timestamptz", "valid_until": "timestamptz",
}  # fmt: skip

_Row = tuple[object, ...]
# Stand in a template where each person's own go: the ids, and the commitment in hex.
_ANY_RECORD, _ANY_SUBJECT, _ANY_COMMITMENT = UUID(int=1), UUID(int=2), bytes(32)


def add_synthetic_people(
    subject_ids: Sequence[UUID], purposes: Collection[Purpose], *, at: datetime
) -> Mapping[UUID, UUID]:
    """New synthetic subjects with these ids and a yes to `purposes`; the record of their yes to
    `listening:store` by subject.

    Inside the caller's transaction. Nothing is switched off for speed: every constraint and trigger
    is at work, and every record has its commitment and its leaf for the ledger. Holders are not
    told. Raises psycopg's `UniqueViolation` for an id that is taken.
    """
    preset = preset_of(purposes)
    said = [
        _Yes.to(notice, at=at, preset=preset.key if preset else "")
        for notice in _stores_first(live_notices(purposes))
    ]
    subjects, records, entries, states, stored = [], [], [], [], {}
    for subject_id in subject_ids:
        wrapped = new_key()
        key = unwrap(wrapped.data, wrapped.wrapping_key_id)
        subjects.append(
            (subject_id, "ZZ", AgeBand.ADULT.value, True, at, wrapped.data, wrapped.wrapping_key_id)
        )
        for place, yes in enumerate(said, 1):
            record_id = _beside(subject_id, place)
            committed = yes.commitment(record_id, subject_id, key)
            records.append(yes.record_row(record_id, subject_id, committed))
            entries.append((record_id, yes.leaf_hash(committed)))
            states.append(yes.state_row(record_id, subject_id))
            if yes.notice.purpose == Purpose.LISTENING_STORE:
                stored[subject_id] = record_id
    _copy("privacy_center_datasubject", _SUBJECT, subjects)
    _copy("privacy_center_consentrecord", _RECORD, records)
    _copy("privacy_center_ledgerentry", _ENTRY, entries)
    _copy("privacy_center_consentstate", _STATE, states)
    wake_sequencer()
    return stored


def _stores_first(notices: Mapping[Purpose, Notice]) -> list[Notice]:
    return [notices[p] for p in sorted(notices, key=lambda purpose: purpose.needs is not None)]


def _beside(subject_id: UUID, place: int) -> UUID:
    """An id next to the subject's: who come in order fill the indexes in order, and a million of
    them take minutes instead of hours. There is nobody whom it could give away."""
    return UUID(int=subject_id.int ^ place)


@dataclass(frozen=True)
class _Yes:
    """A yes to one notice by anybody. What is committed to and what is hashed differ from person to
    person in the ids and the commitment only: they are written once, by their own code."""

    notice: Notice
    at: datetime
    valid_until: datetime
    preset: str
    statement: bytes
    leaf: bytes

    @classmethod
    def to(cls, notice: Notice, *, at: datetime, preset: str) -> Self:
        valid_until = at + timedelta(days=notice.valid_days)
        statement = Statement(
            record_id=_ANY_RECORD,
            pii_principal_id=_ANY_SUBJECT,
            purpose=notice.purpose,
            decision=Decision.GIVEN.value,
            notice=notice.digest,
            time=timestamp(at),
            valid_until=timestamp(valid_until),
            language=_LANGUAGE,
            method=Method.DEMO.value,
            preset=preset,
        )
        leaf = Leaf(
            notice.purpose, statement.decision, notice.digest, statement.time, _ANY_COMMITMENT
        )
        return cls(notice, at, valid_until, preset, statement.data, leaf.data)

    def commitment(self, record_id: UUID, subject_id: UUID, key: bytes) -> bytes:
        statement = self.statement.replace(
            str(_ANY_RECORD).encode(), str(record_id).encode()
        ).replace(str(_ANY_SUBJECT).encode(), str(subject_id).encode())
        return commitment(opening(key, record_id), statement)

    def leaf_hash(self, committed: bytes) -> bytes:
        data = self.leaf.replace(_ANY_COMMITMENT.hex().encode(), committed.hex().encode())
        return leaf_hash(data)

    def record_row(self, record_id: UUID, subject_id: UUID, committed: bytes) -> _Row:
        return (
            record_id, subject_id, self.notice.purpose, Decision.GIVEN.value, Method.DEMO.value,
            self.notice.pk, _LANGUAGE, self.preset, "", self.at, self.valid_until, committed,
        )  # fmt: skip

    def state_row(self, record_id: UUID, subject_id: UUID) -> _Row:
        return (
            subject_id, self.notice.purpose, Decision.GIVEN.value, record_id, self.at,
            self.valid_until,
        )  # fmt: skip


def _copy(table: str, columns: Mapping[str, str], rows: Iterable[_Row]) -> None:
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(columns.values()))
        for row in rows:
            copy.write_row(row)
