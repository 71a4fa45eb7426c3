"""Shelves over HTTP with session sign-in: requests a second beside those of an empty view on the
same server, and the slowest of 100 a second, alone and while a trainer is at work.

The web server as `make run` starts it. Run by `make bench`; BENCH_PEOPLE, BENCH_PRACTICES and
BENCH_SECONDS change its size.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from subprocess import DEVNULL, Popen

import numpy as np

from calm_site import embedded

os.environ["DJANGO_SETTINGS_MODULE"] = "tests.benchmarks.serving_settings"

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "20000"))
PRACTICES = int(os.environ.get("BENCH_PRACTICES", "1000"))
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
LISTENS = 30
LISTENERS = 200
ROUNDS = 3
CONNECTIONS = 8
RATE = 100
EMPTY, SHELVES = "/api/v1/empty/", "/api/v1/shelves/"
LEAST_SHARE, MOST_SLOWER = 0.6, 3.0


@dataclass(frozen=True)
class Site:
    """Where the web server is, and the sessions of people who listen."""

    port: int
    sessions: Sequence[str]

    def request(self, number: int, path: str) -> bytes:
        session = self.sessions[number % len(self.sessions)]
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: application/json\r\n"
            f"Cookie: session={session}\r\n\r\n"
        ).encode()


class Connection:
    """One kept-alive connection; asks one thing at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, request: bytes) -> int:
        """The length of a good answer; anything else ends the measurement."""
        self.writer.write(request)
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        assert head.startswith(b"http/1.1 200"), head
        length = int(head.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
        await self.reader.readexactly(length)
        return length


@contextmanager
def prepared() -> Iterator[Path]:
    """A database of our own, durable as in production, with people and a release."""
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as folder:
        os.environ["STILLWATER_VAR"] = folder
        with embedded.servers(Path(folder)) as found:
            os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
            os.environ |= {"DEMO": "1", "PYTHONPATH": str(embedded.ROOT)}
            import django

            django.setup()
            from django.core.management import call_command

            from calm_site.prepare import collect_static

            call_command("migrate", verbosity=0, interactive=False)
            collect_static()
            call_command("load_catalog", stdout=sys.stderr)
            call_command("make_population", people=PEOPLE, practices=PRACTICES, listens=LISTENS)
            call_command("train", stdout=sys.stderr)
            yield Path(folder)


def sign_in(count: int) -> list[str]:
    """Sessions of people who share and have a history, as a browser of theirs would have them."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from privacy_center.models import Account, DataSubject

    sessions = []
    for number, subject in enumerate(DataSubject.objects.order_by("pk")[:count]):
        account = Account.objects.create(email=f"listener-{number}@example.org", is_demo=True)
        subject.account = account
        subject.save(update_fields=["account"])
        session = SessionStore()
        session[SESSION_KEY] = str(account.pk)
        session[BACKEND_SESSION_KEY] = "privacy_center.backend.AccountBackend"
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session["gpc"] = False
        session.create()
        assert session.session_key
        sessions.append(session.session_key)
    return sessions


@contextmanager
def running(var: Path) -> Iterator[int]:
    """The web server as `make run` starts it; its port."""
    from calm_site.supervisor import home_status, services, stop_all
    from tests.conftest import free_port, wait_for

    port = free_port()
    web = services("127.0.0.1", port)[:1]
    web[0].start(var / "log")
    try:
        wait_for(lambda: home_status("127.0.0.1", port) == 200, what="the web server's start")
        yield port
    finally:
        stop_all(web)


@contextmanager
def training() -> Iterator[None]:
    """A trainer at work without a pause, in a process of its own, as nice as the site's own."""
    from calm_site.supervisor import give_way
    from tests.conftest import wait_for

    trainer = Popen(
        [sys.executable, "-m", "tests.benchmarks.bench_serving", "train"],
        stderr=DEVNULL,
        start_new_session=True,
        preexec_fn=give_way,
    )
    before = releases()
    try:
        wait_for(lambda: releases() > before, what="the trainer's first release")
        yield
    finally:
        trainer.terminate()
        trainer.wait()


def train_on() -> None:
    """Somebody hears something, a release is made of it, and so on until stopped."""
    import django

    django.setup()
    from uuid import uuid4

    from django.utils import timezone

    from privacy_center.interface import Person, purposes_in_force
    from privacy_center.models import DataSubject
    from recommendations.actions.listening import Heard, record_listens
    from recommendations.models import Practice
    from recommendations.trainer import train

    practices = list(Practice.objects.filter(is_published=True))
    for number, subject in enumerate(DataSubject.objects.filter(account=None).iterator()):
        practice = practices[number % len(practices)]
        person = Person(subject.pk, purposes_in_force(subject.pk), is_synthetic=True)
        whole = practice.seconds_to_complete
        record_listens(person, [Heard(uuid4(), practice, timezone.now(), whole, whole)])
        train(clock=timezone.now)


def releases() -> int:
    from recommendations.models import Release

    return Release.objects.filter(published_at__isnull=False).count()


async def connections(site: Site, count: int) -> list[Connection]:
    opened = [await asyncio.open_connection("127.0.0.1", site.port) for _each in range(count)]
    return [Connection(*streams) for streams in opened]


async def throughput(site: Site, path: str, *, seconds: float) -> float:
    """Requests a second, each connection asking again as soon as it is answered."""
    end, answered = time.monotonic() + seconds, 0

    async def asking(connection: Connection, first: int) -> None:
        nonlocal answered
        number = first
        while time.monotonic() < end:
            await connection.ask(site.request(number, path))
            answered, number = answered + 1, number + CONNECTIONS

    began = time.monotonic()
    opened = await connections(site, CONNECTIONS)
    await asyncio.gather(*(asking(each, first) for first, each in enumerate(opened)))
    return answered / (time.monotonic() - began)


async def latencies(site: Site, path: str, *, seconds: float) -> list[float]:
    """How long each of 100 requests a second waits, from the moment it was due."""
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for connection in await connections(site, 4 * CONNECTIONS):
        free.put_nowait(connection)
    waits: list[float] = []

    async def one(number: int, due: float) -> None:
        connection = await free.get()
        await connection.ask(site.request(number, path))
        waits.append(time.monotonic() - due)
        free.put_nowait(connection)

    began, asked = time.monotonic(), []
    for number in range(int(seconds * RATE)):
        due = began + number / RATE
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        asked.append(asyncio.create_task(one(number, due)))
    await asyncio.gather(*asked)
    return waits


def measure_throughput(site: Site) -> bool:
    """Both views in turn, several rounds; whether the bar was missed."""
    rates: dict[str, list[float]] = {EMPTY: [], SHELVES: []}
    for path in rates:
        asyncio.run(throughput(site, path, seconds=SECONDS / 4))
    for _round in range(ROUNDS):
        for path, found in rates.items():
            found.append(asyncio.run(throughput(site, path, seconds=SECONDS)))
    shares = [own / empty for own, empty in zip(rates[SHELVES], rates[EMPTY], strict=True)]
    print(
        f"empty view: {median(rates[EMPTY]):,.0f} requests/s; shelves: "
        f"{median(rates[SHELVES]):,.0f}/s, {median(shares):.0%} of it (bar: {LEAST_SHARE:.0%})",
        flush=True,
    )
    return median(shares) < LEAST_SHARE


def measure_latency(site: Site) -> bool:
    """Shelves at an even 100 requests a second, alone and beside a trainer, in turn, some rounds;
    whether the bar was missed by the medians."""
    alone, beside, made = [], [], 0
    for _round in range(ROUNDS):
        alone.append(_quantiles(asyncio.run(latencies(site, SHELVES, seconds=SECONDS))))
        with training():
            before = releases()
            beside.append(_quantiles(asyncio.run(latencies(site, SHELVES, seconds=SECONDS))))
            made += releases() - before
    (p50, p99), (p50_beside, p99_beside) = np.median(alone, axis=0), np.median(beside, axis=0)
    print(
        f"shelves at {RATE} requests/s: p50 {1000 * p50:.1f} ms, p99 {1000 * p99:.1f} ms; while "
        f"{made} releases are made: p50 {1000 * p50_beside:.1f} ms, p99 "
        f"{1000 * p99_beside:.1f} ms, {p99_beside / p99:.1f} × (bar: {MOST_SLOWER:.0f} ×)",
        flush=True,
    )
    return bool(p99_beside > MOST_SLOWER * p99)


def _quantiles(waits: Sequence[float]) -> tuple[float, float]:
    """The median and p99."""
    p50, p99 = np.quantile(waits, (0.5, 0.99), method="higher")
    return float(p50), float(p99)


def main() -> int:
    """Print the figures; returns the number of bars that were missed."""
    with prepared() as var:
        sessions = sign_in(LISTENERS)
        with running(var) as port:
            site = Site(port, sessions)
            print(
                f"{PRACTICES:,} practices, {PEOPLE:,} people, {LISTENERS} of them signed in; "
                f"load {os.getloadavg()[0]:.1f}"
            )
            return measure_throughput(site) + measure_latency(site)


if __name__ == "__main__":
    if sys.argv[1:] == ["train"]:
        train_on()
    else:
        sys.exit(main())
