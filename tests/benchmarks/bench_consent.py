"""Recorded decisions a second with eight writers, beside plain inserts of the same rows; how long an
entry waits for its index meanwhile; and proofs from, and the audit of, a ledger of a million leaves.

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
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from uuid import UUID, uuid4

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
    """One writer: each person in turn flips one purpose; records a second."""
    import django

    django.setup()
    from django.utils import timezone

    from privacy_center.actions.consent import decide
    from privacy_center.models import Method
    from privacy_center.purposes import Purpose

    written, turn, started = 0, 0, time.monotonic()
    while time.monotonic() < started + SECONDS:
        wish = {Purpose.LISTENING_STORE: turn % 2 == 0}
        for person in people:
            written += len(decide(person, wish, method=Method.API, at=timezone.now()))
        turn += 1
    return written / (time.monotonic() - started)


def inserting(people: list[UUID]) -> float:
    """The same rows, put in plainly: record, answer and entry, one transaction each."""
    import django

    django.setup()
    from django.db import transaction
    from django.utils import timezone

    from privacy_center.models import ConsentRecord, ConsentState, LedgerEntry
    from privacy_center.purposes import Purpose
    from privacy_center.selectors.notice import live_notices

    notice = live_notices()[Purpose.LISTENING_STORE]
    written, started = 0, time.monotonic()
    while time.monotonic() < started + SECONDS:
        for person in people:
            at = timezone.now()
            with transaction.atomic():
                record = ConsentRecord.objects.create(
                    subject_id=person,
                    purpose="listening:store",
                    decision="given",
                    method="api",
                    notice=notice,
                    language="en",
                    recorded_at=at,
                    valid_until=at + timedelta(days=730),
                    commitment=bytes(32),
                )
                ConsentState.objects.update_or_create(
                    subject_id=person,
                    purpose="listening:store",
                    defaults={
                        "decision": "given",
                        "record": record,
                        "since": at,
                        "valid_until": record.valid_until,
                    },
                )
                LedgerEntry.objects.create(record=record, leaf_hash=bytes(32))
            written += 1
    return written / (time.monotonic() - started)


def rate(writer: Callable[[list[UUID]], float], groups: list[list[UUID]]) -> float:
    """Rows a second of eight writing processes together."""
    with ProcessPoolExecutor(WRITERS, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(writer, groups))


@contextmanager
def sequencing(waits: list[float]) -> Iterator[None]:
    """A sequencer at work beside the writers; notes how old the oldest waiting entry was."""
    from django.db import connection
    from django.utils import timezone

    from privacy_center.selectors.ledger import oldest_waiting
    from privacy_center.sequencer import sequence

    stop = threading.Event()

    def run() -> None:
        while not stop.wait(0.2):
            if oldest := oldest_waiting():
                sequence(clock=timezone.now)
                waits.append((timezone.now() - oldest).total_seconds())
        sequence(clock=timezone.now)
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    yield
    stop.set()
    thread.join()


_FILL = """
INSERT INTO privacy_center_consentrecord
    (id, subject_id, purpose, decision, method, notice_id, language, preset, recorded_at,
     valid_until, commitment)
SELECT gen_random_uuid(), %s, 'listening:train', 'refused', 'api', %s, 'en', '',
       now() + number * interval '1 millisecond', NULL, sha256(number::text::bytea)
FROM generate_series(1, %s) AS number
"""


def fill(leaves: int) -> None:
    """Entries up to a number, by SQL: their person's key is destroyed, as after an erasure."""
    from django.db import connection
    from django.utils import timezone

    from privacy_center.models import ConsentRecord, DataSubject, LedgerEntry
    from privacy_center.purposes import Purpose
    from privacy_center.selectors.notice import live_notices
    from privacy_center.sequencer import sequence

    (person,) = make_people(1)
    notice = live_notices()[Purpose.LISTENING_TRAIN]
    missing = leaves - LedgerEntry.objects.count()
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [person, notice.pk, missing])
    records = ConsentRecord.objects.filter(entry=None).select_related("notice")
    batch: list[LedgerEntry] = []
    for record in records.iterator(chunk_size=10_000):
        batch.append(LedgerEntry(record_id=record.pk, leaf_hash=record.leaf.hash))
        if len(batch) == 10_000:
            LedgerEntry.objects.bulk_create(batch)
            batch = []
    LedgerEntry.objects.bulk_create(batch)
    DataSubject.objects.filter(pk=person).update(wrapped_key=None, wrapping_key_id="")
    started = time.monotonic()
    count = sequence(clock=timezone.now)
    print(f"sequenced {count:,} entries: {count / (time.monotonic() - started):,.0f} a second")


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
        waits: list[float] = []
        with sequencing(waits):
            decisions = rate(deciding, [group[:half] for group in groups])
        plain = rate(inserting, [group[half:] for group in groups])
        print(
            f"decisions with {WRITERS} writers: {decisions:,.0f}/s (bar: 300); plain inserts of "
            f"the same rows: {plain:,.0f}/s; ratio {decisions / plain:.2f} (bar: 0.5)"
        )
        print(f"an entry waited at most {max(waits):.2f} s for its index (bar: 2 s)")
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
