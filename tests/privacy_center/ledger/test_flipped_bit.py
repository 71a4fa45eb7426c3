"""One flipped bit, anywhere: it is found."""

from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.leaf import commitment
from privacy_center.ledger.tree import (
    Node,
    consistency_proof,
    fold,
    inclusion_proof,
    root,
    verify_consistency,
)
from privacy_center.ledger.verify_receipt import (
    Invalid,
    VerifierKey,
    check_receipt,
    leaf_hash,
    open_note,
    parse_checkpoint,
    parse_proof,
    receipt_file,
    verify_inclusion,
)
from tests.privacy_center.ledger.ledger import KEY, NAME, Ledger
from tests.privacy_center.ledger.node_store import NodeStore

LEDGER = Ledger(13)
KEYS = [KEY.verifier_key]
FILES = [receipt_file(LEDGER.receipt(index)) for index in range(6)]


def flip(data: bytes, bit: int) -> bytes:
    place, shift = divmod(bit % (8 * len(data)), 8)
    return data[:place] + bytes([data[place] ^ (1 << shift)]) + data[place + 1 :]


def flips(data: bytes) -> Iterator[bytes]:
    """The data with each of its bits flipped, one at a time."""
    return (flip(data, bit) for bit in range(8 * len(data)))


def is_genuine(data: bytes) -> bool:
    try:
        check_receipt(data, KEYS)
    except Invalid:
        return False
    return True


@settings(max_examples=400, deadline=None)
@given(number=st.integers(0, len(FILES) - 1), bit=st.integers(0, 1 << 20))
def test_fault_26_in_a_receipt(number: int, bit: int) -> None:
    assert is_genuine(FILES[number])
    assert not is_genuine(flip(FILES[number], bit))


@pytest.mark.torture
def test_fault_26_in_every_bit_of_a_receipt() -> None:
    assert not any(is_genuine(data) for data in flips(FILES[0]))


def test_fault_26_in_every_bit_of_a_statement() -> None:
    for index in range(6):
        statement, opening = LEDGER.statement(index).data, LEDGER.opening(index)
        honest = commitment(opening, statement)
        assert honest == LEDGER.leaf(index).commitment
        assert honest not in {commitment(opening, data) for data in flips(statement)}
        assert honest not in {commitment(data, statement) for data in flips(opening)}


@settings(deadline=None)
@given(size=st.integers(1, 40), data=st.data())
def test_fault_26_in_a_leaf(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    ledger = Ledger(size)
    leaf = ledger.leaf(index).data
    spoiled = flip(leaf, data.draw(st.integers(0, 8 * len(leaf) - 1)))
    proof = inclusion_proof(index, size, ledger.store.read)

    assert verify_inclusion(index, size, leaf_hash(leaf), proof, ledger.checkpoint.root)
    assert not verify_inclusion(index, size, leaf_hash(spoiled), proof, ledger.checkpoint.root)


@settings(deadline=None)
@given(size=st.integers(1, 70), data=st.data())
def test_fault_26_in_a_stored_node(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    store = NodeStore(leaves)
    honest_root = root(size, store.read)
    node = data.draw(st.sampled_from(sorted(store.nodes)))
    store.nodes[node] = flip(store.nodes[node], data.draw(st.integers(0, 255)))

    # Whoever derives the tree again finds the very node; for a leaf, all that stands above it.
    stored = [store.nodes[Node(0, position)] for position in range(size)]
    wrong = [found for found, derived in fold(stored) if store.nodes[found] != derived]
    assert (root(size, NodeStore(stored).read) != honest_root) or wrong == [node]
    # Whoever uses it for a root, or in a proof, gets nothing that verifies.
    seen: set[Node] = set()

    def read(nodes: list[Node]) -> list[bytes]:
        seen.update(nodes)
        return store.read(nodes)

    for index in range(size):
        seen.clear()
        proof = inclusion_proof(index, size, read)  # type: ignore[arg-type]
        verdict = verify_inclusion(index, size, leaves[index], proof, honest_root)
        assert verdict == (node not in seen)
    for first in range(1, size):
        seen.clear()
        proof = consistency_proof(first, size, read)  # type: ignore[arg-type]
        old = root(first, NodeStore(leaves).read)
        verdict = verify_consistency(first, size, old, honest_root, proof)
        assert verdict == (node not in seen)
    seen.clear()
    assert (root(size, read) == honest_root) == (node not in seen)  # type: ignore[arg-type]


@settings(deadline=None)
@given(size=st.integers(2, 40), data=st.data())
def test_fault_26_in_a_root(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    ledger = Ledger(size)
    proof = inclusion_proof(index, size, ledger.store.read)
    spoiled = flip(ledger.checkpoint.root, data.draw(st.integers(0, 255)))

    assert not verify_inclusion(index, size, ledger.leaf(index).hash, proof, spoiled)
    assert replace(ledger.checkpoint, root=spoiled).text != ledger.checkpoint.text


def test_fault_26_in_every_bit_of_a_checkpoint() -> None:
    honest = LEDGER.checkpoint
    for data in flips(honest.text.encode()):
        try:
            found = parse_checkpoint(data.decode())
        except ValueError:
            continue
        # What can be read at all says something else: the signature is over another text.
        assert found != honest
        assert found.text.encode() == data


def test_fault_26_in_every_bit_of_a_signed_note() -> None:
    assert open_note(LEDGER.note, KEYS) == LEDGER.checkpoint
    for data in flips(LEDGER.note.encode()):
        with pytest.raises(ValueError):  # noqa: PT011 - Invalid, or not UTF-8 to begin with
            open_note(data.decode(), KEYS)


def test_fault_26_in_every_bit_of_a_proof() -> None:
    def proves(text: str) -> bool:
        proof = parse_proof(text)
        checkpoint = open_note(proof.note, KEYS)
        leaf = LEDGER.leaf(6).hash
        return verify_inclusion(proof.index, checkpoint.size, leaf, proof.hashes, checkpoint.root)

    assert proves(LEDGER.proof(6))
    for data in flips(LEDGER.proof(6).encode()):
        try:
            assert not proves(data.decode())
        except ValueError:
            continue


def test_fault_26_in_every_bit_of_a_verifier_key() -> None:
    for data in flips(str(KEY.verifier_key).encode()):
        with pytest.raises(ValueError):  # noqa: PT011 - Invalid, or not UTF-8 to begin with
            VerifierKey.parse(data.decode())
    for public in flips(KEY.verifier_key.public):
        with pytest.raises(Invalid):
            open_note(LEDGER.note, [VerifierKey(NAME, public)])


def test_fault_26_in_every_bit_of_a_signing_key() -> None:
    for seed in flips(KEY.seed):
        other = SigningKey.from_seed(NAME, seed)
        assert other.verifier_key.public != KEY.verifier_key.public
        with pytest.raises(Invalid):
            open_note(Ledger(2, keys=(other,)).note, KEYS)


def test_a_flip_changes_exactly_one_bit() -> None:
    data = sha256().digest()

    assert len(set(flips(data))) == 256
    assert all(
        (int.from_bytes(data) ^ int.from_bytes(flipped)).bit_count() == 1 for flipped in flips(data)
    )
