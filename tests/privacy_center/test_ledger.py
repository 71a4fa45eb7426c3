"""The ledger: who gets which index, what is signed, what is noticed, and what stops the signer."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from pytest_django import Settings

from privacy_center.actions.consent import ConsentRefused, decide
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.checkpoint_file import last_published, published_checkpoints
from privacy_center.expiry import expire, expire_unanswered
from privacy_center.ledger.checkpoint import SigningKey
from privacy_center.ledger.tree import verify_consistency
from privacy_center.ledger.verify_receipt import VerifierKey, open_note, verify_inclusion
from privacy_center.ledger_audit import Finding, audit_ledger
from privacy_center.models import (
    Account,
    ConsentRecord,
    DataSubject,
    Decision,
    LedgerCheckpoint,
    LedgerEntry,
    LedgerKey,
    Method,
)
from privacy_center.purposes import Purpose
from privacy_center.selectors.consent import RENEW_WITHIN, purposes_in_force
from privacy_center.selectors.ledger import consistency, inclusion, latest_checkpoint
from privacy_center.sequencer import LedgerDamaged, sequence
from privacy_center.tasks.consent import reconcile
from tests.conftest import NOW, choose, wait_for, worker

TABLES = ("consentrecord", "ledgerentry", "ledgernode", "ledgercheckpoint", "ledgerkey")


def _sequence() -> int:
    return sequence(clock=lambda: NOW)


def _findings() -> list[str]:
    return [str(step) for step in audit_ledger() if isinstance(step, Finding)]


@contextmanager
def bypass() -> Iterator[None]:
    """What only a superuser of the database can do: change rows behind the triggers."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET session_replication_role = replica")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET session_replication_role")


def _tamper(statement: str) -> None:
    with bypass(), connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def ledger(alice: Account, bob: Account) -> int:
    """Eleven decisions of two people, sequenced in two batches; their number."""
    choose(alice, "community")
    choose(bob, "just-for-me", at=NOW + timedelta(seconds=1))
    _sequence()
    choose(alice, "just-listening", at=NOW + timedelta(seconds=2))
    choose(bob, "community", at=NOW + timedelta(seconds=3))
    decide(alice.subject.id, {Purpose.SALE: False}, method=Method.API, at=NOW)
    _sequence()
    return LedgerEntry.objects.count()


def test_entries_get_their_index_in_the_order_of_recording(ledger: int) -> None:
    placed = LedgerEntry.objects.order_by("id").values_list("index", flat=True)
    assert list(placed) == list(range(ledger))


def test_the_last_checkpoint_is_signed_over_all_entries_and_each_is_in_it(ledger: int) -> None:
    checkpoint = latest_checkpoint()
    assert checkpoint is not None
    keys = [VerifierKey.parse(key.verifier_key) for key in LedgerKey.objects.all()]
    signed = open_note(checkpoint.note, keys)
    assert (signed.size, signed.origin) == (ledger, django_settings.LEDGER_ORIGIN)
    for record in ConsentRecord.objects.select_related("entry", "notice"):
        index = record.entry.index
        assert index is not None
        proof = inclusion(index, ledger)
        assert verify_inclusion(index, ledger, record.leaf.hash, proof, signed.root)


def test_each_checkpoint_only_adds_to_the_one_before(ledger: int) -> None:
    first, second = LedgerCheckpoint.objects.order_by("size")
    proof = consistency(first.size, second.size)
    assert verify_consistency(first.size, second.size, bytes(first.root), bytes(second.root), proof)


def test_what_was_signed_is_published_outside_of_the_database(ledger: int) -> None:
    published = list(published_checkpoints())
    stored = LedgerCheckpoint.objects.order_by("size").values_list("size", "note")
    assert [(line.size, line.note) for line in published] == list(stored)


def test_nothing_to_sequence_signs_nothing(db: None) -> None:
    assert _sequence() == 0
    assert not LedgerCheckpoint.objects.exists()


def test_an_untouched_ledger_has_no_findings(ledger: int, capsys: pytest.CaptureFixture) -> None:
    call_command("verify_ledger")
    assert f"{ledger:,} entries" in capsys.readouterr().out


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize(
    "statement", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"]
)
def test_fault_27_the_database_refuses_every_change(
    ledger: int, table: str, statement: str
) -> None:
    name = f"privacy_center_{table}"
    column = {"consentrecord": "language", "ledgerentry": "leaf_hash", "ledgernode": "hash",
              "ledgercheckpoint": "note", "ledgerkey": "verifier_key"}[table]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 (constants only)
        before = cursor.fetchone()
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement.format(name, column, column))
        cursor.execute(f"SELECT count(*) FROM {name}")  # noqa: S608 (constants only)
        assert cursor.fetchone() == before


def test_an_index_is_given_once(ledger: int) -> None:
    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        LedgerEntry.objects.filter(index=0).update(index=1_000)


# What a superuser might change behind the triggers, and what the audit says of it.
BYPASSES = {
    "a decision": (
        "UPDATE privacy_center_consentrecord SET decision = 'refused', valid_until = NULL "
        "WHERE id = (SELECT record_id FROM privacy_center_ledgerentry WHERE index = 1)",
        "index 1, record",
    ),
    "whose it is": (
        "UPDATE privacy_center_consentrecord SET subject_id = (SELECT subject_id FROM "
        "privacy_center_consentrecord AS other JOIN privacy_center_ledgerentry AS entry ON "
        "entry.record_id = other.id WHERE entry.index = 4) "
        "WHERE id = (SELECT record_id FROM privacy_center_ledgerentry WHERE index = 1)",
        "index 1, record",
    ),
    "its language": (
        "UPDATE privacy_center_consentrecord SET language = 'de' "
        "WHERE id = (SELECT record_id FROM privacy_center_ledgerentry WHERE index = 2)",
        "not the one that was committed to",
    ),
    "a leaf": (
        "UPDATE privacy_center_ledgerentry SET leaf_hash = sha256('x') WHERE index = 3",
        "index 3",
    ),
    "a node": (
        "UPDATE privacy_center_ledgernode SET hash = sha256('x') WHERE level = 2",
        "node 2/",
    ),
    "a node that is gone": ("DELETE FROM privacy_center_ledgernode WHERE level = 1", "is missing"),
    "a root": (
        "UPDATE privacy_center_ledgercheckpoint SET root = sha256('x')",
        "its root is not that of its leaves",
    ),
    "a note": (
        "UPDATE privacy_center_ledgercheckpoint SET note = replace(note, E'\\n— ', E'\\n\\n— ')",
        "checkpoint",
    ),
    "an entry that is gone": (
        "DELETE FROM privacy_center_ledgerentry WHERE index = 4",
        "leaves are missing",
    ),
    "the words of a notice": (
        "UPDATE privacy_center_noticetext SET sentence = 'We may sell it.' WHERE language = 'en'",
        "its words are not those that were published",
    ),
    "the current answer": (
        "DELETE FROM privacy_center_consentstate WHERE decision = 'given' AND purpose = "
        "'listening:train'",
        "is not the last decision",
    ),
}


@pytest.mark.parametrize("what", BYPASSES)
def test_fault_27_what_a_superuser_changes_is_found_and_named(ledger: int, what: str) -> None:
    assert _findings() == []
    statement, expected = BYPASSES[what]
    _tamper(statement)
    assert any(expected in finding for finding in _findings()), _findings()
    with pytest.raises(CommandError, match="wrong"):
        call_command("verify_ledger")


def test_fault_26_a_flipped_bit_in_a_waiting_record_stops_the_signer(
    ledger: int, alice: Account
) -> None:
    choose(alice, "community", at=NOW + timedelta(hours=1))
    _tamper(
        "UPDATE privacy_center_consentrecord SET recorded_at = recorded_at + interval '1 second' "
        "WHERE id IN (SELECT record_id FROM privacy_center_ledgerentry WHERE index IS NULL)"
    )
    with pytest.raises(LedgerDamaged, match="does not agree with record"):
        _sequence()
    assert LedgerEntry.objects.filter(index=None).count() == 3
    assert LedgerCheckpoint.objects.count() == 2


def test_fault_26_a_flipped_bit_in_a_stored_node_stops_the_signer(
    ledger: int, alice: Account
) -> None:
    choose(alice, "community", at=NOW + timedelta(hours=1))
    _tamper(
        "UPDATE privacy_center_ledgernode SET hash = set_bit(hash, 7, 1 - get_bit(hash, 7)) "
        "WHERE level = (SELECT max(level) FROM privacy_center_ledgernode)"
    )
    with pytest.raises(LedgerDamaged, match="has changed"):
        _sequence()


def test_fault_28_an_old_backup_is_noticed_and_nothing_is_signed(
    ledger: int, alice: Account
) -> None:
    size = LedgerCheckpoint.objects.order_by("size").values_list("size", flat=True)[0]
    _tamper(
        f"DELETE FROM privacy_center_ledgercheckpoint WHERE size > {size};"  # noqa: S608 (a number)
        f"DELETE FROM privacy_center_ledgernode WHERE (position + 1) << level > {size};"
        f"UPDATE privacy_center_ledgerentry SET index = NULL WHERE index >= {size}"
    )
    with pytest.raises(LedgerDamaged, match="an old backup is back"):
        _sequence()
    assert any("an old backup is back" in finding for finding in _findings())
    # Decisions go on being recorded: nobody's withdrawal waits for a signature.
    assert choose(alice, "community", at=NOW + timedelta(hours=1)).can_train


def test_fault_29_two_trees_of_one_size_are_refused(ledger: int, alice: Account) -> None:
    path = Path(django_settings.LEDGER_CHECKPOINT_FILE)
    lines = path.read_text().splitlines()
    other = json.loads(lines[-1]) | {"root": "00" * 32}
    path.write_text("\n".join([*lines[:-1], json.dumps(other)]) + "\n")
    choose(alice, "community", at=NOW + timedelta(hours=1))
    with pytest.raises(LedgerDamaged, match="different roots"):
        _sequence()
    assert any("another root" in finding for finding in _findings())


def test_a_crash_before_publication_is_made_up_for(ledger: int, alice: Account) -> None:
    path = Path(django_settings.LEDGER_CHECKPOINT_FILE)
    first, _second = path.read_text().splitlines()
    path.write_text(f'{first}\n{{"size": 9')
    choose(alice, "community", at=NOW + timedelta(hours=1))
    _sequence()
    stored = LedgerCheckpoint.objects.order_by("size").values_list("size", flat=True)
    assert [line.size for line in published_checkpoints()] == list(stored)
    last = last_published()
    assert last is not None
    assert last.size == stored.last()


def test_fault_30_after_a_rotation_both_keys_verify_what_each_signed(
    ledger: int, alice: Account, settings: Settings
) -> None:
    old = LedgerCheckpoint.objects.get(size=ledger)
    new_key = SigningKey.generate(settings.LEDGER_ORIGIN)
    settings.LEDGER_SIGNING_SEEDS = [new_key.seed, *settings.LEDGER_SIGNING_SEEDS]
    choose(alice, "community", at=NOW + timedelta(hours=1))
    _sequence()
    settings.LEDGER_SIGNING_SEEDS = [new_key.seed]
    choose(alice, "just-for-me", at=NOW + timedelta(hours=2))
    _sequence()
    keys = [VerifierKey.parse(key.verifier_key) for key in LedgerKey.objects.all()]
    assert len(keys) == 2
    newest = latest_checkpoint()
    assert newest is not None
    for checkpoint in (old, newest):
        assert open_note(checkpoint.note, keys).size == checkpoint.size
    assert _findings() == []


@pytest.mark.django_db(transaction=True)
def test_fault_9_many_sequencers_have_one_effect(alice: Account, bob: Account) -> None:
    for hour in range(6):
        choose(alice, ("community", "just-listening")[hour % 2], at=NOW + timedelta(hours=hour))
        choose(bob, ("just-for-me", "community")[hour % 2], at=NOW + timedelta(hours=hour))

    def one(_: int) -> int:
        try:
            return _sequence()
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        counts = list(pool.map(one, range(8)))
    assert sum(counts) == LedgerEntry.objects.count()
    assert _findings() == []


@pytest.mark.django_db(transaction=True)
def test_a_decision_wakes_the_sequencer(alice: Account) -> None:
    with worker(queues="urgent"):
        choose(alice, "community")
        wait_for(lambda: not LedgerEntry.objects.filter(index=None).exists(), what="the sequencing")
    assert LedgerCheckpoint.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_fault_8_what_a_lost_message_left_the_reconciler_finds(alice: Account) -> None:
    choose(alice, "community")
    assert LedgerEntry.objects.filter(index=None).count() == 3
    reconcile()
    assert not LedgerEntry.objects.filter(index=None).exists()


@pytest.mark.django_db(transaction=True)
def test_fault_42_without_cache_and_broker_the_database_decides(
    alice: Account, settings: Settings
) -> None:
    away = "unix:///nowhere/valkey.sock"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": away}}
    assert choose(alice, "community").can_train
    assert not choose(alice, "just-for-me").can_train
    assert LedgerEntry.objects.filter(index=None).count() == 4
    reconcile()
    assert not LedgerEntry.objects.filter(index=None).exists()


def test_a_yes_ends_with_its_time_and_the_end_is_a_decision(alice: Account) -> None:
    choose(alice, "community", at=timezone.now() - timedelta(days=731))
    assert purposes_in_force(alice.subject.id) == {}
    assert expire(at=timezone.now()) == 3
    ends = ConsentRecord.objects.filter(decision=Decision.EXPIRED, method=Method.EXPIRY)
    assert ends.count() == 3
    assert expire(at=timezone.now()) == 0


def test_fault_31_a_withdrawal_waits_for_no_key_and_a_yes_is_refused(
    alice: Account, settings: Settings
) -> None:
    choose(alice, "community")
    keys, settings.KEY_ENCRYPTION_KEYS = settings.KEY_ENCRYPTION_KEYS, {"another": bytes(32)}
    choose(alice, "just-listening")
    assert purposes_in_force(alice.subject.id) == {}
    with pytest.raises(ConsentRefused, match="Nothing was changed"):
        choose(alice, "community")
    settings.KEY_ENCRYPTION_KEYS = keys
    _sequence()
    assert _findings() == []
    _tamper("UPDATE privacy_center_consentrecord SET opening = sha256('x') WHERE opening <> ''")
    assert len(_findings()) == 3


def test_an_unanswered_notice_ends_the_yes_by_the_first_version_that_came_after_it(
    alice: Account,
) -> None:
    now = timezone.now()
    choose(alice, "community", at=now)
    for number, days in enumerate((RENEW_WITHIN.days, 1)):
        draft = draft_notice(Purpose.LISTENING_STORE)
        draft.texts.filter(language="en").update(sentence=f"Other words, {number}.")
        publish_notice(draft, at=now - timedelta(days=days))
    assert expire_unanswered(at=now) == 3
    ended = ConsentRecord.objects.get(decision=Decision.EXPIRED, purpose=Purpose.LISTENING_STORE)
    assert ended.notice.version == 1


def test_what_cannot_be_opened_is_counted_or_named(
    ledger: int, alice: Account, settings: Settings, capsys: pytest.CaptureFixture
) -> None:
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapped_key=None, wrapping_key_id="")
    call_command("verify_ledger")
    assert "7 of them are of people whose key is destroyed" in capsys.readouterr().out
    settings.KEY_ENCRYPTION_KEYS = {"another": bytes(32)}
    assert sum("the key demo is not here" in finding for finding in _findings()) == ledger - 7
