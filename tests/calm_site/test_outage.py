"""A database that restarts under a real web server: 503 with Retry-After, then all is well."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import psutil
import pytest

from calm_site import embedded
from tests.conftest import ROOT, free_port, wait_for

PAGES = ("/", "/health/", "/api/v1/shelves/", "/privacy/")
SESSION = "x" * 32


@dataclass(frozen=True)
class Answer:
    status: int
    retry_after: str | None
    text: str


@dataclass(frozen=True)
class Site:
    """A web server, and the folder of the database that it alone uses."""

    port: int
    var: Path

    def get(self, path: str) -> Answer:
        """What somebody with a session, which has to be read, is answered."""
        server = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            server.request("GET", path, headers={"Cookie": f"session={SESSION}"})
            answer = server.getresponse()
            return Answer(answer.status, answer.getheader("Retry-After"), answer.read().decode())
        finally:
            server.close()

    def statuses(self) -> set[int]:
        return {self.get(page).status for page in PAGES}

    @property
    def postgres(self) -> psutil.Process:
        """The database's first process, as its own file names it."""
        lines = (self.var / "postgres" / "postmaster.pid").read_text().splitlines()
        return psutil.Process(int(lines[0]))

    def answers(self) -> bool:
        try:
            return self.get("/health/").status == 200
        except OSError:
            return False


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Servers of its own: the database of the other tests is left in peace."""
    with tempfile.TemporaryDirectory(prefix="outage-") as folder:
        var = Path(folder) / "var"
        with embedded.servers(var, durable=False) as servers:
            env = os.environ | {
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
                "PYTHONPATH": str(ROOT),
                "DEMO": "1",
            }
            _manage(env, "migrate", "--verbosity", "0")
            _manage(env, "load_catalog")
            yield from _serving(var, env)


def _manage(env: dict[str, str], *command: str) -> None:
    subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, env=env, check=True)


def _serving(var: Path, env: dict[str, str]) -> Iterator[Site]:
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--blocking-threads", "2", "calm_site.wsgi:application"]
    with (var / "log" / "web.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=log, stderr=log)
    found = Site(port, var)
    try:
        wait_for(found.answers, what="the web server's start")
        yield found
    finally:
        process.terminate()
        process.wait(timeout=15)


def test_fault_19_while_the_database_is_away_every_page_is_503_and_says_when_to_come_back(
    site: Site, django_db_setup: None
) -> None:
    assert site.statuses() == {200}
    keeper = site.postgres.parent()
    assert keeper is not None
    keeper.suspend()
    try:
        site.postgres.send_signal(signal.SIGINT)
        wait_for(lambda: not site.answers(), what="the end of the database")
        answers = {page: site.get(page) for page in PAGES}
        assert {page: answer.status for page, answer in answers.items()} == dict.fromkeys(
            PAGES, 503
        )
        assert {answer.retry_after for answer in answers.values()} == {"5"}
        assert "try again" in answers["/"].text
        assert "Traceback" not in answers["/"].text
    finally:
        keeper.resume()
    wait_for(site.answers, what="recovery by itself")
    assert site.statuses() == {200}


def test_fault_19_a_restart_in_the_middle_of_visits_leaves_no_500(
    site: Site, django_db_setup: None
) -> None:
    before = site.postgres.pid
    site.postgres.send_signal(signal.SIGINT)
    seen: set[int] = set()

    def is_back() -> bool:
        seen.add(site.get("/").status)
        return site.postgres.pid != before and site.answers()

    wait_for(is_back, what="another database process that answers")
    assert seen <= {200, 503}
    assert site.statuses() == {200}
