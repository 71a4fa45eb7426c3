"""From a click on withdraw until every web process serves a release without the person.

The real site: web server, worker, trainer and beat, while other people's changes keep coming.
Run by `make bench`; BENCH_PEOPLE, BENCH_LISTENS, BENCH_WITHDRAWALS and BENCH_CHANGES (a second)
change its size. What a process serves is read from the files that it has mapped.
"""

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPConnection
from multiprocessing import get_context
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from pathlib import Path
from urllib.parse import urlencode
from uuid import UUID, uuid4

import numpy as np
import psutil

from calm_site import embedded
from calm_site.supervisor import WEB_PROCESSES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "20000"))
LISTENS = int(os.environ.get("BENCH_LISTENS", "30"))
WITHDRAWALS = int(os.environ.get("BENCH_WITHDRAWALS", "100"))
CHANGES_A_SECOND = int(os.environ.get("BENCH_CHANGES", "50"))
# Practices, and the seconds within which somebody is forgotten.
BARS = {1000: 10.0, 5000: 60.0}
GIVE_UP_SECONDS = 300.0
LOOK_SECONDS = 0.02
START_SECONDS = 60.0


@dataclass(frozen=True)
class Leaver:
    """Somebody who is signed in and will withdraw."""

    subject_id: UUID
    session: str


@dataclass(frozen=True)
class Site:
    """Where the web server is, and its processes that answer."""

    port: int
    workers: Sequence[psutil.Process]
    releases: Path

    def withdraw(self, leaver: Leaver) -> None:
        """The click: the same form that the privacy page sends."""
        token = secrets.token_hex(16)
        server = HTTPConnection("127.0.0.1", self.port, timeout=30)
        form = {"purpose": "listening:train", "decision": "no", "csrfmiddlewaretoken": token}
        headers = {
            "Content-Type": "application/x-www-form-urlencoded",
            "Cookie": f"session={leaver.session}; csrftoken={token}",
        }
        server.request("POST", "/privacy/decide/", urlencode(form), headers)
        answer = server.getresponse()
        answer.read()
        server.close()
        assert answer.status == 302, f"the withdrawal was answered with {answer.status}"

    def served(self) -> list[set[str]]:
        """The releases that each process has mapped, by id; also an old one that is held on to."""
        return [
            {
                Path(mapped.path.removesuffix(" (deleted)")).stem
                for mapped in worker.memory_maps()
                if mapped.path.startswith(str(self.releases))
            }
            for worker in self.workers
        ]

    def shows_a_shelf(self) -> None:
        """Somebody looks at the home page, as somebody always does."""
        server = HTTPConnection("127.0.0.1", self.port, timeout=30)
        server.request("GET", "/")
        server.getresponse().read()
        server.close()


def main() -> int:
    """Print the table; returns the number of bars that were missed."""
    sizes = [int(text) for text in os.environ.get("BENCH_PRACTICES", "").split()] or list(BARS)
    missed = 0
    for practices in sizes:
        # Settings belong to a process; each size has a database of its own.
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            missed += pool.submit(measure, practices).result()
    return missed


def measure(practices: int) -> bool:
    """One size; whether its bar was missed."""
    count = WITHDRAWALS if practices <= min(BARS) else max(1, WITHDRAWALS // 4)
    with prepared(practices) as var, ExitStack() as stack:
        leavers = sign_in(count)
        site = stack.enter_context(running(var))
        written = stack.enter_context(changing())
        before = releases_so_far()
        waits = [forgotten_after(site, leaver) for leaver in staggered(leavers)]
        made, changes = releases_so_far() - before, written()
    p50, p99 = np.quantile(waits, (0.5, 0.99), method="higher")
    bar = BARS.get(practices)
    said = f"bar: {bar:.0f} s" if bar else "no bar at this size"
    print(
        f"{practices:,} practices, {PEOPLE:,} people, {changes:.0f} other changes a second "
        f"(wanted: {CHANGES_A_SECOND}): "
        f"{count} withdrawals: p50 {p50:.2f} s, p99 {p99:.2f} s, max {max(waits):.2f} s ({said}); "
        f"{made} releases; load {os.getloadavg()[0]:.1f}",
        flush=True,
    )
    return bar is not None and p99 > bar


@contextmanager
def prepared(practices: int) -> Iterator[Path]:
    """A database of our own, durable as in production, with people and their first release."""
    with tempfile.TemporaryDirectory(prefix="bench-forgetting-") as folder:
        os.environ["STILLWATER_VAR"] = folder
        with embedded.servers(Path(folder)) as found:
            os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
            os.environ["DEMO"] = "1"
            import django

            django.setup()
            from django.core.management import call_command
            from django.utils import timezone

            from calm_site.prepare import collect_static
            from privacy_center.sequencer import sequence

            call_command("migrate", verbosity=0, interactive=False)
            collect_static()
            call_command("make_population", people=PEOPLE, practices=practices, listens=LISTENS)
            sequence(clock=timezone.now)
            call_command("train", stdout=sys.stderr)
            yield Path(folder)


def sign_in(count: int) -> list[Leaver]:
    """Accounts with a session for `count` of the people, from all over their range."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.sessions.backends.db import SessionStore

    from privacy_center.models import Account, DataSubject

    everybody = list(DataSubject.objects.order_by("pk"))
    leavers = []
    for number, subject in enumerate(everybody[:: len(everybody) // count][:count]):
        account = Account.objects.create(email=f"leaver-{number}@example.org", is_demo=True)
        subject.account = account
        subject.save(update_fields=["account"])
        session = SessionStore()
        session[SESSION_KEY] = str(account.pk)
        session[BACKEND_SESSION_KEY] = "privacy_center.backend.AccountBackend"
        session[HASH_SESSION_KEY] = account.get_session_auth_hash()
        session.create()
        assert session.session_key
        leavers.append(Leaver(subject.pk, session.session_key))
    return leavers


@contextmanager
def running(var: Path) -> Iterator[Site]:
    """All programs of the site, as `make run` starts them."""
    from django.conf import settings

    from calm_site.supervisor import services, stop_all
    from tests.conftest import free_port, wait_for

    port = free_port()
    programs = services("127.0.0.1", port)
    try:
        for program in programs:
            program.start(var / "log")
        site = Site(port, [], Path(settings.RELEASE_DIR))
        wait_for(lambda: answers(site), what="the web server's start", seconds=START_SECONDS)
        wait_for(
            lambda: all(
                b" ready." in (var / "log" / f"{name}.log").read_bytes()
                for name in ("worker", "trainer")
            ),
            what="the workers' start",
            seconds=START_SECONDS,
        )
        web = programs[0].process
        assert web is not None
        site = Site(port, web_workers(web.pid), site.releases)
        wait_for(lambda: answers(site) and all(site.served()), what="the first release's loading")
        yield site
    finally:
        stop_all(programs)


def answers(site: Site) -> bool:
    try:
        site.shows_a_shelf()
    except OSError:
        return False
    return True


def web_workers(pid: int) -> list[psutil.Process]:
    """The processes that have the site loaded: they have no children and listen."""
    family = psutil.Process(pid).children(recursive=True)
    workers = [each for each in family if not each.children() and each.num_threads() > 1]
    assert len(workers) == WEB_PROCESSES, f"{len(workers)} web processes were found"
    return workers


@contextmanager
def changing() -> Iterator[Callable[[], float]]:
    """Other people's listens until the end; yields how many there were a second."""
    from tests.conftest import wait_for

    context = get_context("spawn")
    stop, count = context.Event(), context.Value("q", 0)
    generator = context.Process(target=listen_on, args=(stop, count))
    generator.start()
    try:
        wait_for(lambda: count.value, what="the first change", seconds=START_SECONDS)
        began, first = time.monotonic(), count.value
        yield lambda: (count.value - first) / (time.monotonic() - began)
    finally:
        stop.set()
        generator.join()


def listen_on(stop: Event, count: "Synchronized[int]") -> None:
    """Random people hear random practices to the end, at an even pace."""
    import django

    django.setup()
    from django.utils import timezone

    from privacy_center.interface import Person, purposes_in_force
    from privacy_center.models import DataSubject
    from recommendations.actions.listening import Heard, record_listens
    from recommendations.models import Practice

    random = np.random.default_rng(1)
    people = list(DataSubject.objects.filter(account=None).values_list("pk", flat=True))
    practices = list(Practice.objects.filter(is_published=True))
    due = time.monotonic()
    while not stop.wait(max(0.0, due - time.monotonic())):
        due += 1 / CHANGES_A_SECOND
        subject_id = people[random.integers(len(people))]
        practice = practices[random.integers(len(practices))]
        whole = practice.seconds_to_complete
        person = Person(subject_id, purposes_in_force(subject_id), is_synthetic=True)
        record_listens(person, [Heard(uuid4(), practice, timezone.now(), whole, whole)])
        with count.get_lock():
            count.value += 1


def staggered(leavers: Sequence[Leaver]) -> Iterator[Leaver]:
    """One after the other, at any moment of the trainer's and the reconciler's rounds."""
    random = np.random.default_rng(2)
    for leaver in leavers:
        time.sleep(float(random.uniform(0, 3)))
        yield leaver


def forgotten_after(site: Site, leaver: Leaver) -> float:
    """Seconds from the click until no web process has a release mapped that began before it, and
    each has one that began since."""
    from django.utils import timezone

    clicked, began = timezone.now(), time.monotonic()
    site.withdraw(leaver)
    while True:
        served = site.served()
        without = releases_since(clicked)
        if all(mapped and mapped <= without for mapped in served):
            return time.monotonic() - began
        assert time.monotonic() - began < GIVE_UP_SECONDS, f"still served: {served}"
        time.sleep(LOOK_SECONDS)


def releases_since(moment: datetime) -> set[str]:
    """Published releases whose run began after this moment."""
    from recommendations.models import Release

    found = Release.objects.filter(started_at__gt=moment, published_at__isnull=False)
    return {str(pk) for pk in found.values_list("pk", flat=True)}


def releases_so_far() -> int:
    from recommendations.models import Release

    return Release.objects.filter(published_at__isnull=False).count()


if __name__ == "__main__":
    sys.exit(main())
