"""Reading the ledger: its nodes, its checkpoints, its keys, and proofs about its entries."""

from collections.abc import Sequence
from datetime import datetime

from django.db import connection

from privacy_center.ledger.tree import Node, consistency_proof, inclusion_proof
from privacy_center.models import LedgerCheckpoint, LedgerEntry, LedgerKey


def latest_checkpoint() -> LedgerCheckpoint | None:
    """What was signed last; None before the first decision was sequenced."""
    return LedgerCheckpoint.objects.order_by("-size").first()


def read_nodes(nodes: Sequence[Node]) -> list[bytes]:
    """The hashes of complete subtrees, in the order asked for. Raises LookupError for one that is
    not there."""
    with connection.cursor() as cursor:
        cursor.execute(
            _NODES,
            [
                [node.position for node in nodes if node.level == 0],
                [node.level for node in nodes if node.level > 0],
                [node.position for node in nodes if node.level > 0],
            ],
        )
        found = {Node(level, position): bytes(data) for level, position, data in cursor.fetchall()}
    return [found[node] for node in nodes]


_NODES = """
SELECT 0, index, leaf_hash FROM privacy_center_ledgerentry WHERE index = ANY(%s::int8[])
UNION ALL
SELECT level, position, hash FROM privacy_center_ledgernode
JOIN unnest(%s::int2[], %s::int8[]) AS asked (level, position) USING (level, position)
"""


def inclusion(index: int, size: int) -> list[bytes]:
    """The proof that the leaf at `index` is in the tree of `size` (RFC 9162)."""
    return inclusion_proof(index, size, read_nodes)


def consistency(first: int, second: int) -> list[bytes]:
    """The proof that the tree of size `second` only added to that of size `first`."""
    return consistency_proof(first, second, read_nodes)


def verifier_keys() -> list[str]:
    """Every key that ever signed, the newest first."""
    return list(LedgerKey.objects.values_list("verifier_key", flat=True))


def oldest_waiting() -> datetime | None:
    """When the entry was recorded that waits longest for its index; None when none waits."""
    waiting = LedgerEntry.objects.filter(index=None).order_by("id")
    return waiting.values_list("record__recorded_at", flat=True).first()
