"""PostgreSQL and Valkey from their wheels, for a machine that has neither (docs/running.md).

One keeper process (keeper.py) per `var` folder runs both and stops them when the last user has
gone. Users hold a shared file lock, which the kernel releases however they end: nothing is counted.
"""

import fcntl
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 90.0
STOP_SECONDS = 30.0
FREE_BYTES = 200 * 1024 * 1024
LOG_BYTES = 5 * 1024 * 1024
# sockaddr_un holds 107 bytes and PostgreSQL's file name needs 18 of them.
SOCKET_DIR = re.compile(r"[\w./-]{1,88}", re.ASCII)
NOBODY = 65534
POSTGRES_PORT = 5432


class StartError(Exception):
    """The servers cannot run here; the message is one line for a person."""


@dataclass(frozen=True)
class Servers:
    """Where the running servers are: values for DATABASE_URL and REDIS_URL."""

    database_url: str
    redis_url: str


def default_var() -> Path:
    """The folder of this checkout's data: STILLWATER_VAR, else `var` beside the code."""
    return Path(os.environ.get("STILLWATER_VAR") or ROOT / "var").absolute()


@contextmanager
def environment() -> Iterator[None]:
    """Servers for a command line, in DATABASE_URL and REDIS_URL; a failure exits with one line."""
    with ExitStack() as stack:
        try:
            found = stack.enter_context(servers(default_var()))
        except StartError as error:
            raise SystemExit(f"{error}") from None
        os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
        os.environ.setdefault("DEMO", "1")
        yield


@contextmanager
def servers(var: Path, *, durable: bool = True) -> Iterator[Servers]:
    """The servers whose data is in `var`: those that run, else started now.

    They stop with the last of their users. `durable=False` trades safety against power loss for
    speed (tests). Raises StartError.
    """
    var = var.absolute()
    run = prepare_folder(var)
    users = wait_for_lock(run / "users.lock", fcntl.LOCK_SH, seconds=STOP_SECONDS)
    try:
        _ensure_running(var, run=run, durable=durable)
        sockets = socket_dir(run)
        yield Servers(
            database_url=f"postgres://postgres@:{POSTGRES_PORT}/{sockets}/stillwater",
            redis_url=f"redis+socket://{sockets}/valkey.sock",
        )
    finally:
        os.close(users)
        _wait_until_stopped(run)


def is_running(var: Path) -> bool:
    """Whether the servers of `var` are up and ready."""
    return _is_locked(var / "run" / "ready")


def socket_dir(run: Path) -> Path:
    """Where the sockets are: `run`, or a short private folder if the system could not bind there.

    Raises StartError if that folder belongs to somebody else.
    """
    if SOCKET_DIR.fullmatch(str(run)):
        return run
    digest = hashlib.sha256(str(run).encode()).hexdigest()[:12]
    # Every command must find the same folder, whatever its TMPDIR says.
    short = Path(f"/tmp/stillwater-{os.geteuid()}-{digest}")  # noqa: S108
    short.mkdir(mode=0o700, exist_ok=True)
    found = short.lstat()
    is_private = stat.S_ISDIR(found.st_mode) and stat.S_IMODE(found.st_mode) == 0o700
    if not is_private or found.st_uid not in (os.geteuid(), NOBODY):
        raise StartError(
            f"The path {run} is too long for a socket, and {short}, used instead, belongs to "
            "somebody else. Remove it, or set STILLWATER_VAR to a shorter path."
        )
    return short


def prepare_folder(var: Path) -> Path:
    """Make the folders of `var`; the one of locks and sockets. Raises StartError if it cannot."""
    if sys.platform != "linux":
        raise StartError(
            "The embedded servers need Linux. Set DATABASE_URL and REDIS_URL to servers of yours."
        )
    run = var / "run"
    try:
        for folder in (run, var / "log"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (run / "users.lock").touch()
        socket_dir(run)
        free = shutil.disk_usage(var).free
    except OSError as error:
        raise StartError(
            f"Cannot write to {error.filename or var}: {error.strerror}. Make the folder writable, "
            "or set STILLWATER_VAR to one that is."
        ) from None
    if free < FREE_BYTES:
        raise StartError(
            f"The disk of {var} has {free >> 20} MB left and the servers need "
            f"{FREE_BYTES >> 20} MB. Nothing was changed; make room and start again."
        )
    return run


def try_lock(descriptor: int, mode: int) -> bool:
    """Take a file lock (LOCK_SH or LOCK_EX) if nobody stands against it."""
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_locked(path: Path) -> bool:
    """Whether a living process holds the file exclusively."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        return not try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def wait_for_lock(path: Path, mode: int, *, seconds: float) -> int:
    """The descriptor of a lock file of `var/run`, locked. Raises StartError after `seconds`."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while not try_lock(descriptor, mode):
        if time.monotonic() > deadline:
            os.close(descriptor)
            raise StartError(
                f"Earlier servers of {path.parent.parent} are still stopping after {seconds:.0f} "
                f"seconds. Look into {path.parent.parent / 'log'}, and try again."
            )
        time.sleep(0.02)
    return descriptor


def _ensure_running(var: Path, *, run: Path, durable: bool) -> None:
    keeper: subprocess.Popen[str] | None = None
    deadline = time.monotonic() + START_SECONDS
    while not is_running(var):
        if time.monotonic() > deadline:
            raise StartError(
                f"The servers are not ready after {START_SECONDS:.0f} seconds: see {var / 'log'}."
            )
        if keeper is not None and keeper.poll():
            raise StartError(keeper.communicate()[1].strip() or f"See {var / 'log'}.")
        if (keeper is None or keeper.returncode == 0) and not _is_locked(run / "keeper.lock"):
            keeper = _spawn_keeper(var, durable=durable)
        time.sleep(0.02)


def _spawn_keeper(var: Path, *, durable: bool) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "calm_site.keeper", str(var), "durable" if durable else "fast"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def _wait_until_stopped(run: Path) -> None:
    """Return when the servers have stopped, or at once if somebody else still uses them."""
    users = os.open(run / "users.lock", os.O_RDWR)
    deadline = time.monotonic() + STOP_SECONDS
    try:
        while _is_locked(run / "keeper.lock") and time.monotonic() < deadline:
            is_unused = try_lock(users, fcntl.LOCK_EX)
            if not is_unused and try_lock(users, fcntl.LOCK_SH):
                return
            fcntl.flock(users, fcntl.LOCK_UN)
            time.sleep(0.02)
    finally:
        os.close(users)


@contextmanager
def open_log(path: Path) -> Iterator[int]:
    """A descriptor that appends to the log; the log before it is kept once it has grown long."""
    if path.exists() and path.stat().st_size > LOG_BYTES:
        path.replace(path.with_suffix(".log.1"))
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
