"""Receipts of a person's decisions, for that person: the words, the opening, and the proof."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from django.db.models import QuerySet

from privacy_center.keys import unwrap
from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.proof import write_proof
from privacy_center.ledger.receipt import make_receipt
from privacy_center.ledger.tree import Node, inclusion_proof
from privacy_center.models import ConsentRecord, DataSubject, LedgerCheckpoint
from privacy_center.selectors.consent import consent_history
from privacy_center.selectors.ledger import latest_checkpoint, read_nodes, verifier_keys
from privacy_center.selectors.processing import processing


class ReceiptNotReady(Exception):
    """The decision waits for its place in the ledger, or the key in use was not announced yet."""


def receipt_records(subject_id: UUID) -> QuerySet[ConsentRecord]:
    """Every decision with what its receipt is made of, newest first."""
    records = consent_history(subject_id).select_related("entry", "notice")
    return records.prefetch_related("notice__texts")


def sequenced_records(subject_id: UUID) -> QuerySet[ConsentRecord]:
    """Those that have their place in the ledger."""
    return receipt_records(subject_id).filter(entry__index__isnull=False)


class ReceiptMaker:
    """Makes the receipts of one person, all of them under the same checkpoint.

    Reads the person's key once. Raises `KeyUnavailable` without it, and `ReceiptNotReady` before
    there is a checkpoint, or while none of `keys` (the current one first) has signed one.
    """

    def __init__(self, subject: DataSubject, *, keys: Sequence[SigningKey]) -> None:
        self.subject = subject
        self._subject_key = unwrap(subject.wrapped_key, subject.wrapping_key_id)
        self.checkpoint = _checkpoint()
        self._signer = announced_key(keys)

    def receipts(self, records: Sequence[ConsentRecord]) -> list[dict[str, object]]:
        """One receipt per record, in their order, with as many queries for a thousand as for one.

        Raises `ReceiptNotReady` for a record that the checkpoint does not cover.
        """
        proofs = self._proofs([self._index(record) for record in records])
        return [self._receipt(record, proof) for record, proof in zip(records, proofs, strict=True)]

    def covers(self, record: ConsentRecord) -> bool:
        """Whether the record is in the tree of this checkpoint."""
        index = record.entry.index
        return index is not None and index < self.checkpoint.size

    def _index(self, record: ConsentRecord) -> int:
        if record.entry.index is None or not self.covers(record):
            raise ReceiptNotReady
        return record.entry.index

    def _proofs(self, indices: Sequence[int]) -> list[str]:
        """Two rounds: the first learns which nodes are needed, so that they are read at once."""
        size = self.checkpoint.size
        asked: set[Node] = set()

        def note_down(nodes: Sequence[Node]) -> list[bytes]:
            asked.update(nodes)
            return [b""] * len(nodes)

        for index in indices:
            inclusion_proof(index, size, note_down)
        nodes = sorted(asked)
        found = dict(zip(nodes, read_nodes(nodes), strict=True))
        return [
            write_proof(
                index,
                inclusion_proof(index, size, lambda nodes: [found[node] for node in nodes]),
                self.checkpoint.note,
            )
            for index in indices
        ]

    def _receipt(self, record: ConsentRecord, proof: str) -> dict[str, object]:
        return make_receipt(
            record.statement,
            notice=record.notice.document,
            processing=processing(record, self.subject),
            opening=record.opened_by(self._subject_key),
            leaf=record.leaf,
            proof=proof,
            key=self._signer,
            # The same decision under the same checkpoint by the same key is the same receipt.
            receipt_id=uuid5(record.id, f"{self.checkpoint.note}{self._signer.verifier_key}"),
        )


def _checkpoint() -> LedgerCheckpoint:
    checkpoint = latest_checkpoint()
    if checkpoint is None:
        raise ReceiptNotReady
    return checkpoint


def announced_key(keys: Sequence[SigningKey]) -> SigningKey:
    """The first key that the ledger has published: what another signs could not be checked. Raises
    `ReceiptNotReady` without one."""
    announced = set(verifier_keys())
    for key in keys:
        if str(key.verifier_key) in announced:
            return key
    raise ReceiptNotReady
