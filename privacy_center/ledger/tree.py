"""The Merkle tree (RFC 9162 §2.1) over stored nodes: roots, proofs and growth in O(log n) reads.

Only complete subtrees are stored. Whatever else a proof needs is folded from a few of them.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import NamedTuple

from privacy_center.ledger.verify_receipt import MAX_HASHES, node_hash

EMPTY_ROOT = sha256().digest()


class Node(NamedTuple):
    """The complete subtree over leaves [position·2^level, (position+1)·2^level)."""

    level: int
    position: int


# Given nodes, their hashes in the same order: the only thing the tree asks of a store.
ReadNodes = Callable[[Sequence[Node]], Sequence[bytes]]
# Leaves [first, last); `first` is a multiple of the least power of two that is not below the width.
_Range = tuple[int, int]


def root(size: int, read: ReadNodes) -> bytes:
    """The root hash MTH of the first `size` leaves (RFC 9162 §2.1.1)."""
    if size < 0:
        raise ValueError("A tree has no negative size.")
    return _hashes([(0, size)], read)[0] if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read: ReadNodes) -> list[bytes]:
    """PATH(index, D[:size]), from the leaf's sibling up to the root's child (RFC 9162 §2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"There is no leaf {index} in a tree of {size}.")
    first, last = 0, size
    siblings: list[_Range] = []
    while last - first > 1:
        middle = first + _split(last - first)
        if index < middle:
            siblings.append((middle, last))
            last = middle
        else:
            siblings.append((first, middle))
            first = middle
    return _hashes(siblings[::-1], read)


def consistency_proof(first: int, second: int, read: ReadNodes) -> list[bytes]:
    """PROOF(first, D[:second]): the tree of `second` leaves begins with that of `first` (RFC 9162
    §2.1.4.1)."""
    if not 0 < first <= second:
        raise ValueError(f"A tree of {second} leaves cannot be shown to begin with {first}.")
    start, end = 0, second
    needed: list[_Range] = []
    while end != first:
        middle = start + _split(end - start)
        if first <= middle:
            needed.append((middle, end))
            end = middle
        else:
            needed.append((start, middle))
            start = middle
    # A verifier knows the old root already; any other last subtree it must be told.
    if start > 0:
        needed.append((start, end))
    return _hashes(needed[::-1], read)


def verify_consistency(
    first: int, second: int, root1: bytes, root2: bytes, proof: Sequence[bytes]
) -> bool:
    """Whether `proof` shows that root2 over `second` leaves only adds to root1 over `first` (RFC
    9162 §2.1.4.2)."""
    if not 0 < first <= second:
        return False
    if first == second:
        return not proof and root1 == root2
    if not 0 < len(proof) <= MAX_HASHES or any(len(data) != 32 for data in proof):
        return False
    path = [root1, *proof] if first & (first - 1) == 0 else list(proof)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = path[0]
    for c in path[1:]:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = node_hash(c, fr), node_hash(c, sr)
            while fn and not fn & 1:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, c)
        fn, sn = fn >> 1, sn >> 1
    return sn == 0 and fr == root1 and sr == root2


class Fold:
    """A tree being built leaf by leaf, of which only the complete subtrees at its edge are kept.

    `size` leaves are in it; their edge is what `edge(size)` names, left to right.
    """

    def __init__(self, size: int = 0, edge_hashes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._edge = list(edge_hashes)
        if len(self._edge) != size.bit_count():
            raise ValueError(f"A tree of {size} leaves has an edge of {size.bit_count()} nodes.")

    def add(self, leaf_hash: bytes) -> list[tuple[Node, bytes]]:
        """Append a leaf; return the nodes of level ≥ 1 that it completed, lowest first."""
        completed: list[tuple[Node, bytes]] = []
        data, level, position = leaf_hash, 0, self.size
        while position & 1:
            data = node_hash(self._edge.pop(), data)
            level, position = level + 1, position >> 1
            completed.append((Node(level, position), data))
        self._edge.append(data)
        self.size += 1
        return completed

    @property
    def root(self) -> bytes:
        """The root hash of the leaves so far."""
        return _join(self._edge) if self._edge else EMPTY_ROOT


def edge(size: int) -> list[Node]:
    """The complete subtrees that make up a tree of `size` leaves, left to right."""
    return _cover((0, size))


def fold(leaf_hashes: Iterable[bytes]) -> Iterator[tuple[Node, bytes]]:
    """Every node of level ≥ 1 over these leaves, in the order of completion."""
    tree = Fold()
    for data in leaf_hashes:
        yield from tree.add(data)


def grow(size: int, leaf_hashes: Iterable[bytes], read: ReadNodes) -> list[tuple[Node, bytes]]:
    """The nodes of level ≥ 1 that these leaves complete when they follow the first `size`."""
    tree = Fold(size, read(edge(size)))
    return [node for data in leaf_hashes for node in tree.add(data)]


def _split(width: int) -> int:
    """The largest power of two below a width of at least 2."""
    return 1 << (width - 1).bit_length() - 1


def _cover(leaves: _Range) -> list[Node]:
    """The complete subtrees that make up a range, left to right and so from large to small."""
    first, last = leaves
    nodes = []
    while first < last:
        level = (last - first).bit_length() - 1
        nodes.append(Node(level, first >> level))
        first += 1 << level
    return nodes


def _join(hashes: Sequence[bytes]) -> bytes:
    """The hash over neighboring complete subtrees, of which each is smaller than the one before."""
    data = hashes[-1]
    for left in reversed(hashes[:-1]):
        data = node_hash(left, data)
    return data


def _hashes(ranges: Sequence[_Range], read: ReadNodes) -> list[bytes]:
    """MTH of each range, with a single read."""
    covers = [_cover(leaves) for leaves in ranges]
    found = iter(read([node for cover in covers for node in cover]))
    return [_join([next(found) for _ in cover]) for cover in covers]
