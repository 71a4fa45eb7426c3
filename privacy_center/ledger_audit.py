"""The audit: everything in the ledger derived again from the records, and compared.

It reads one snapshot in the order of the index; its memory does not grow with the ledger.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from privacy_center.checkpoint_file import published_checkpoints
from privacy_center.keys import KeyUnavailable, unwrap
from privacy_center.ledger.leaf import Leaf, Statement, commitment, opening
from privacy_center.ledger.tree import Fold, Node
from privacy_center.ledger.verify_receipt import Checkpoint, Invalid, VerifierKey, open_note
from privacy_center.models import LedgerCheckpoint, Notice
from privacy_center.models.notice import document_digest
from privacy_center.selectors.ledger import verifier_keys

ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class Finding:
    """Something that is wrong, and where. Rows are named by their ids, never by people."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Progress:
    """How many entries were checked so far; of how many the commitment could not be, because the
    key of their person is destroyed, or because the person is erased, record and all."""

    entries: int
    unopened: int = 0


def audit_ledger() -> Iterator[Finding | Progress]:
    """Everything that is wrong, and in between how far the audit has come."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic():
        if is_outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield from _notices()
        yield from _Tree().check()
        yield from _sweep()
        yield from _publication()


def _notices() -> Iterator[Finding]:
    for notice in Notice.objects.exclude(published_at=None).prefetch_related("texts"):
        if document_digest(notice.document) != notice.digest:
            yield Finding(f"notice {notice}", "its words are not those that were published")


_RFC_3339 = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
_ENTRIES = f"""
SELECT entry.id, entry.index, entry.leaf_hash, record.id, record.subject_id, record.purpose,
       record.decision, notice.digest,
       to_char(record.recorded_at AT TIME ZONE 'UTC', {_RFC_3339}),
       to_char(record.valid_until AT TIME ZONE 'UTC', {_RFC_3339}),
       record.language, record.method, record.preset, record.commitment, record.opening,
       subject.wrapped_key, subject.wrapping_key_id
FROM privacy_center_ledgerentry AS entry
LEFT JOIN privacy_center_consentrecord AS record ON record.id = entry.record_id
LEFT JOIN privacy_center_notice AS notice ON notice.id = record.notice_id
LEFT JOIN privacy_center_datasubject AS subject ON subject.id = record.subject_id
WHERE entry.index IS NOT NULL ORDER BY entry.index
"""  # noqa: S608 (constants only)
# In the order in which leaves complete them.
_NODES = """
SELECT level, position, hash FROM privacy_center_ledgernode
ORDER BY (position + 1) << level, level
"""


@dataclass(frozen=True)
class _Row:
    """A sequenced entry with its record."""

    entry_id: int
    index: int
    leaf_hash: bytes
    record_id: UUID
    subject_id: UUID
    purpose: str
    decision: str
    notice: str
    time: str
    valid_until: str | None
    language: str
    method: str
    preset: str
    commitment: bytes
    opening: bytes | None
    wrapped_key: bytes | None
    wrapping_key_id: str

    @property
    def where(self) -> str:
        return f"entry {self.entry_id}, index {self.index}, record {self.record_id}"

    @property
    def leaf(self) -> Leaf:
        return Leaf(self.purpose, self.decision, self.notice, self.time, self.commitment)

    @property
    def is_sealed_for_good(self) -> bool:
        """Whether nobody can open the commitment any more: the person's key is destroyed."""
        return self.wrapped_key is None and self.opening is None

    def is_committed(self) -> bool:
        """Whether the commitment is to this record. Raises `KeyUnavailable`."""
        opened = self.opening or opening(
            unwrap(self.wrapped_key, self.wrapping_key_id), self.record_id
        )
        statement = Statement(
            self.record_id,
            self.subject_id,
            self.purpose,
            self.decision,
            self.notice,
            self.time,
            self.valid_until,
            self.language,
            self.method,
            self.preset,
        )
        return commitment(opened, statement.data) == self.commitment


@dataclass(frozen=True)
class _ErasedRow:
    """A sequenced entry whose person is erased: what is left of it is a hash in the tree."""

    entry_id: int
    index: int
    leaf_hash: bytes

    @property
    def where(self) -> str:
        return f"entry {self.entry_id}, index {self.index}"


class _Tree:
    """The tree, built again leaf by leaf, beside the nodes and checkpoints that are stored."""

    def __init__(self) -> None:
        self.tree = Fold()
        self.unopened = 0
        self.nodes = _rows(_NODES)
        self.node = next(self.nodes, None)
        self.checkpoints = iter(LedgerCheckpoint.objects.order_by("size"))
        self.checkpoint = next(self.checkpoints, None)
        self.keys = [VerifierKey.parse(text) for text in verifier_keys()]

    def check(self) -> Iterator[Finding | Progress]:
        for values in _rows(_ENTRIES):
            is_erased = values[3] is None
            row = _ErasedRow(*values[:3]) if is_erased else _Row(*values)
            if row.index != self.tree.size:
                yield Finding(row.where, f"follows index {self.tree.size - 1}: leaves are missing")
                return
            yield from self._check_entry(row)
            if self.tree.size % ROWS_AT_ONCE == 0:
                yield Progress(self.tree.size, self.unopened)
        if self.node:
            yield Finding(f"node {self.node[0]}/{self.node[1]}", "belongs to no leaf")
        if self.checkpoint:
            yield Finding(f"{self.checkpoint}", f"there are only {self.tree.size} leaves")
        yield Progress(self.tree.size, self.unopened)

    def _check_entry(self, row: _Row | _ErasedRow) -> Iterator[Finding]:
        if isinstance(row, _ErasedRow):
            self.unopened += 1
        elif row.leaf.hash != row.leaf_hash:
            yield Finding(row.where, "the leaf is not that of its record")
        elif row.is_sealed_for_good:
            self.unopened += 1
        else:
            yield from self._check_commitment(row)
        # From what is stored, so that one wrong record is one finding and not a tree of them.
        for node, data in self.tree.add(row.leaf_hash):
            yield from self._check_node(node, data)
        if self.checkpoint and self.checkpoint.size == self.tree.size:
            yield from self._check_checkpoint(self.checkpoint)
            self.checkpoint = next(self.checkpoints, None)

    def _check_commitment(self, row: _Row) -> Iterator[Finding]:
        try:
            if not row.is_committed():
                yield Finding(row.where, "the record is not the one that was committed to")
        except KeyUnavailable:
            yield Finding(row.where, f"cannot be opened: the key {row.wrapping_key_id} is not here")

    def _check_node(self, node: Node, data: bytes) -> Iterator[Finding]:
        if self.node is None or self.node[:2] != node:
            yield Finding(f"node {node.level}/{node.position}", "is missing")
            return
        if self.node[2] != data:
            yield Finding(f"node {node.level}/{node.position}", "is not the hash of its leaves")
        self.node = next(self.nodes, None)

    def _check_checkpoint(self, stored: LedgerCheckpoint) -> Iterator[Finding]:
        if bytes(stored.root) != self.tree.root:
            yield Finding(f"{stored}", "its root is not that of its leaves")
        try:
            signed = open_note(stored.note, self.keys)
        except Invalid as reason:
            yield Finding(f"{stored}", f"{reason}")
            return
        if signed != Checkpoint(signed.origin, stored.size, bytes(stored.root)):
            yield Finding(f"{stored}", "the note was signed for another tree")


_UNRECORDED = """
SELECT record.id FROM privacy_center_consentrecord AS record
LEFT JOIN privacy_center_ledgerentry AS entry ON entry.record_id = record.id
WHERE entry.id IS NULL
"""
# The order of recording is the order of the ledger, for each person.
_DISORDERED = """
SELECT id FROM (
    SELECT entry.id, entry.index,
           lag(entry.index) OVER (PARTITION BY record.subject_id ORDER BY entry.id) AS before
    FROM privacy_center_ledgerentry AS entry
    JOIN privacy_center_consentrecord AS record ON record.id = entry.record_id
    WHERE entry.index IS NOT NULL
) AS placed WHERE index < before
"""
_UNTRUE = """
SELECT coalesce(state.id, 0), last.record_id FROM (
    SELECT DISTINCT ON (record.subject_id, record.purpose)
           record.subject_id, record.purpose, record.id AS record_id
    FROM privacy_center_ledgerentry AS entry
    JOIN privacy_center_consentrecord AS record ON record.id = entry.record_id
    ORDER BY record.subject_id, record.purpose, entry.id DESC
) AS last
LEFT JOIN privacy_center_consentstate AS state
    ON (state.subject_id, state.purpose) = (last.subject_id, last.purpose)
WHERE state.record_id IS DISTINCT FROM last.record_id
"""


def _sweep() -> Iterator[Finding]:
    """What no leaf can show: records beside the ledger, and answers that are not the last ones."""
    for (record_id,) in _rows(_UNRECORDED):
        yield Finding(f"record {record_id}", "has no entry in the ledger")
    for (entry_id,) in _rows(_DISORDERED):
        yield Finding(f"entry {entry_id}", "stands before an older decision of the same person")
    for state_id, record_id in _rows(_UNTRUE):
        yield Finding(f"answer {state_id}", f"is not the last decision, record {record_id}")


def _publication() -> Iterator[Finding]:
    """What was published must still be what is stored (faults 28 and 29)."""
    stored = dict(LedgerCheckpoint.objects.values_list("size", "root"))
    for published in published_checkpoints():
        root = stored.get(published.size)
        if root is None:
            yield Finding(
                f"published checkpoint {published.size}",
                "is not in the database: an old backup is back",
            )
        elif bytes(root).hex() != published.root:
            yield Finding(f"published checkpoint {published.size}", "has another root")


def _rows(query: str) -> Iterator[tuple[Any, ...]]:
    with connection.chunked_cursor() as cursor:
        cursor.execute(query)
        while rows := cursor.fetchmany(ROWS_AT_ONCE):
            yield from rows
