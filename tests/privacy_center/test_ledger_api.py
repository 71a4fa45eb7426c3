"""The public ledger: proofs that a stranger can check, and addresses that refuse what is wrong."""

import base64
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from privacy_center.ledger.tree import verify_consistency
from privacy_center.ledger.verify_receipt import (
    VerifierKey,
    open_note,
    verify_inclusion,
)
from privacy_center.models import Account, LedgerCheckpoint, LedgerEntry
from privacy_center.sequencer import sequence
from tests.conftest import NOW, choose

PRESETS = ["community", "just-listening", "just-for-me", "community", "just-listening"]


@pytest.fixture
def sizes(alice: Account) -> list[int]:
    """A ledger of several signed sizes; the sizes."""
    found: list[int] = []
    for day, preset in enumerate(PRESETS):
        choose(alice, preset, at=NOW + timedelta(days=day))
        sequence(clock=timezone.now)
        found.append(LedgerCheckpoint.objects.latest("size").size)
    return found


@pytest.fixture
def stranger() -> Client:
    return Client()


def _keys(stranger: Client) -> list[VerifierKey]:
    lines = stranger.get("/.well-known/consent-ledger-keys").text.splitlines()
    return [VerifierKey.parse(line) for line in lines]


def _roots(stranger: Client, sizes: list[int]) -> dict[int, bytes]:
    keys = _keys(stranger)
    notes = [stranger.get(f"/ledger/checkpoint/{size}").text for size in sizes]
    return {checkpoint.size: checkpoint.root for checkpoint in (open_note(n, keys) for n in notes)}


def _decoded(hashes: list[str]) -> list[bytes]:
    return [base64.b64decode(data, validate=True) for data in hashes]


def test_the_newest_checkpoint_is_signed_by_a_published_key(
    stranger: Client, sizes: list[int]
) -> None:
    response = stranger.get("/ledger/checkpoint")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert open_note(response.text, _keys(stranger)).size == sizes[-1]
    assert not response.cookies


def test_every_pair_of_signed_sizes_is_shown_to_be_one_growing_tree(
    stranger: Client, sizes: list[int]
) -> None:
    roots = _roots(stranger, sizes)
    pairs = [(a, b) for a in roots for b in roots if a <= b]
    assert len(pairs) > 10
    for first, second in pairs:
        answer = stranger.get("/ledger/consistency", {"from": first, "to": second}).json()
        proof = _decoded(answer["hashes"])
        assert verify_consistency(first, second, roots[first], roots[second], proof)


def test_every_leaf_is_shown_to_be_in_every_signed_tree(stranger: Client, sizes: list[int]) -> None:
    for size, root in _roots(stranger, sizes).items():
        for index in range(size):
            answer = stranger.get("/ledger/proof", {"index": index, "size": size}).json()
            leaf, proof = _decoded([answer["leaf"]])[0], _decoded(answer["hashes"])
            assert verify_inclusion(index, size, leaf, proof, root)


def test_the_leaves_are_given_by_range_in_the_order_of_the_ledger(
    stranger: Client, sizes: list[int]
) -> None:
    stored = LedgerEntry.objects.order_by("index").values_list("leaf_hash", flat=True)
    everything = stranger.get("/ledger/leaves", {"from": 0, "to": sizes[-1]}).json()["leaves"]
    assert _decoded(everything) == [bytes(data) for data in stored]
    assert stranger.get("/ledger/leaves", {"from": 1, "to": 3}).json()["leaves"] == everything[1:3]


def test_an_empty_ledger_says_so(stranger: Client, db: None) -> None:
    assert stranger.get("/ledger/checkpoint").status_code == 404
    assert stranger.get("/ledger/proof", {"index": 0, "size": 1}).status_code == 404
    assert stranger.get("/.well-known/consent-ledger-keys").text == ""


def test_a_decision_that_waits_for_its_place_is_in_no_answer(
    stranger: Client, sizes: list[int], bob: Account
) -> None:
    choose(bob, "community")
    asked = {"from": 0, "to": sizes[-1] + 1}
    assert stranger.get("/ledger/leaves", asked).status_code == 404
    assert open_note(stranger.get("/ledger/checkpoint").text, _keys(stranger)).size == sizes[-1]


TOO_LARGE = str(2**63)


@pytest.mark.parametrize(
    "address",
    [
        "/ledger/proof?index=3&size=3",
        "/ledger/proof?index=4&size=3",
        "/ledger/proof?index=007&size=8",
        "/ledger/proof?index=0&size=007",
        "/ledger/proof?index=-1&size=3",
        "/ledger/proof?index=%2B1&size=3",
        "/ledger/proof?index=1.0&size=3",
        "/ledger/proof?index=1e0&size=3",
        "/ledger/proof?index=&size=3",
        "/ledger/proof?index=%D9%A1&size=3",
        f"/ledger/proof?index=0&size={TOO_LARGE}",
        f"/ledger/proof?index=0&size={'9' * 5000}",
        "/ledger/proof?index=0",
        "/ledger/proof?size=3",
        "/ledger/proof?index=0&size=3&size=3",
        "/ledger/proof?index=0&size=3&hash=x",
        "/ledger/consistency?from=0&to=3",
        "/ledger/consistency?from=4&to=3",
        "/ledger/consistency?from=01&to=3",
        "/ledger/consistency?from=x&to=3",
        "/ledger/leaves?from=3&to=3",
        "/ledger/leaves?from=3&to=2",
        "/ledger/leaves?from=0&to=1025",
        "/ledger/leaves?from=0&to=10000000000000000000000",
        "/ledger/checkpoint/007",
        "/ledger/checkpoint/x",
        "/ledger/checkpoint?size=3",
        "/.well-known/consent-ledger-keys?a=b",
    ],
)
def test_input_52_a_question_about_no_possible_tree_is_400(
    stranger: Client, sizes: list[int], address: str
) -> None:
    response = stranger.get(address)
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert response["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "address",
    [
        "/ledger/proof?index=0&size=1000",
        f"/ledger/proof?index=0&size={2**63 - 1}",
        "/ledger/consistency?from=1&to=1000",
        "/ledger/leaves?from=999&to=1000",
        "/ledger/checkpoint/1000",
        f"/ledger/checkpoint/{2**63 - 1}",
    ],
)
def test_input_52_a_tree_that_is_not_there_yet_is_404_and_kept_by_no_cache(
    stranger: Client, sizes: list[int], address: str
) -> None:
    response = stranger.get(address)
    assert response.status_code == 404
    assert response["Cache-Control"] == "no-store"


def test_what_never_changes_is_cached_for_good_and_the_newest_for_a_moment(
    stranger: Client, sizes: list[int]
) -> None:
    for address in (
        f"/ledger/checkpoint/{sizes[0]}",
        f"/ledger/proof?index=0&size={sizes[0]}",
        f"/ledger/consistency?from=1&to={sizes[0]}",
        f"/ledger/leaves?from=0&to={sizes[0]}",
    ):
        assert stranger.get(address)["Cache-Control"] == "public, max-age=31536000, immutable"
    assert stranger.get("/ledger/checkpoint")["Cache-Control"] == "public, max-age=1"


@pytest.mark.parametrize(
    "address",
    ["/ledger/checkpoint", "/ledger/proof?index=0&size=1", "/.well-known/consent-ledger-keys"],
)
def test_head_says_what_get_would_and_nothing_else_is_answered(
    stranger: Client, sizes: list[int], address: str
) -> None:
    head = stranger.head(address)
    assert head.status_code == 200
    assert not head.content
    assert head["Content-Type"] == stranger.get(address)["Content-Type"]
    for answer in (stranger.post(address), stranger.put(address), stranger.delete(address)):
        assert answer.status_code == 405


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("/ledger/checkpoint", 1),
        ("/ledger/proof?index=5&size=9", 4),
        ("/ledger/consistency?from=5&to=9", 3),
        ("/ledger/leaves?from=0&to=9", 2),
        ("/.well-known/consent-ledger-keys", 1),
    ],
)
def test_an_answer_takes_few_queries(
    stranger: Client, sizes: list[int], address: str, most: int
) -> None:
    with CaptureQueriesContext(connection) as queries:
        assert stranger.get(address).status_code == 200
    assert len(queries) <= most


def test_fault_30_after_a_rotation_both_keys_are_published_and_both_sizes_verify(
    stranger: Client, sizes: list[int], settings: Settings, bob: Account
) -> None:
    old = _keys(stranger)
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32]
    choose(bob, "community")
    sequence(clock=timezone.now)
    new = _keys(stranger)
    assert len(new) == 2
    assert new[1:] == old
    latest = LedgerCheckpoint.objects.latest("size").size
    assert open_note(stranger.get(f"/ledger/checkpoint/{sizes[-1]}").text, old).size == sizes[-1]
    assert open_note(stranger.get(f"/ledger/checkpoint/{latest}").text, new[:1]).size == latest
    first, second = sizes[-1], latest
    roots = _roots(stranger, [first, second])
    answer = stranger.get("/ledger/consistency", {"from": first, "to": second}).json()
    proof = _decoded(answer["hashes"])
    assert verify_consistency(first, second, roots[first], roots[second], proof)
