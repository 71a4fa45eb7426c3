"""Decisions a second with eight writers, beside plain inserts of the same rows, and how long an
entry waits for its index; then proofs from, and the audit of, a ledger of a million leaves.

Run by `make bench`; BENCH_LEAVES and BENCH_SECONDS make it smaller.
"""

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

WRITERS = 8
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
LEAVES = int(os.environ.get("BENCH_LEAVES", "1000000"))
PEOPLE_EACH = 50


@contextmanager
def site() -> Iterator[None]:
    """A database of our own, migrated; durable, as in production."""
    from calm_site import embedded

    with tempfile.TemporaryDirectory(prefix="stillwater-bench-") as folder:
        var = Path(folder)
        os.environ["STILLWATER_VAR"] = folder
        with embedded.servers(var) as found:
            os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
            os.environ["DEMO"] = "1"
            import django

            django.setup()
            from django.core.management import call_command

            call_command("migrate", verbosity=0, interactive=False)
            yield


def make_people(count: int) -> list[UUID]:
    from django.utils import timezone

    from privacy_center.interface import create_imported_subjects

    return list(create_imported_subjects(count, at=timezone.now()))


def deciding(people: list[UUID]) -> float:
    """One writer: each person in turn chooses another preset; records a second."""
    import django

    django.setup()
    from django.utils import timezone

    from privacy_center.actions.consent import choose_preset
    from privacy_center.models import Method
    from privacy_center.purposes import PRESETS

    presets = [preset for preset in PRESETS if preset.key in ("just-listening", "just-for-me")]
    written, turn, started = 0, 0, time.monotonic()
    while time.monotonic() < started + SECONDS:
        for person in people:
            preset = presets[turn % 2]
            written += len(choose_preset(person, preset, method=Method.API, at=timezone.now()))
        turn += 1
    return written / (time.monotonic() - started)


def inserting(people: list[UUID], *, in_bulk: bool = False) -> float:
    """The same rows put in plainly, two records a transaction, each with its answer and its entry:
    row by row, or one statement a table; records a second."""
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from privacy_center.models import ConsentRecord, ConsentState, LedgerEntry
    from privacy_center.purposes import Purpose
    from privacy_center.selectors.notice import live_notices

    notices = live_notices()

    def record_of(person: UUID, purpose: Purpose) -> ConsentRecord:
        at = timezone.now()
        return ConsentRecord(
            subject_id=person,
            purpose=purpose,
            decision="given",
            method="api",
            notice=notices[purpose],
            language="en",
            recorded_at=at,
            valid_until=at + timedelta(days=730),
            commitment=bytes(32),
        )

    def answer_to(record: ConsentRecord) -> dict[str, Any]:
        said = {"decision": record.decision, "record": record, "since": record.recorded_at}
        return said | {"valid_until": record.valid_until}

    written, started = 0, time.monotonic()
    while time.monotonic() < started + SECONDS:
        for person in people:
            records = [
                record_of(person, Purpose.LISTENING_STORE),
                record_of(person, Purpose.LISTENING_PERSONALIZE),
            ]
            entries = [LedgerEntry(record=record, leaf_hash=bytes(32)) for record in records]
            whose: list[dict[str, Any]] = [
                {"subject_id": person, "purpose": record.purpose} for record in records
            ]
            with transaction.atomic():
                if in_bulk:
                    ConsentRecord.objects.bulk_create(records)
                    ConsentState.objects.bulk_create(
                        [
                            ConsentState(**keys, **answer_to(record))
                            for keys, record in zip(whose, records, strict=True)
                        ],
                        update_conflicts=True,
                        unique_fields=["subject", "purpose"],
                        update_fields=["decision", "record", "since", "valid_until"],
                    )
                    LedgerEntry.objects.bulk_create(entries)
                else:
                    for keys, record, entry in zip(whose, records, entries, strict=True):
                        record.save(force_insert=True)
                        ConsentState.objects.update_or_create(**keys, defaults=answer_to(record))
                        entry.save(force_insert=True)
            written += len(records)
    return written / (time.monotonic() - started)


def rate(writer: Callable[[list[UUID]], float], groups: list[list[UUID]]) -> float:
    """Rows a second of eight writing processes together."""
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(writer, groups))


@contextmanager
def sequencing() -> Iterator[None]:
    """A sequencer at work beside the writers."""
    from django.db import connection
    from django.utils import timezone

    from privacy_center.sequencer import sequence

    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.1):
            sequence(clock=timezone.now)
        sequence(clock=timezone.now)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


_WAITS = """
SELECT extract(epoch FROM max(signed.at - record.recorded_at))::float8
FROM privacy_center_ledgerentry AS entry
JOIN privacy_center_consentrecord AS record ON record.id = entry.record_id
CROSS JOIN LATERAL (
    SELECT min(signed_at) AS at FROM privacy_center_ledgercheckpoint WHERE size > entry.index
) AS signed
WHERE entry.index IS NOT NULL
"""


def longest_wait() -> float:
    """Seconds from a decision to the checkpoint that covers it, at most."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(_WAITS)
        return float(cursor.fetchone()[0])


_FILL = """
INSERT INTO privacy_center_consentrecord
    (id, subject_id, purpose, decision, method, notice_id, language, preset, wording_digest,
     recorded_at, valid_until, commitment)
SELECT gen_random_uuid(), %s, 'listening:train', 'refused', 'api', %s, 'en', '', '',
       now() + number * interval '1 millisecond', NULL, sha256(number::text::bytea)
FROM generate_series(1, %s) AS number
"""


_ANSWER = """
INSERT INTO privacy_center_consentstate (subject_id, purpose, decision, record_id, since)
SELECT record.subject_id, record.purpose, record.decision, record.id, record.recorded_at
FROM privacy_center_ledgerentry AS entry
JOIN privacy_center_consentrecord AS record ON record.id = entry.record_id
WHERE record.subject_id = %s ORDER BY entry.id DESC LIMIT 1
"""
_RECORDS = """
SELECT record.id, record.purpose, record.decision, notice.digest,
       to_char(record.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
       record.commitment
FROM privacy_center_consentrecord AS record
JOIN privacy_center_notice AS notice ON notice.id = record.notice_id
WHERE NOT EXISTS (
    SELECT 1 FROM privacy_center_ledgerentry AS entry WHERE entry.record_id = record.id)
"""


def fill(leaves: int) -> None:
    """A ledger of so many leaves: records by SQL, entries and nodes by COPY, and one checkpoint by
    the sequencer. The records are one person's, whose key then is destroyed, as by an erasure."""
    from django.db import connection, transaction
    from django.utils import timezone

    from privacy_center import sequencer
    from privacy_center.ledger.leaf import Leaf
    from privacy_center.ledger.tree import Fold, Node, edge
    from privacy_center.models import DataSubject
    from privacy_center.purposes import Purpose
    from privacy_center.selectors.ledger import latest_checkpoint, read_nodes
    from privacy_center.selectors.notice import live_notices

    (person,) = make_people(1)
    latest = latest_checkpoint()
    size = latest.size if latest else 0
    tree, nodes = Fold(size, read_nodes(edge(size))), list[tuple[Node, bytes]]()
    notice = live_notices()[Purpose.LISTENING_TRAIN]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_FILL, [person, notice.pk, leaves - size])
        cursor.execute(_RECORDS)
        rows = cursor.fetchall()
        with cursor.copy(
            "COPY privacy_center_ledgerentry (record_id, leaf_hash, index) FROM STDIN"
        ) as copy:
            for record_id, purpose, decision, digest, at, committed in rows:
                leaf_hash = Leaf(purpose, decision, digest, at, committed).hash
                copy.write_row((record_id, leaf_hash, tree.size))
                nodes += tree.add(leaf_hash)
        with cursor.copy(
            "COPY privacy_center_ledgernode (level, position, hash) FROM STDIN"
        ) as copy:
            for node, data in nodes:
                copy.write_row((node.level, node.position, data))
        cursor.execute(_ANSWER, [person])
        checkpoint = sequencer._sign(tree.size, timezone.now)
    sequencer._publish(checkpoint)
    DataSubject.objects.filter(pk=person).update(wrapped_key=None, wrapping_key_id="")


def proofs() -> None:
    from privacy_center.selectors.ledger import inclusion, latest_checkpoint

    checkpoint = latest_checkpoint()
    assert checkpoint is not None
    times = []
    for number in range(500):
        index = number * 7_919_777 % checkpoint.size
        started = time.perf_counter()
        inclusion(index, checkpoint.size)
        times.append(1000 * (time.perf_counter() - started))
    times.sort()
    print(
        f"a proof at {checkpoint.size:,} leaves: median {median(times):.2f} ms, "
        f"slowest of 500 {times[-1]:.2f} ms (bar: 10 ms)"
    )


def audit() -> None:
    from privacy_center.ledger_audit import Finding, Progress, audit_ledger

    started, entries, findings = time.monotonic(), 0, 0
    for step in audit_ledger():
        if isinstance(step, Progress):
            entries = step.entries
        if isinstance(step, Finding):
            print(step)
            findings += 1
    seconds = time.monotonic() - started
    print(
        f"audit of {entries:,} leaves: {seconds:.1f} s, {entries / seconds:,.0f} leaves/s "
        f"(bar: 20,000), {findings} findings"
    )


def main() -> None:
    with site():
        people = make_people(WRITERS * PEOPLE_EACH * 2)
        groups = [people[n::WRITERS] for n in range(WRITERS)]
        half = len(groups[0]) // 2
        with sequencing():
            decisions = rate(deciding, [group[:half] for group in groups])
        others = [group[half:] for group in groups]
        plain, bulk = rate(inserting, others), rate(partial(inserting, in_bulk=True), others)
        print(
            f"decisions recorded with {WRITERS} writers: {decisions:,.0f}/s (bar: 300)\n"
            f"the same rows put in plainly, row by row: {plain:,.0f}/s, ratio "
            f"{decisions / plain:.2f} (bar: 0.5); in bulk: {bulk:,.0f}/s, {decisions / bulk:.2f}"
        )
        print(f"from a decision to its checkpoint: at most {longest_wait():.2f} s (bar: 2 s)")
        clear_plain_rows()
        fill(LEAVES)
        proofs()
        audit()


def clear_plain_rows() -> None:
    """The plain rows were no decisions; behind the triggers, as only this benchmark may."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute(
            "SET session_replication_role = replica;"
            "DELETE FROM privacy_center_consentstate WHERE record_id IN (SELECT record_id FROM "
            "privacy_center_ledgerentry WHERE index IS NULL);"
            "DELETE FROM privacy_center_consentrecord WHERE id IN (SELECT record_id FROM "
            "privacy_center_ledgerentry WHERE index IS NULL);"
            "DELETE FROM privacy_center_ledgerentry WHERE index IS NULL;"
            "RESET session_replication_role"
        )


if __name__ == "__main__":
    main()
