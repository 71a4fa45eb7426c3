"""The full rebuild from PostgreSQL, beside a COPY of the same rows whose answer is thrown away.

The listens stand in the table in the order of time, as in a service where people come and go. Run
by `make bench`; BENCH_PEOPLE, BENCH_LISTENS and BENCH_PRACTICES change its size. With BENCH_VAR, a
folder, the database is kept there and used again.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from calm_site import embedded

if TYPE_CHECKING:
    from recommendations.rebuild import Rebuild

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
LISTENS = int(os.environ.get("BENCH_LISTENS", "30"))
PRACTICES = int(os.environ.get("BENCH_PRACTICES", "2000"))
SHARDS = (1, 2, 8)
MOST_TIMES_THE_COPY = 1.5
MOST_MEGABYTES = 1500
MOST_MORE_CPU = 0.10
# The listens that a vector is made of, as they stand, under consent.
SAME_ROWS = """
SELECT listen.subject_id, listen.practice_id, listen.completion
FROM recommendations_listen AS listen
JOIN consent_in_force AS train
  ON train.subject_id = listen.subject_id AND train.purpose = 'listening:train'
JOIN consent_in_force AS store
  ON store.subject_id = listen.subject_id AND store.purpose = 'listening:store'
WHERE listen.completion >= 0.5 AND NOT listen.is_excluded
"""
ALL_LISTENS = "SELECT subject_id, practice_id, completion FROM recommendations_listen"


@dataclass(frozen=True)
class Cost:
    """What a process spent: CPU seconds, and megabytes at its peak."""

    cpu: float
    peak: float

    @classmethod
    def so_far(cls) -> "Cost":
        used = resource.getrusage(resource.RUSAGE_SELF)
        return cls(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)

    def since(self, before: "Cost") -> "Cost":
        return Cost(self.cpu - before.cpu, self.peak)


@dataclass(frozen=True)
class Rebuilt:
    """One rebuild: its result, its time, and the cost of Python and of PostgreSQL."""

    shards: int
    digest: str
    people: int
    interactions: int
    seconds: float
    python: tuple[Cost, ...]
    postgres_cpu: float

    @property
    def cpu(self) -> float:
        return sum(cost.cpu for cost in self.python) + self.postgres_cpu

    @property
    def peak(self) -> float:
        return sum(cost.peak for cost in self.python)


def main() -> int:
    """Print the table; returns the number of bars that were missed."""
    with site() as var, another_process() as other:
        copied = min(other.submit(copy, SAME_ROWS).result() for _ in range(2))
        bare = min(other.submit(copy, ALL_LISTENS).result() for _ in range(2))
        done = [other.submit(rebuilt, var, shards).result() for shards in SHARDS]
    first = done[0]
    print(
        f"\n{first.people:,} people, {first.interactions:,} interactions, {PRACTICES:,} practices; "
        f"load {os.getloadavg()[0]:.1f}\n"
        f"  COPY of the same rows, thrown away   {copied:7.1f} s   (of all listens: {bare:.1f} s)"
    )
    for each in done:
        print(
            f"  rebuild, {each.shards} shard(s), {len(each.python)} process(es) "
            f"{each.seconds:8.1f} s   {each.seconds / copied:.2f} times the COPY, "
            f"CPU {each.cpu:.1f} s (PostgreSQL {each.postgres_cpu:.1f} s), peak {each.peak:.0f} MB"
        )
    return report(done, copied)


def another_process() -> ProcessPoolExecutor:
    """A new process for every call, so that its peak of memory is its own."""
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1)


def report(done: list[Rebuilt], copied: float) -> int:
    """Say which bars were missed; returns how many."""
    fastest, cpu = min(each.seconds for each in done), [each.cpu for each in done]
    bars = {
        f"time {fastest / copied:.2f} of the COPY (bar: {MOST_TIMES_THE_COPY})": (
            fastest <= MOST_TIMES_THE_COPY * copied
        ),
        f"memory {max(each.peak for each in done):.0f} MB (bar: {MOST_MEGABYTES})": (
            max(each.peak for each in done) <= MOST_MEGABYTES
        ),
        f"CPU over the shards {max(cpu) / min(cpu) - 1:+.0%} (bar: {MOST_MORE_CPU:.0%})": (
            max(cpu) <= (1 + MOST_MORE_CPU) * min(cpu)
        ),
        "the same digest for any number of shards": len({each.digest for each in done}) == 1,
    }
    for what, is_held in bars.items():
        print(f"  {'held' if is_held else 'MISSED'}: {what}")
    return sum(not is_held for is_held in bars.values())


@contextmanager
def site() -> Iterator[Path]:
    """A database with the population, durable as in production; the folder of its servers."""
    with ExitStack() as stack:
        folder = os.environ.get("BENCH_VAR") or stack.enter_context(
            tempfile.TemporaryDirectory(prefix="bench-rebuild-")
        )
        os.environ["STILLWATER_VAR"] = folder
        found = stack.enter_context(embedded.servers(Path(folder)))
        os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
        os.environ["DEMO"] = "1"
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from recommendations.models import Listen

        call_command("migrate", verbosity=0, interactive=False)
        if not Listen.objects.exists():
            began = time.monotonic()
            call_command("make_population", people=PEOPLE, practices=PRACTICES, listens=LISTENS)
            print(f"make_population: {time.monotonic() - began:.0f} s")
            put_in_order_of_time()
        connection.close()
        yield Path(folder)


def put_in_order_of_time() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE INDEX bench_by_time ON recommendations_listen (started_at)")
        cursor.execute("CLUSTER recommendations_listen USING bench_by_time")
        cursor.execute("DROP INDEX bench_by_time")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def copy(query: str) -> float:
    """Seconds to read the rows by one binary COPY and to throw them away."""
    import django

    django.setup()
    from django.db import connection

    with connection.cursor() as cursor:
        began = time.perf_counter()
        with cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT BINARY)") as rows:
            for _block in rows:
                pass
        return time.perf_counter() - began


def rebuilt(var: Path, shards: int) -> Rebuilt:
    """A rebuild in this process and, from two shards on, in another one: on two cores, two."""
    import django

    django.setup()
    from recommendations.rebuild import exported_snapshot, rebuild

    helpers: list[Future[Cost]] = []
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        exported_snapshot() as snapshot,
    ):
        # So that what is measured begins when both are there.
        pool.submit(django.setup).result()
        began, before, server = time.perf_counter(), Cost.so_far(), postgres_cpu(var)
        state = rebuild(
            snapshot=snapshot,
            shards=shards,
            send=(lambda work: helpers.append(pool.submit(help_with, work)))
            if shards > 1
            else None,
        )
        seconds = time.perf_counter() - began
        helping = [helper.result() for helper in helpers]
    return Rebuilt(
        shards=shards,
        digest=state.digest,
        people=state.people,
        interactions=state.interactions,
        seconds=seconds,
        python=(Cost.so_far().since(before), *helping),
        postgres_cpu=postgres_cpu(var) - server,
    )


def help_with(work: "Rebuild") -> Cost:
    """Do the shards that nobody does, as a worker does them."""
    from django.db import connection

    from recommendations.rebuild import build_shard

    before = Cost.so_far()
    for shard in range(work.shards):
        build_shard(work, shard)
    connection.close()
    return Cost.so_far().since(before)


def postgres_cpu(var: Path) -> float:
    """CPU seconds of the server so far: of its first process, of those that ended and that live."""
    first = psutil.Process(int((var / "postgres" / "postmaster.pid").read_text().splitlines()[0]))
    while True:
        own = first.cpu_times()
        total = own.user + own.system + own.children_user + own.children_system
        try:
            for backend in first.children():
                spent = backend.cpu_times()
                total += spent.user + spent.system
        except psutil.NoSuchProcess:
            # It ended meanwhile, and counts among those that did.
            continue
        return float(total)


if __name__ == "__main__":
    sys.exit(main())
