"""The Merkle tree against its definitions, published answers and forged proofs."""

from hashlib import sha256

import pytest

from privacy_center.ledger.tree import (
    Fold,
    Node,
    consistency_proof,
    edge,
    fold,
    grow,
    inclusion_proof,
    root,
    verify_consistency,
)
from privacy_center.ledger.verify_receipt import leaf_hash, node_hash, verify_inclusion
from tests.privacy_center.ledger.merkle_probes import (
    CT_LEAVES,
    CT_TREE,
    ConsistencyProbe,
    InclusionProbe,
    consistency_probes,
    inclusion_probes,
)
from tests.privacy_center.ledger.node_store import NodeStore
from tests.privacy_center.ledger.reference import Reference

MOST = 256
LEAVES = [leaf_hash(str(number).encode()) for number in range(MOST)]
REFERENCE = Reference(LEAVES)


def test_hashes_are_the_published_ones() -> None:
    assert leaf_hash(b"").hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert leaf_hash(b"L123456").hex() == (
        "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    )
    assert node_hash(b"N123", b"N456").hex() == (
        "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    )


def test_roots_are_the_published_ones() -> None:
    store = NodeStore(leaf_hash(data) for data in CT_LEAVES)

    assert root(0, store.read).hex() == (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
    assert root(8, store.read).hex() == (
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"
    )
    assert CT_TREE.mth(0, 8) == root(8, store.read)


def test_every_root_is_that_of_the_definition() -> None:
    store = NodeStore(LEAVES)

    for size in range(MOST + 1):
        assert root(size, store.read) == REFERENCE.mth(0, size)


def test_every_inclusion_proof_is_that_of_the_definition_and_verifies() -> None:
    store = NodeStore(LEAVES)

    for size in range(1, MOST + 1):
        root_hash = REFERENCE.mth(0, size)
        for index in range(size):
            proof = inclusion_proof(index, size, store.read)
            assert proof == REFERENCE.path(index, 0, size)
            assert verify_inclusion(index, size, LEAVES[index], proof, root_hash)


def test_every_consistency_proof_is_that_of_the_definition_and_verifies() -> None:
    store = NodeStore(LEAVES)

    for second in range(1, MOST + 1):
        root2 = REFERENCE.mth(0, second)
        for first in range(1, second + 1):
            proof = consistency_proof(first, second, store.read)
            assert proof == REFERENCE.proof(first, second)
            assert verify_consistency(first, second, REFERENCE.mth(0, first), root2, proof)


@pytest.mark.parametrize("probe", inclusion_probes(), ids=lambda probe: probe.name)
def test_an_inclusion_proof_is_judged_rightly(probe: InclusionProbe) -> None:
    verdict = verify_inclusion(probe.index, probe.size, probe.leaf, probe.proof, probe.root)

    assert verdict == probe.is_valid


@pytest.mark.parametrize("probe", consistency_probes(), ids=lambda probe: probe.name)
def test_a_consistency_proof_is_judged_rightly(probe: ConsistencyProbe) -> None:
    verdict = verify_consistency(probe.first, probe.second, probe.root1, probe.root2, probe.proof)

    assert verdict == probe.is_valid


def test_fault_29_two_trees_of_one_size_are_not_consistent() -> None:
    other = Reference([*LEAVES[:9], leaf_hash(b"rewritten")])

    assert not verify_consistency(10, 10, REFERENCE.mth(0, 10), other.mth(0, 10), [])
    assert not verify_consistency(
        10, 20, other.mth(0, 10), REFERENCE.mth(0, 20), REFERENCE.proof(10, 20)
    )


@pytest.mark.parametrize("batches", [[256], [1] * 20, [7, 1, 8, 100], [0, 3, 0, 5], [128, 128]])
def test_a_tree_grown_in_batches_stores_what_one_grown_at_once_does(batches: list[int]) -> None:
    grown = NodeStore()
    for count in batches:
        grown.append(LEAVES[grown.size : grown.size + count])

    assert grown.nodes == NodeStore(LEAVES[: grown.size]).nodes


def test_every_complete_subtree_is_stored_with_its_hash() -> None:
    stored = {node: data for node, data in NodeStore(LEAVES).nodes.items() if node.level > 0}
    expected = {
        Node(level, position): REFERENCE.mth(position << level, position + 1 << level)
        for level in range(1, 9)
        for position in range(MOST >> level)
    }

    assert stored == expected
    assert dict(fold(LEAVES)) == expected


def test_growing_returns_only_what_the_new_leaves_complete() -> None:
    store = NodeStore(LEAVES[:5])

    assert [node for node, _ in grow(5, LEAVES[5:8], store.read)] == [
        (1, 2),
        (1, 3),
        (2, 1),
        (3, 0),
    ]
    assert grow(5, [], store.read) == []


def test_a_fold_knows_the_root_after_every_leaf() -> None:
    tree = Fold()

    assert tree.root == sha256().digest()
    for size, data in enumerate(LEAVES, 1):
        tree.add(data)
        assert (tree.size, tree.root) == (size, REFERENCE.mth(0, size))


def test_a_fold_goes_on_from_any_edge() -> None:
    store = NodeStore(LEAVES)
    for size in range(MOST):
        tree = Fold(size, store.read(edge(size)))
        tree.add(LEAVES[size])
        assert tree.root == REFERENCE.mth(0, size + 1)


def test_a_fold_refuses_an_edge_that_does_not_fit() -> None:
    with pytest.raises(ValueError, match="an edge of 2"):
        Fold(5, [LEAVES[0]])


def test_each_answer_takes_one_read_of_a_few_nodes() -> None:
    size = 1_000_003
    asked: list[int] = []

    def read(nodes: list[Node]) -> list[bytes]:
        asked.append(len(nodes))
        assert all(node.position + 1 << node.level <= size for node in nodes)
        return [bytes(32)] * len(nodes)

    root(size, read)  # type: ignore[arg-type]
    for index in (0, 1, 524_288, 999_999, 1_000_002):
        inclusion_proof(index, size, read)  # type: ignore[arg-type]
        consistency_proof(index + 1, size, read)  # type: ignore[arg-type]

    assert len(asked) == 11
    assert max(asked) <= 2 * size.bit_length()


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_there_is_no_proof_for_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        inclusion_proof(index, size, NodeStore(LEAVES).read)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_from_a_tree_that_is_no_beginning(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="cannot be shown"):
        consistency_proof(first, second, NodeStore(LEAVES).read)
    with pytest.raises(ValueError, match="negative size"):
        root(-1, NodeStore(LEAVES).read)
