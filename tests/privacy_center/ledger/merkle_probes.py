"""Proofs to accept and proofs to refuse: our own over a published tree, and more if they are there.

Those of ours use the eight leaves of Certificate Transparency's test tree and spoil honest proofs
in every way that a forger would try first.
"""

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import TypedDict

from privacy_center.ledger.verify_receipt import leaf_hash, node_hash
from tests.privacy_center.ledger.reference import Reference

CT_LEAVES = [
    bytes.fromhex(data)
    for data in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_TREE = Reference([leaf_hash(data) for data in CT_LEAVES])
_REPOSITORY = Path(__file__).parents[3]
_FOREIGN = sha256(b"a forger's").digest()


@dataclass(frozen=True)
class InclusionProbe:
    """Arguments of `verify_inclusion`, and whether they must be accepted."""

    index: int
    size: int
    leaf: bytes
    proof: list[bytes]
    root: bytes
    is_valid: bool
    name: str


@dataclass(frozen=True)
class ConsistencyProbe:
    """Arguments of `verify_consistency`, and whether they must be accepted."""

    first: int
    second: int
    root1: bytes
    root2: bytes
    proof: list[bytes]
    is_valid: bool
    name: str


def inclusion_probes() -> list[InclusionProbe]:
    """Ours, and those of the folder when it is there."""
    found = []
    for index, size in [(0, 1), (0, 8), (5, 8), (2, 3), (1, 5), (4, 5)]:
        honest = InclusionProbe(
            index=index,
            size=size,
            leaf=CT_TREE.leaf_hashes[index],
            proof=CT_TREE.path(index, 0, size),
            root=CT_TREE.mth(0, size),
            is_valid=True,
            name=f"{index} in {size}",
        )
        found += [honest, *_spoiled_inclusion(honest)]
    return [*found, *_crafted_inclusion(), *_stored_inclusion()]


def consistency_probes() -> list[ConsistencyProbe]:
    """Ours, and those of the folder when it is there."""
    found = []
    for first, second in [(1, 1), (1, 8), (6, 8), (2, 5), (3, 7), (4, 8)]:
        honest = ConsistencyProbe(
            first=first,
            second=second,
            root1=CT_TREE.mth(0, first),
            root2=CT_TREE.mth(0, second),
            proof=CT_TREE.proof(first, second),
            is_valid=True,
            name=f"{first} to {second}",
        )
        found += [honest, *_spoiled_consistency(honest)]
    return [*found, *_crafted_consistency(), *_stored_consistency()]


def _spoiled_inclusion(honest: InclusionProbe) -> Iterator[InclusionProbe]:
    empty = sha256().digest()
    changes: dict[str, dict[str, object]] = {
        "index beyond the tree": {"index": honest.size},
        "negative index": {"index": honest.index - honest.size},
        "index xor 2": {"index": honest.index ^ 2},
        "size doubled": {"size": honest.size * 2},
        "size halved": {"size": honest.size // 2},
        "another leaf": {"leaf": _FOREIGN},
        "short leaf": {"leaf": honest.leaf[:-1]},
        "empty leaf": {"leaf": b""},
        "another root": {"root": _FOREIGN},
        "the empty tree's root": {"root": empty},
        "no root": {"root": b""},
        "root and leaf exchanged for one": {"root": _FOREIGN, "leaf": _FOREIGN},
    }
    changes |= {
        name: {"proof": proof} for name, proof in _spoiled(honest.proof, honest.root).items()
    }
    # A tree of one leaf: root and leaf are the same, whatever they are.
    if honest.size == 1:
        del changes["root and leaf exchanged for one"]
    for name, change in changes.items():
        yield replace(honest, **change, is_valid=False, name=f"{honest.name}, {name}")  # type: ignore[arg-type]


def _spoiled_consistency(honest: ConsistencyProbe) -> Iterator[ConsistencyProbe]:
    changes: dict[str, dict[str, object]] = {
        "from nothing": {"first": 0},
        "backward": {"first": honest.second + 1},
        "another root before": {"root1": _FOREIGN},
        "another root after": {"root2": _FOREIGN},
        "no root before": {"root1": b""},
        "size after doubled": {"second": honest.second * 2},
        "size before xor 2": {"first": honest.first ^ 2},
    }
    if honest.first != honest.second:
        changes["roots exchanged"] = {"root1": honest.root2, "root2": honest.root1}
        changes["said to be the same size"] = {"first": honest.second}
    changes |= {
        name: {"proof": proof} for name, proof in _spoiled(honest.proof, honest.root1).items()
    }
    for name, change in changes.items():
        yield replace(honest, **change, is_valid=False, name=f"{honest.name}, {name}")  # type: ignore[arg-type]


def _crafted_inclusion() -> Iterator[InclusionProbe]:
    """Proofs whose hashes add up to the root, and that still prove nothing."""
    leaf, (sibling, *rest), root = CT_TREE.leaf_hashes[0], CT_TREE.path(0, 0, 8), CT_TREE.mth(0, 8)
    moved = [leaf[-1:] + sibling, *rest]
    yield InclusionProbe(0, 8, leaf[:-1], moved, root, False, "a byte moved to the next hash")
    second, path, pair = CT_TREE.leaf_hashes[1], CT_TREE.path(1, 0, 2), CT_TREE.mth(0, 2)
    yield InclusionProbe(0, 1, second, path, pair, False, "a smaller size than it was made for")
    yield InclusionProbe(0, 1, b"short", [], b"short", False, "a root and leaf of no hash")
    endless, high = [_FOREIGN] * 70, leaf
    for data in endless:
        high = node_hash(high, data)
    yield InclusionProbe(0, 2**70, leaf, endless, high, False, "70 hashes in a tree for them")


def _crafted_consistency() -> Iterator[ConsistencyProbe]:
    """Proofs whose hashes add up to the roots, and that still prove nothing."""
    seven, eight, proof = CT_TREE.mth(0, 7), CT_TREE.mth(0, 8), CT_TREE.proof(7, 8)
    yield ConsistencyProbe(3, 4, seven, eight, proof, False, "smaller sizes than it was made for")
    one = CT_TREE.leaf_hashes[0]
    first, *rest = CT_TREE.proof(1, 8)
    moved = [one[-1:] + first, *rest]
    yield ConsistencyProbe(1, 8, one[:-1], eight, moved, False, "a byte moved to the next hash")
    endless, high = [_FOREIGN] * 70, one
    for data in endless:
        high = node_hash(high, data)
    yield ConsistencyProbe(1, 2**70, one, high, endless, False, "70 hashes in a tree for them")


def _spoiled(proof: list[bytes], root: bytes) -> dict[str, list[bytes]]:
    spoiled = {
        "garbage before": [b"garbage", *proof],
        "garbage after": [*proof, b"garbage"],
        "hash before": [_FOREIGN, *proof],
        "hash after": [*proof, _FOREIGN],
        "root before": [root, *proof],
        "root after": [*proof, root],
        "65 hashes": [*proof, *[_FOREIGN] * (65 - len(proof))],
    }
    if proof:
        spoiled |= {
            "nothing proved": [],
            "first removed": proof[1:],
            "last removed": proof[:-1],
            "first twice": [proof[0], *proof],
            "short hash": [proof[0][:-1], *proof[1:]],
        }
    if len(proof) > 1:
        spoiled["turned around"] = proof[::-1]
    for place, data in enumerate(proof):
        flipped = bytes([data[0] ^ 1]) + data[1:]
        spoiled[f"bit of hash {place}"] = [*proof[:place], flipped, *proof[place + 1 :]]
    return spoiled


# Vectors of a log in wide use, where there are some (MERKLE_VECTORS).


class _Vector(TypedDict):
    root: str
    root1: str
    root2: str
    leafHash: str
    leafIdx: int
    treeSize: int
    size1: int
    size2: int
    proof: list[str] | None
    wantErr: bool
    file: str


def _stored(name: str) -> list[_Vector]:
    place = os.environ.get("MERKLE_VECTORS")
    shared = _REPOSITORY.parent / "shared" / "data" / "merkle-vectors"
    path = (Path(place) if place else shared) / name
    if not place and not path.exists():
        return []
    vectors: list[_Vector] = json.loads(path.read_text())
    return vectors


def _stored_inclusion() -> Iterator[InclusionProbe]:
    for vector in _stored("inclusion.json"):
        yield InclusionProbe(
            index=vector["leafIdx"],
            size=vector["treeSize"],
            leaf=base64.b64decode(vector["leafHash"] or ""),
            proof=[base64.b64decode(data) for data in vector["proof"] or []],
            root=base64.b64decode(vector["root"] or ""),
            is_valid=not vector["wantErr"],
            name=vector["file"],
        )


def _stored_consistency() -> Iterator[ConsistencyProbe]:
    for vector in _stored("consistency.json"):
        yield ConsistencyProbe(
            first=vector["size1"],
            second=vector["size2"],
            root1=base64.b64decode(vector["root1"] or ""),
            root2=base64.b64decode(vector["root2"] or ""),
            proof=[base64.b64decode(data) for data in vector["proof"] or []],
            is_valid=not vector["wantErr"],
            name=vector["file"],
        )
