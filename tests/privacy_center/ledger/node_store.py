"""A tree's nodes in memory, in place of the tables; it counts how it is read."""

from collections.abc import Iterable, Sequence

from privacy_center.ledger.tree import Node, grow


class NodeStore:
    """Stored leaves and complete subtrees."""

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self.size = 0
        self.nodes: dict[Node, bytes] = {}
        self.reads: list[Sequence[Node]] = []
        self.append(leaf_hashes)

    def append(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves, and the nodes that they complete."""
        leaves = list(leaf_hashes)
        self.nodes |= grow(self.size, leaves, self.read)
        for data in leaves:
            self.nodes[Node(0, self.size)] = data
            self.size += 1

    def read(self, nodes: Sequence[Node]) -> list[bytes]:
        """The hashes of these nodes, in their order."""
        self.reads.append(nodes)
        return [self.nodes[node] for node in nodes]
