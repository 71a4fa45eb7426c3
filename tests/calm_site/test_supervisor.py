"""`make run`, as a process: it starts the site, says what it does, and takes everything along."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import environ
import psutil
import psycopg
import pytest

from calm_site import embedded, supervisor

# Without the demo's people, whose loading has tests of its own.
PLAIN = {
    "DEMO": "0",
    "EMAIL_URL": "consolemail://",
    "SECRET_KEY": "for-this-test-only-" + "x" * 40,
    "KEY_ENCRYPTION_KEYS": f"test:{'A' * 43}=",
    "LEDGER_SIGNING_SEEDS": f"{'A' * 43}=",
    "HTTPS_ONLY": "0",
}


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    """A `var` in which a site has run once."""
    with tempfile.TemporaryDirectory(prefix="supervisor-") as folder:
        site = Site(Path(folder) / "var")
        site.wait_ready()
        site.process.terminate()
        assert site.process.wait(10) == 0
        yield site.var


@pytest.fixture
def var(prepared: Path) -> Iterator[Path]:
    """A `var` of the test's own in which a site has run once."""
    with tempfile.TemporaryDirectory(prefix="supervisor-") as folder:
        shutil.copytree(prepared, Path(folder) / "var")
        yield Path(folder) / "var"


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@dataclass
class Site:
    """A supervisor with its output."""

    var: Path
    port: int = field(default_factory=free_port)
    extra: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        without = {"DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE"}
        inherited = {name: value for name, value in os.environ.items() if name not in without}
        where = {"STILLWATER_VAR": str(self.var), "PORT": str(self.port)}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "calm_site.supervisor"],
            cwd=embedded.ROOT,
            env=inherited | PLAIN | where | self.extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def read_until(self, pattern: str) -> None:
        """Read what it says until a line matches."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line)
            if re.search(pattern, line):
                return
        pytest.fail(f"ended without {pattern!r}:\n{''.join(self.said)}")

    def wait_ready(self) -> None:
        """Return once the site says where it is."""
        self.read_until("^Ready after")

    def home_status(self) -> int | None:
        """The status of the home page; None if nobody answers."""
        return supervisor.home_status("127.0.0.1", self.port)

    def family(self) -> list[psutil.Process]:
        """Every process it started, directly or not."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def rest(self) -> str:
        """Everything it said, once it has ended."""
        out, _ = self.process.communicate(timeout=60)
        return "".join(self.said) + out


def living(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that only waits to be collected does not."""
    return [
        process
        for process in processes
        if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def members(site: Site, part: str) -> list[psutil.Process]:
    """The processes of one service, known by a part of its command; the program itself first."""
    (leash,) = (
        process
        for process in psutil.Process(site.process.pid).children()
        if part in " ".join(process.cmdline())
    )
    return leash.children(recursive=True)


def commands(site: Site) -> str:
    """The command lines of all that it started."""
    with suppress(psutil.NoSuchProcess):
        return " ".join(" ".join(process.cmdline()) for process in living(site.family()))
    return ""


def nobody_of(processes: list[psutil.Process]) -> bool:
    """Whether they are all gone."""
    return not living(processes)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> None:
    """Fail if the condition does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def failure(var: Path, **extra: str) -> str:
    """The one line a supervisor ends with that cannot start."""
    site = Site(var, extra=extra)
    lines = site.rest().splitlines()
    assert site.process.returncode == 1
    assert "Traceback" not in "".join(lines)
    return lines[-1]


def add_note(var: Path) -> object:
    """Add a row to the running site's database, in a table of our own; how many there are."""
    with embedded.servers(var) as found:
        config = environ.Env.db_url_config(found.database_url)
        with psycopg.connect(host=config["HOST"], user="postgres", dbname=config["NAME"]) as it:
            it.execute("CREATE TABLE IF NOT EXISTS note (id int)")
            it.execute("INSERT INTO note VALUES (1)")
            row = it.execute("SELECT count(*) FROM note").fetchone()
    assert row is not None
    return row[0]


def test_kill_9_leaves_nothing_running_and_the_next_start_keeps_the_data(var: Path) -> None:
    site = Site(var)
    site.wait_ready()
    parts = ("granian", "beat", "worker@", "trainer@", "postgres", "valkey")
    # A process that is just being started has no command line for a moment.
    wait_until(lambda: all(part in commands(site) for part in parts), seconds=10)
    family = site.family()
    add_note(var)
    site.process.kill()
    site.process.wait()
    wait_until(partial(nobody_of, family), seconds=5)

    again = Site(var, port=site.port)
    again.wait_ready()
    assert again.home_status() == 200
    assert add_note(var) == 2
    family = again.family()
    began = time.monotonic()
    again.process.terminate()
    said = again.rest()
    assert time.monotonic() - began < 5
    assert again.process.returncode == 0
    stopped = re.findall(r"^  (.*) stopped\.$", said, re.MULTILINE)
    assert stopped == ["web", "beat", "worker", "trainer", "PostgreSQL and Valkey"]
    assert living(family) == []


@pytest.mark.torture
def test_what_runs_already_is_not_started_twice_and_what_dies_comes_back(var: Path) -> None:
    site = Site(var)
    site.wait_ready()
    assert f"Already running at http://127.0.0.1:{site.port}" in failure(var)
    for name, part in (("web", "granian"), ("trainer", "trainer@")):
        old = members(site, part)
        old[0].kill()
        site.read_until(f"^{name} stopped .*again")
        wait_until(partial(nobody_of, old), seconds=5)
    wait_until(lambda: site.home_status() == 200, seconds=30)
    site.process.send_signal(signal.SIGINT)
    assert "All data is kept" in site.rest()


def test_a_busy_port_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        assert f"Cannot listen on 127.0.0.1:{port}: Address already in use" in failure(
            tmp_path / "var", PORT=str(port)
        )


@pytest.mark.parametrize("port", ["http", "0", "65536"])
def test_a_port_that_is_none_is_one_line(tmp_path: Path, port: str) -> None:
    assert "must be a number from 1 to 65535" in failure(tmp_path / "var", PORT=port)


def test_a_host_that_is_not_ours_is_one_line(tmp_path: Path) -> None:
    assert "Cannot listen on 192.0.2.1" in failure(tmp_path / "var", HOST="192.0.2.1")


def test_one_of_two_servers_given_is_one_line(tmp_path: Path) -> None:
    assert "DATABASE_URL and REDIS_URL both" in failure(
        tmp_path / "var", DATABASE_URL="postgres://localhost/x"
    )


def test_servers_that_are_given_but_down_are_one_line_and_none_are_started(tmp_path: Path) -> None:
    lines = failure(
        tmp_path / "var",
        DATABASE_URL="postgres://postgres@//nowhere/stillwater",
        REDIS_URL="redis+socket:///nowhere/valkey.sock",
    )
    assert "could not be prepared" in lines
    assert not (tmp_path / "var" / "postgres").exists()


@pytest.mark.torture
def test_servers_that_are_given_are_used(var: Path) -> None:
    with embedded.servers(var, durable=False) as found:
        other = var.parent / "other"
        given = {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
        shutil.copytree(var / "static", other / "static")
        site = Site(other, extra=given)
        site.wait_ready()
        assert site.home_status() == 200
        site.process.terminate()
        assert "PostgreSQL and Valkey" not in site.rest()
        assert embedded.is_running(var)
        assert not (other / "postgres").exists()


def test_a_service_that_keeps_dying_is_given_up_with_its_last_words(tmp_path: Path) -> None:
    service = supervisor.Service("web", ["sh", "-c", "echo the reason; exit 1"], stop_seconds=1)
    service.start(tmp_path)

    def keep_going() -> bool:
        service.restart_if_dead(tmp_path)
        return False

    with pytest.raises(supervisor.SiteError, match="web keeps stopping: the reason"):
        wait_until(keep_going, seconds=30)


def test_a_home_page_that_fails_is_said_at_the_start(tmp_path: Path) -> None:
    answer = "HTTP/1.0 500 Broken\r\n\r\n"
    program = (
        "import socket, sys\n"
        f"server = socket.create_server(('127.0.0.1', {(port := free_port())}))\n"
        "print('the reason', flush=True)\n"
        f"while True:\n    server.accept()[0].sendall({answer.encode()!r})\n"
    )
    web = supervisor.Service("web", [sys.executable, "-c", program], stop_seconds=1)
    web.start(tmp_path)
    try:
        with pytest.raises(supervisor.SiteError, match="home page answers 500: the reason"):
            supervisor.wait_for_web(web, host="127.0.0.1", port=port, log=tmp_path)
    finally:
        supervisor.stop_all([web])


def test_a_web_server_that_does_not_start_is_said_with_its_last_words(tmp_path: Path) -> None:
    web = supervisor.Service("web", ["sh", "-c", "echo the reason; exit 1"], stop_seconds=1)
    web.start(tmp_path)
    with pytest.raises(supervisor.SiteError, match="did not start: the reason"):
        supervisor.wait_for_web(web, host="127.0.0.1", port=free_port(), log=tmp_path)
