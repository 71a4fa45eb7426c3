"""The sequencer: gives ledger entries their index, grows the tree, signs and publishes.

One at a time, by an advisory lock. Whatever it is about to sign it reads back from the records and
hashes again; what does not agree stops it, loudly, with the place. Decisions go on being recorded.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from privacy_center.checkpoint_file import (
    PublishedCheckpoint,
    append_checkpoint,
    last_published,
)
from privacy_center.ledger.checkpoint import SigningKey, sign_checkpoint
from privacy_center.ledger.tree import grow, root
from privacy_center.ledger.verify_receipt import Checkpoint
from privacy_center.models import LedgerCheckpoint, LedgerEntry, LedgerKey, LedgerNode
from privacy_center.selectors.ledger import latest_checkpoint, read_nodes

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]

# An arbitrary number that means "the sequencer" among PostgreSQL's advisory locks.
SEQUENCER_LOCK = 7_201_002
ENTRIES_AT_ONCE = 2000


class LedgerDamaged(Exception):
    """The ledger does not agree with itself, with the records, or with what was published."""


def sequence(*, clock: Clock) -> int:
    """Sequence all that waits; return how many entries got their index.

    Returns 0 while another sequencer is at work: it finds what waits. Raises `LedgerDamaged` when
    nothing may be signed.
    """
    total = 0
    while count := _sequence_some(clock):
        total += count
    return total


def signing_keys() -> list[SigningKey]:
    """The keys of the settings, the current one first; all of them sign, during a rotation."""
    name: str = settings.LEDGER_ORIGIN
    return [SigningKey.from_seed(name, seed) for seed in settings.LEDGER_SIGNING_SEEDS]


def _sequence_some(clock: Clock) -> int:
    with transaction.atomic():
        if not _is_alone():
            return 0
        before = latest_checkpoint()
        size = before.size if before else 0
        _check_publication(before)
        entries = list(
            LedgerEntry.objects.filter(index=None)
            .select_related("record__notice")
            .order_by("id")[:ENTRIES_AT_ONCE]
        )
        if not entries:
            return 0
        _check_leaves(entries)
        _check_root(before)
        grown = dict(grow(size, [bytes(entry.leaf_hash) for entry in entries], read_nodes))
        LedgerNode.objects.bulk_create(
            LedgerNode(level=node.level, position=node.position, hash=data)
            for node, data in grown.items()
        )
        _give_indices(entries, size)
        checkpoint = _sign(size + len(entries), clock)
    # After the commit, so that the file never knows what the database does not.
    _publish(checkpoint)
    return len(entries)


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [SEQUENCER_LOCK])
        return bool(cursor.fetchone()[0])


def _check_publication(latest: LedgerCheckpoint | None) -> None:
    """Faults 28 and 29: the database must know what was published, and publish what it knows."""
    published = last_published()
    size = latest.size if latest else 0
    if published is None:
        missing = LedgerCheckpoint.objects.order_by("size")
    elif published.size > size:
        raise LedgerDamaged(
            f"Checkpoint {published.size} was published and the database ends at {size}: "
            "an old backup is back. Nothing is signed."
        )
    else:
        same = LedgerCheckpoint.objects.filter(pk=published.size).first()
        if same is None or bytes(same.root).hex() != published.root:
            raise LedgerDamaged(
                f"Two trees of size {published.size} have different roots. Nothing is signed."
            )
        missing = LedgerCheckpoint.objects.filter(size__gt=published.size).order_by("size")
    for checkpoint in missing:
        _publish(checkpoint)


def _check_leaves(entries: Sequence[LedgerEntry]) -> None:
    """Fault 26: what was written must still be what is there."""
    for entry in entries:
        if entry.record is None or entry.record.leaf.hash != bytes(entry.leaf_hash):
            raise LedgerDamaged(
                f"Entry {entry.pk} does not agree with record {entry.record_id}. Nothing is signed."
            )


def _check_root(latest: LedgerCheckpoint | None) -> None:
    if latest and root(latest.size, read_nodes) != bytes(latest.root):
        raise LedgerDamaged(f"The tree of size {latest.size} has changed. Nothing is signed.")


_GIVE_INDICES = """
UPDATE privacy_center_ledgerentry AS entry SET index = given.index
FROM unnest(%s::int8[], %s::int8[]) AS given (id, index) WHERE entry.id = given.id
"""


def _give_indices(entries: Sequence[LedgerEntry], size: int) -> None:
    with connection.cursor() as cursor:
        indices = list(range(size, size + len(entries)))
        cursor.execute(_GIVE_INDICES, [[entry.pk for entry in entries], indices])


def _sign(size: int, clock: Clock) -> LedgerCheckpoint:
    _remember_keys(clock)
    checkpoint = Checkpoint(settings.LEDGER_ORIGIN, size, root(size, read_nodes))
    return LedgerCheckpoint.objects.create(
        size=size,
        root=checkpoint.root,
        note=sign_checkpoint(checkpoint, signing_keys()),
        signed_at=clock(),
    )


def _remember_keys(clock: Clock) -> None:
    """The public halves, for as long as the ledger is there: old receipts are checked by them."""
    LedgerKey.objects.bulk_create(
        [
            LedgerKey(
                key_id=key.verifier_key.key_id, verifier_key=str(key.verifier_key), since=clock()
            )
            for key in signing_keys()
        ],
        ignore_conflicts=True,
    )


def _publish(checkpoint: LedgerCheckpoint) -> None:
    append_checkpoint(
        PublishedCheckpoint(checkpoint.size, bytes(checkpoint.root).hex(), checkpoint.note)
    )
