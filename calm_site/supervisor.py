"""`make run`: starts everything the site needs, watches over it, and stops it in order."""

import fcntl
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from calm_site import embedded, leash

WEB_READY_SECONDS = 90.0
# A service that lived this long had started well: what killed it is a new story.
STEADY_SECONDS = 30.0
RESTARTS = 5
# As many as requests at once: two threads of one process would wait for each other.
WEB_PROCESSES = 4
# At this value a busy machine still gives the trainer a tenth of a core or so: somebody may wait
# to be forgotten by it.
NICENESS = 10


class StopSignal(BaseException):
    """Somebody asked us to stop: SIGINT, SIGTERM or a closed terminal."""


class SiteError(Exception):
    """We cannot go on; the message is one line for a person."""


@dataclass
class Service:
    """One program of the site, started again when it dies."""

    name: str
    command: list[str]
    stop_seconds: float
    gives_way: bool = False
    process: subprocess.Popen[bytes] | None = None
    started: float = field(default_factory=time.monotonic)
    quick_deaths: int = 0

    def start(self, log: Path) -> None:
        """Start it on a leash: neither it nor its children survive this process."""
        with embedded.open_log(log / f"{self.name}.log") as file:
            self.process = subprocess.Popen(
                leash.leashed(self.command),
                cwd=embedded.ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,
                preexec_fn=give_way if self.gives_way else None,
            )
        self.started = time.monotonic()

    def restart_if_dead(self, log: Path) -> None:
        """Start it again, later each time. Raises SiteError when it keeps dying."""
        if self.process is None or self.process.poll() is None:
            return
        lived = time.monotonic() - self.started
        self.quick_deaths = self.quick_deaths + 1 if lived < STEADY_SECONDS else 1
        if self.quick_deaths > RESTARTS:
            raise SiteError(f"{self.name} keeps stopping: {last_line(log / f'{self.name}.log')}")
        say(f"{self.name} stopped (code {self.process.returncode}); starting it again.")
        time.sleep(0.1 * 2**self.quick_deaths)
        self.start(log)


def services(host: str, port: int) -> list[Service]:
    """The programs of the site, in the order in which they are stopped."""
    python = [sys.executable, "-m"]
    web = ["--host", host, "--port", str(port), "--interface", "wsgi", "--no-ws"]
    web += ["--workers", f"{WEB_PROCESSES}", "--blocking-threads", "1", "--respawn-failed-workers"]
    web += ["--workers-kill-timeout", "1", "calm_site.wsgi:application"]
    celery = [*python, "celery", "-A", "calm_site"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    trainer = [*worker, "-n", "trainer@%h"]
    beat = ["beat", "--loglevel", "INFO", "--pidfile="]
    return [
        Service("web", [*python, "granian", *web], stop_seconds=1.5),
        Service("beat", [*celery, *beat], stop_seconds=0.5),
        # Training has a worker to itself, and gives way: neither tasks nor pages wait behind it.
        Service("worker", [*worker, "-n", "worker@%h", "-Q", "urgent,default", "-c", "2"], 1.0),
        Service("trainer", [*trainer, "-Q", "training", "-c", "1"], 1.0, gives_way=True),
    ]


def give_way() -> None:
    """Let everybody else have the processor first, in this session and in others: where sessions
    are scheduled as groups, the niceness of a process counts only within its own (man 7 sched)."""
    os.nice(NICENESS)
    with suppress(OSError):
        Path("/proc/self/autogroup").write_text(str(NICENESS))


def main() -> None:
    """Run the site until told to stop. PORT and HOST say where."""
    if "--stop-with-parent" in sys.argv:
        leash.stop_with_parent(signal.SIGTERM, parent=os.getppid())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop_asked)
    os.chdir(embedded.ROOT)
    try:
        with ExitStack() as stack:
            run(stack)
    except StopSignal:
        say("Stopped. All data is kept.")
    except (SiteError, embedded.StartError) as error:
        raise SystemExit(f"{error}") from None


def run(stack: ExitStack) -> None:
    """Start everything, then watch. Whatever was started is stopped by the stack."""
    host, port = os.environ.get("HOST", "127.0.0.1"), chosen_port()
    var = embedded.default_var()
    started = time.monotonic()
    say("Starting. Ctrl-C stops everything.")
    run_folder = embedded.prepare_folder(var)
    address = f"http://{shown(host)}:{port}"
    stack.enter_context(only_one(run_folder, address))
    check_port(host, port)
    own = start_servers(stack, var)
    os.environ.setdefault("SITE_URL", address)
    prepare()
    running = services(host, port)
    stack.callback(stop_all, running)
    web, *others = running
    web.start(var / "log")
    wait_for_web(web, host=host, port=port, log=var / "log")
    # After the first page, which somebody waits for, and not in competition with it.
    for service in others:
        service.start(var / "log")
    say(f"Ready after {time.monotonic() - started:.1f} s: {address}")
    say(f"What the programs write is in {var / 'log'}.")
    while True:
        for service in running:
            service.restart_if_dead(var / "log")
        if own and not embedded.is_running(var):
            raise SiteError(f"The database or the broker is gone; see {var / 'log'}. All stopped.")
        time.sleep(0.2)


def stop_asked(_number: int, _frame: object) -> None:
    """Stop in order; a second signal ends us at once, and the leashes end the rest."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    raise StopSignal


def start_servers(stack: ExitStack, var: Path) -> bool:
    """Put DATABASE_URL and REDIS_URL in the environment; True if the servers are our own."""
    os.environ.setdefault("DEMO", "1")
    given = [name for name in ("DATABASE_URL", "REDIS_URL") if os.environ.get(name)]
    if len(given) == 1:
        raise SiteError(f"Only {given[0]} is set. Set DATABASE_URL and REDIS_URL both, or neither.")
    if given:
        say("  Using the servers of DATABASE_URL and REDIS_URL.")
        return False
    began = time.monotonic()
    stack.callback(say, "  PostgreSQL and Valkey stopped.")
    found = stack.enter_context(embedded.servers(var))
    os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
    say(f"  PostgreSQL and Valkey … {time.monotonic() - began:.1f} s")
    return True


def prepare() -> None:
    """Schema, static files and demo, by a process of their own that says what it does."""
    command = leash.leashed([sys.executable, "-m", "calm_site.prepare"])
    if subprocess.run(command, cwd=embedded.ROOT, stdin=subprocess.DEVNULL, check=False).returncode:
        raise SiteError("The site could not be prepared, for the reason above.")


@contextmanager
def only_one(run_folder: Path, address: str) -> Iterator[None]:
    """Hold the lock that says a site runs from this folder. Raises SiteError if one does."""
    with (run_folder / "site.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise SiteError(f"Already running at {file.read()}; stop it there first.") from None
        file.truncate(0)
        file.write(address)
        file.flush()
        yield


def chosen_port() -> int:
    """PORT, else 8000. Raises SiteError if it is no port."""
    text = os.environ.get("PORT", "8000")
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SiteError(f"PORT is {text!r}; it must be a number from 1 to 65535.")
    return int(text)


def check_port(host: str, port: int) -> None:
    """Raise SiteError if the web server could not listen there."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as error:
        raise SiteError(
            f"Cannot listen on {host}:{port}: {error.strerror}. "
            f"Choose another port, for example: make run PORT={port + 1 if port < 65535 else 8000}"
        ) from None


def wait_for_web(web: Service, *, host: str, port: int, log: Path) -> None:
    """Return when the home page answers. Raises SiteError if it does not, or with an error."""
    deadline = time.monotonic() + WEB_READY_SECONDS
    while (status := home_status(host, port)) is None:
        if time.monotonic() > deadline or (web.process and web.process.poll() is not None):
            raise SiteError(f"The web server did not start: {last_line(log / 'web.log')}")
        time.sleep(0.05)
    if status >= 500:
        raise SiteError(f"The home page answers {status}: {last_line(log / 'web.log')}")


def home_status(host: str, port: int) -> int | None:
    """The HTTP status of the home page, or None while nobody answers."""
    connection = http.client.HTTPConnection(reachable(host), port, timeout=30)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def stop_all(running: list[Service]) -> None:
    """Stop the services one after the other, each warmly for a moment, then at once."""
    for service in running:
        if service.process is None:
            continue
        service.process.terminate()
        with suppress(subprocess.TimeoutExpired):
            service.process.wait(service.stop_seconds)
        service.process.send_signal(signal.SIGUSR1)
        service.process.wait()
        say(f"  {service.name} stopped.")


def reachable(host: str) -> str:
    """Where to connect to a server that listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104


def shown(host: str) -> str:
    """The host as a browser wants it."""
    host = reachable(host)
    return f"[{host}]" if ":" in host else host


def last_line(path: Path) -> str:
    """The last thing a program wrote, for a message, and where the rest is."""
    with suppress(OSError):
        lines = path.read_text(errors="replace").split("\n")
        written = [line.strip() for line in lines if line.strip()]
        return f"{written[-1] if written else 'it wrote nothing'} (log: {path})"
    return f"see {path}"


def say(line: str) -> None:
    """Print one line at once, also into a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
