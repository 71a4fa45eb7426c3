"""Keys: how people's are wrapped, rotated and destroyed, and how the ledger's are handed over."""

import threading
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from calm_site.secret import signing_seeds, wrapping_keys
from privacy_center import rewrapping
from privacy_center.interface import KeyUnavailable, seal, unseal
from privacy_center.keys import WrappedKey, new_key, rewrap, seal_text, unseal_text, unwrap
from privacy_center.ledger.verify_receipt import Invalid, VerifierKey, open_note
from privacy_center.models import Account, DataSubject, LedgerCheckpoint
from privacy_center.rewrapping import keys_left, rewrap_keys
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.sequencer import sequence, signing_keys
from recommendations.models import CheckIn
from tests.answer import refuses
from tests.conftest import NOW, choose
from tests.recommendations.moods import feel, share_mood
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
OLD, NEW, LOST = bytes(range(32)), bytes(range(32, 64)), bytes(range(64, 96))
NOTE = "The letter came at last."


@pytest.fixture(autouse=True)
def keys(settings: Settings) -> None:
    settings.KEY_ENCRYPTION_KEYS = {"old": OLD}


def _rotate() -> str:
    out = StringIO()
    call_command("rotate_person_keys", stdout=out)
    return out.getvalue()


def _destroy(account: Account) -> None:
    DataSubject.objects.filter(account=account).update(wrapped_key=None, wrapping_key_id="")


def _sealed(account: Account) -> bytes:
    return seal(account.subject.pk, NOTE, context="test")


def _opened(account: Account, sealed: bytes) -> str | None:
    return unseal(account.subject.pk, sealed, context="test")


# Wrapping.

# RFC 3394 §4.3, §4.5 and §4.6: data of 128, 192 and 256 bits under a key of 256 bits.
KEK = bytes.fromhex("000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F")
VECTORS = [
    (
        "00112233445566778899AABBCCDDEEFF",
        "64E8C3F9CE0F5BA263E9777905818A2A93C8191E7D6E8AE7",
    ),
    (
        "00112233445566778899AABBCCDDEEFF0001020304050607",
        "A8F9BC1612C68B3FF6E6F4FBE30E71E4769C8B80A32CB8958CD5D17D6B254DA1",
    ),
    (
        "00112233445566778899AABBCCDDEEFF000102030405060708090A0B0C0D0E0F",
        "28C9F404C4B810F4CBCCB35CFB87F8263F5786E2D80ED326CBC7F0E71A99F43BFB988B9B7A02DD21",
    ),
]


@pytest.mark.parametrize(("data", "wrapped"), VECTORS)
def test_keys_are_wrapped_and_unwrapped_as_rfc_3394_has_it(
    settings: Settings, data: str, wrapped: str
) -> None:
    settings.KEY_ENCRYPTION_KEYS = {"rfc": KEK, "old": OLD}
    key, expected = bytes.fromhex(data), bytes.fromhex(wrapped)
    assert unwrap(expected, "rfc") == key
    assert rewrap(WrappedKey(aes_key_wrap(OLD, key), "old")) == WrappedKey(expected, "rfc")


@given(place=st.integers(0, 319))
def test_a_wrapped_key_with_one_bit_flipped_does_not_open(place: int) -> None:
    wrapped = bytearray(new_key().data)
    wrapped[place // 8] ^= 1 << place % 8
    with pytest.raises(KeyUnavailable):
        unwrap(bytes(wrapped), "old")


@given(text=st.text(max_size=200), place=st.integers(0, 10_000))
def test_sealed_text_opens_whole_or_not_at_all(text: str, place: int) -> None:
    text = text.encode("utf-8", "ignore").decode()
    sealed = bytearray(seal_text(OLD, text, context="a"))
    assert unseal_text(OLD, bytes(sealed), context="a") == text
    for key, context in ((NEW, "a"), (OLD, "b")):
        with pytest.raises(KeyUnavailable):
            unseal_text(key, bytes(sealed), context=context)
    sealed[place // 8 % len(sealed)] ^= 1 << place % 8
    with pytest.raises(KeyUnavailable):
        unseal_text(OLD, bytes(sealed), context="a")


def test_what_is_sealed_for_one_person_opens_for_nobody_else(alice: Account, bob: Account) -> None:
    sealed = _sealed(alice)
    assert _opened(alice, sealed) == NOTE
    assert _opened(bob, sealed) is None
    assert unseal(alice.subject.pk, sealed, context="other") is None
    assert unseal(uuid4(), sealed, context="test") is None


# Rotation.


def test_text_from_before_a_rotation_opens_after_it_without_the_old_key(
    settings: Settings, alice: Account, bob: Account
) -> None:
    sealed = {account: _sealed(account) for account in (alice, bob)}
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    assert keys_left() == {"old": 2}
    said = _rotate()
    assert "2 keys are wrapped by “new” now." in said
    assert "may be removed" in said
    assert keys_left() == {}
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW}
    assert [_opened(account, text) for account, text in sealed.items()] == [NOTE, NOTE]


def test_a_rotation_run_again_changes_nothing(settings: Settings, alice: Account) -> None:
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    _rotate()
    with unchanged():
        assert "0 keys" in _rotate()


def test_a_destroyed_key_stays_destroyed(settings: Settings, alice: Account, bob: Account) -> None:
    sealed = _sealed(alice)
    _destroy(alice)
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    assert "1 keys" in _rotate()
    alice.subject.refresh_from_db()
    assert (alice.subject.wrapped_key, alice.subject.wrapping_key_id) == (None, "")
    assert _opened(alice, sealed) is None


def test_a_rotation_that_was_stopped_goes_on_where_it_was(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, alice: Account, bob: Account,
    charlie: Account,
) -> None:  # fmt: skip
    monkeypatch.setattr(rewrapping, "PEOPLE_AT_ONCE", 1)
    sealed = {account: _sealed(account) for account in (alice, bob, charlie)}
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    stopped = rewrap_keys()
    next(stopped)
    stopped.close()
    assert keys_left() == {"old": 2}
    assert [_opened(account, text) for account, text in sealed.items()] == [NOTE] * 3
    assert sum(batch.done for batch in rewrap_keys()) == 2
    assert keys_left() == {}


def test_keys_that_cannot_be_unwrapped_are_counted_and_kept(
    settings: Settings, alice: Account, bob: Account
) -> None:
    """Alice's wrapping key is gone from the settings, bob's is there and does not fit."""
    DataSubject.objects.filter(account=alice).update(wrapping_key_id="lost")
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": LOST}
    out = StringIO()
    with unchanged(), pytest.raises(CommandError, match="put their wrapping key back"):
        call_command("rotate_person_keys", stdout=out)
    assert "1 are wrapped by “lost” still." in out.getvalue()
    assert "1 are wrapped by “old” still." in out.getvalue()
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD, "lost": OLD}
    assert "may be removed" in _rotate()


@contextmanager
def _held(account: Account) -> Iterator[threading.Event]:
    """Somebody else holds the person's row, until told to let go."""
    holds, let_go = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            DataSubject.objects.select_for_update(no_key=True).get(account=account)
            holds.set()
            let_go.wait(30)
        connection.close()

    other = threading.Thread(target=hold)
    other.start()
    assert holds.wait(30)
    try:
        yield let_go
    finally:
        let_go.set()
        other.join()


def test_a_rotation_passes_by_whoever_is_deciding_and_comes_back_for_them(
    transactional_db: None, settings: Settings, monkeypatch: pytest.MonkeyPatch, alice: Account,
    bob: Account,
) -> None:  # fmt: skip
    monkeypatch.setattr(rewrapping, "PEOPLE_AT_ONCE", 1)
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW, "old": OLD}
    with _held(alice) as let_go:
        rotation = rewrap_keys()
        assert next(rotation).done == 1
        bob.subject.refresh_from_db()
        assert bob.subject.wrapping_key_id == "new"
        let_go.set()
        assert sum(batch.done for batch in rotation) == 1
    assert keys_left() == {}


# Fresh keys for the settings.


def _generated(*arguments: str) -> str:
    out = StringIO()
    call_command("generate_key", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_a_fresh_wrapping_key_is_a_line_for_the_settings() -> None:
    line = _generated("wrapping", "2026-11")
    assert line != _generated("wrapping", "2026-11")
    ((key_id, key),) = wrapping_keys(line).items()
    assert (key_id, len(key)) == ("2026-11", 32)


def test_a_fresh_signing_seed_is_a_line_for_the_settings() -> None:
    line = _generated("signing")
    assert [len(seed) for seed in signing_seeds(line)] == [32]
    assert len(b64decode(line)) == 32


@pytest.mark.parametrize("key_id", ["", "a:b", "a b", "a,b", "x" * 33, "old"])
def test_a_name_that_cannot_be_a_keys_is_refused(key_id: str) -> None:
    with pytest.raises(CommandError):
        _generated("wrapping", key_id)


# Faults.


def test_fault_31_without_the_wrapping_key_nothing_opens_nothing_is_kept_and_pages_stand(
    settings: Settings, signed_in: SignedIn, alice: Account
) -> None:
    feel(share_mood(alice), -1, 1, note=NOTE, at=timezone.now())
    client = signed_in(alice)
    assert NOTE in client.get("/mood/").content.decode()
    settings.KEY_ENCRYPTION_KEYS = {"new": NEW}
    for page in ("/", "/mood/", "/privacy/", "/privacy/receipts/", "/history/", "/account/"):
        answer = client.get(page)
        assert answer.status_code == 200, page
        assert NOTE not in answer.content.decode(), page
    with pytest.raises(KeyUnavailable):
        _sealed(alice)
    said = {"id": str(uuid4()), "valence": 1, "energy": 1, "at": timezone.now().isoformat()}
    with unchanged():
        refuses(client.post("/api/v1/check-ins/", said, content_type="application/json"), 503)
    settings.KEY_ENCRYPTION_KEYS = {"old": OLD}
    assert NOTE in client.get("/mood/").content.decode()


def test_fault_32_a_key_destroyed_here_opens_nothing_in_the_web_server_from_then_on(
    transactional_db: None, settings: Settings, web_server: str, signed_in: SignedIn,
    alice: Account,
) -> None:  # fmt: skip
    # The server is another process, with the keys of its own settings.
    server_key = (django_settings.VAR_DIR / "key-encryption-keys").read_text()
    settings.KEY_ENCRYPTION_KEYS = wrapping_keys(f"demo:{server_key}")
    key = new_key()
    DataSubject.objects.filter(account=alice).update(
        wrapped_key=key.data, wrapping_key_id=key.wrapping_key_id
    )
    feel(share_mood(alice), -1, 1, note=NOTE, at=timezone.now())
    name = django_settings.SESSION_COOKIE_NAME
    cookie = f"{name}={signed_in(alice).cookies[name].value}"

    def page() -> str:
        request = Request(f"{web_server}/mood/", headers={"Cookie": cookie})  # noqa: S310
        with urlopen(request, timeout=30) as answer:  # noqa: S310 (our own server)
            said: str = answer.read().decode()
            return said

    assert NOTE in page()
    _destroy(alice)
    assert NOTE not in page()
    assert CheckIn.objects.count() == 1


def test_fault_30_while_the_ledgers_key_is_handed_over_both_sign(
    settings: Settings, alice: Account
) -> None:
    def signed(*seeds: bytes) -> str:
        settings.LEDGER_SIGNING_SEEDS = list(seeds)
        choose(alice, "community" if LedgerCheckpoint.objects.count() % 2 == 0 else "just-for-me")
        sequence(clock=lambda: NOW)
        return LedgerCheckpoint.objects.latest("size").note

    def opens(note: str, seed: bytes) -> bool:
        settings.LEDGER_SIGNING_SEEDS = [seed]
        (key,) = signing_keys()
        try:
            open_note(note, [VerifierKey.parse(str(key.verifier_key))])
        except Invalid:
            return False
        return True

    notes = [signed(OLD), signed(NEW, OLD), signed(NEW)]
    assert [(opens(note, OLD), opens(note, NEW)) for note in notes] == [
        (True, False),
        (True, True),
        (False, True),
    ]
    keys = [VerifierKey.parse(text) for text in verifier_keys()]
    assert len(keys) == 2
    for note in notes:
        open_note(note, keys)
