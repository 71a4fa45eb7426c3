"""Measure the ledger's tree at a million leaves: proofs, growth, and deriving everything again.

The limit of a verification is bare SHA-256 over as many inputs of a node's 65 bytes.
"""

import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from typing import TypeVar
from uuid import UUID

from privacy_center.ledger.leaf import Leaf
from privacy_center.ledger.tree import (
    Fold,
    Node,
    consistency_proof,
    grow,
    inclusion_proof,
    root,
    verify_consistency,
)
from privacy_center.ledger.verify_receipt import verify_inclusion

Result = TypeVar("Result")

LEAVES = 1_000_000
PROOFS = 2_000
MINIMUM_LEAVES_PER_SECOND = 20_000
MAXIMUM_PROOF_MILLISECONDS = 10.0


def main() -> int:
    """Print the table; returns the number of bars that were missed."""
    print(f"Load of the machine before: {os.getloadavg()[0]:.1f} (other work spoils the times)")
    leaf_hashes, hashing = timed(lambda: [leaf.hash for leaf in leaves(LEAVES)])
    nodes = {Node(0, index): data for index, data in enumerate(leaf_hashes)}
    built, building = timed(lambda: grow(0, leaf_hashes, no_nodes))
    nodes |= built
    signed_root = root(LEAVES, reader(nodes))
    verifying = best(lambda: verify(leaf_hashes, nodes, signed_root))
    limit = best(lambda: bare_sha256(LEAVES))
    print(f"\n{LEAVES:,} leaves in memory:")
    line("bare SHA-256 of as many times 65 bytes", limit)
    line("canonical JSON of the leaves, hashed", hashing)
    line("grow: all nodes from the leaf hashes", building)
    line("verify: rebuild and compare every node", verifying)
    print(f"  the verification takes {verifying / limit:.1f} times as long as the limit")
    print(f"  with the leaves' own JSON, {(hashing + verifying) / limit:.1f} times\n")
    most = bench_proofs(leaf_hashes, nodes, signed_root)
    missed = []
    rate = LEAVES / (hashing + verifying)
    if rate < MINIMUM_LEAVES_PER_SECOND:
        missed.append(f"{rate:,.0f} leaves/s verified, not {MINIMUM_LEAVES_PER_SECOND:,}")
    if most * 1e3 > MAXIMUM_PROOF_MILLISECONDS:
        missed.append(f"a proof in {most * 1e3:.1f} ms, not {MAXIMUM_PROOF_MILLISECONDS} ms")
    for bar in missed:
        print(f"MISSED: {bar}")
    return len(missed)


def leaves(count: int) -> Iterator[Leaf]:
    """Synthetic leaves of the size that real ones have."""
    notice = sha256(b"notice").hexdigest()
    for number in range(count):
        yield Leaf(
            purpose="listening:personalize",
            decision="given",
            notice=notice,
            time=f"2026-11-24T09:00:00.{number:06}Z",
            commitment=UUID(int=number).bytes * 2,
        )


def reader(nodes: dict[Node, bytes]) -> Callable[[Sequence[Node]], list[bytes]]:
    """The tree's way into the store."""
    return lambda asked: [nodes[node] for node in asked]


def no_nodes(asked: Sequence[Node]) -> list[bytes]:
    """A store with nothing in it: an empty tree has no edge to read."""
    assert not asked
    return []


def verify(leaf_hashes: Sequence[bytes], nodes: dict[Node, bytes], signed_root: bytes) -> None:
    """Derive every node and the root from the leaf hashes; all must be as stored."""
    tree = Fold()
    for data in leaf_hashes:
        for node, derived in tree.add(data):
            assert nodes[node] == derived
    assert tree.root == signed_root


def bare_sha256(count: int) -> None:
    """The physical limit: as many hashes as a tree of so many leaves has inner nodes."""
    data = bytes(65)
    for _ in range(count):
        sha256(data).digest()


def bench_proofs(
    leaf_hashes: Sequence[bytes], nodes: dict[Node, bytes], signed_root: bytes
) -> float:
    """Make and check proofs at random places; returns the seconds in which 99 of 100 are made.

    The slowest one is printed, not judged: it tells how long the machine did something else.
    """
    read = reader(nodes)
    rng = random.Random(1)
    places = [rng.randrange(1, LEAVES) for _ in range(PROOFS)]
    old_roots = [root(place, read) for place in places]
    included = [timed(partial(inclusion_proof, place, LEAVES, read)) for place in places]
    consistent = [timed(partial(consistency_proof, place, LEAVES, read)) for place in places]
    inclusion_checks = [
        timed(partial(verify_inclusion, place, LEAVES, leaf_hashes[place], proof, signed_root))
        for place, (proof, _) in zip(places, included, strict=True)
    ]
    consistency_checks = [
        timed(partial(verify_consistency, place, LEAVES, old_root, signed_root, proof))
        for place, old_root, (proof, _) in zip(places, old_roots, consistent, strict=True)
    ]
    assert all(is_valid for is_valid, _ in inclusion_checks + consistency_checks)
    print(f"{PROOFS:,} proofs of each kind, median, 99th percentile and slowest:")
    spread("inclusion, made", included)
    spread("inclusion, verified", inclusion_checks)
    spread("consistency, made", consistent)
    spread("consistency, verified", consistency_checks)
    return percentile_99([seconds for _, seconds in included + consistent])


def timed(work: Callable[[], Result]) -> tuple[Result, float]:
    """A result, and the seconds it took."""
    began = time.perf_counter()
    result = work()
    return result, time.perf_counter() - began


def best(work: Callable[[], object]) -> float:
    """The seconds of the fastest of three."""
    return min(timed(work)[1] for _ in range(3))


def line(label: str, seconds: float) -> None:
    print(f"  {label:42} {seconds:6.2f} s {LEAVES / seconds:12,.0f} leaves/s")


def spread(label: str, measured: Sequence[tuple[object, float]]) -> None:
    seconds = [found for _, found in measured]
    figures = (statistics.median(seconds), percentile_99(seconds), max(seconds))
    print(f"  {label:24}" + "".join(f"{figure * 1e6:10.1f} us" for figure in figures))


def percentile_99(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=100)[-1]


if __name__ == "__main__":
    sys.exit(main())
