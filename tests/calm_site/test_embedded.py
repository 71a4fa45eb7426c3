"""The embedded servers: shared by commands, gone with the last of them, whatever is killed."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import environ
import psutil
import psycopg
import pytest
import redis

from calm_site import embedded, keeper

USE = """
import sys
from calm_site import embedded
with embedded.environment():
    import os
    print(os.environ["DATABASE_URL"], flush=True)
    sys.stdin.read()
"""
CAN_UNSHARE = (
    os.geteuid() == 0
    and shutil.which("unshare") is not None
    and subprocess.run(["unshare", "--user", "--map-root-user", "true"], check=False).returncode
    == 0
)
needs_namespaces = pytest.mark.skipif(not CAN_UNSHARE, reason="needs root and user namespaces")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A `var` with an empty database in it, to copy."""
    with tempfile.TemporaryDirectory(prefix="embedded-") as folder:
        var = Path(folder) / "var"
        with embedded.servers(var, durable=False):
            pass
        yield var


@pytest.fixture
def var(cluster: Path) -> Iterator[Path]:
    """A `var` of the test's own, in a folder that others may enter."""
    with tempfile.TemporaryDirectory(prefix="embedded-") as folder:
        Path(folder).chmod(0o755)
        shutil.copytree(cluster, Path(folder) / "var")
        yield Path(folder) / "var"
        wait_until(lambda: not serving(Path(folder)), "the servers of this test are gone")


def wait_until(condition: Callable[[], bool], what: str, *, seconds: float = 20) -> None:
    """Fail if the condition does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def serving(folder: Path) -> list[psutil.Process]:
    """Living processes that work on a folder: keepers, PostgreSQL (its children too), Valkey."""
    found = [
        process
        for process in psutil.process_iter(["cmdline", "name", "status", "ppid"])
        if process.info["status"] != psutil.STATUS_ZOMBIE
    ]
    mains = {
        process.pid
        for process in found
        if any(word.startswith(str(folder)) for word in process.info["cmdline"] or [])
    }
    return [each for each in found if each.pid in mains or each.info["ppid"] in mains]


def keepers(var: Path) -> list[psutil.Process]:
    """The keepers of a folder; for a moment there may be some that see they are not needed."""
    return [each for each in serving(var) if "calm_site.keeper" in each.info["cmdline"]]


def keeper_of(var: Path) -> psutil.Process:
    """The one keeper of a folder."""
    wait_until(lambda: len(keepers(var)) == 1, "there is one keeper")
    return keepers(var)[0]


def server_of(var: Path, name: str) -> psutil.Process:
    """The main process of `postgres` or `valkey-server`."""
    keeper_pid = keeper_of(var).pid
    (found,) = (
        each
        for each in serving(var)
        if each.info["ppid"] == keeper_pid and each.info["name"].startswith(name)
    )
    return found


def kill_all(processes: list[psutil.Process]) -> None:
    """kill -9; one may go with another that was killed before it."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()


def start_user(var: Path, *prefix: str, use: str = USE) -> "subprocess.Popen[str]":
    """A command that uses the servers until its standard input closes."""
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", use],
        cwd=embedded.ROOT,
        env=os.environ | {"STILLWATER_VAR": str(var), "PYTHONPATH": str(embedded.ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def url_of(user: "subprocess.Popen[str]") -> str:
    """Wait until the command has its servers."""
    assert user.stdout is not None
    line: str = user.stdout.readline().strip()
    assert line, user.stderr.read() if user.stderr else ""
    return line


def finish(user: "subprocess.Popen[str]") -> None:
    """Let the command end, and wait for it."""
    _, errors = user.communicate(timeout=30)
    assert user.returncode == 0, errors


def complaint(var: Path, *prefix: str) -> str:
    """What a command says that gets no servers."""
    user = start_user(var, *prefix)
    out, errors = user.communicate(timeout=60)
    assert (user.returncode, out) == (1, "")
    assert errors.count("\n") == 1, errors
    return errors


def connect(database_url: str) -> psycopg.Connection[tuple[object, ...]]:
    """A connection made as the settings make it."""
    found = environ.Env.db_url_config(database_url)
    return psycopg.connect(
        host=found["HOST"], port=found["PORT"], user=found["USER"], dbname=found["NAME"]
    )


def count_rows(database_url: str) -> object:
    """Add a row to a table, and say how many it has."""
    with connect(database_url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS note (id int)")
        connection.execute("INSERT INTO note VALUES (1)")
        row = connection.execute("SELECT count(*) FROM note").fetchone()
    assert row is not None
    return row[0]


def test_a_new_folder_gets_postgresql_18_and_valkey(tmp_path: Path) -> None:
    with embedded.servers(tmp_path / "var", durable=False) as found:
        with connect(found.database_url) as connection:
            assert connection.info.server_version // 10_000 == 18
            assert connection.execute("SELECT 'ä' < 'b', lower('Ä')").fetchone() == (False, "ä")
        with redis.Redis.from_url(found.redis_url.replace("redis+socket", "unix")) as client:
            assert client.ping()
    assert serving(tmp_path) == []


def test_the_next_start_keeps_the_data(var: Path) -> None:
    with embedded.servers(var) as found:
        assert count_rows(found.database_url) == 1
        with redis.Redis.from_url(found.redis_url.replace("redis+socket", "unix")) as client:
            client.set("kept", "yes")
    with embedded.servers(var) as found:
        assert count_rows(found.database_url) == 2
        with redis.Redis.from_url(found.redis_url.replace("redis+socket", "unix")) as client:
            assert client.get("kept") == b"yes"


def test_commands_started_at_once_share_one_keeper_and_the_last_one_out_stops_it(
    var: Path,
) -> None:
    users = [start_user(var) for _ in range(4)]
    urls = [url_of(user) for user in users]
    assert len(set(urls)) == 1
    first = keeper_of(var).pid
    for user in users[:-1]:
        finish(user)
        assert count_rows(urls[0])
    assert keeper_of(var).pid == first
    finish(users[-1])
    assert serving(var) == []


def test_a_command_that_comes_while_the_servers_stop_gets_new_ones(var: Path) -> None:
    for _ in range(2):
        leaving = start_user(var)
        url_of(leaving)
        assert leaving.stdin is not None
        leaving.stdin.close()
        coming = start_user(var)
        assert count_rows(url_of(coming))
        leaving.wait(30)
        finish(coming)


def test_a_killed_command_leaves_nothing_running(var: Path) -> None:
    user = start_user(var)
    url = url_of(user)
    assert count_rows(url) == 1
    user.kill()
    user.wait()
    wait_until(lambda: not serving(var), "all gone after kill -9", seconds=5)
    user = start_user(var)
    assert count_rows(url_of(user)) == 2
    finish(user)


def test_a_killed_keeper_takes_the_servers_along_and_the_next_start_works(var: Path) -> None:
    user = start_user(var)
    url = url_of(user)
    assert count_rows(url) == 1
    connection = connect(url)
    connection.execute("SELECT 1")
    keeper_of(var).kill()
    wait_until(lambda: not serving(var), "all gone after kill -9", seconds=5)
    connection.close()
    other = start_user(var)
    assert count_rows(url_of(other)) == 2
    finish(other)
    finish(user)


def test_everything_killed_at_once_does_not_hinder_the_next_start(var: Path) -> None:
    user = start_user(var)
    assert count_rows(url_of(user)) == 1
    kill_all(serving(var))
    user.kill()
    user.wait()
    other = start_user(var)
    assert count_rows(url_of(other)) == 2
    finish(other)


@pytest.mark.parametrize("name", ["postgres", "valkey-server"])
def test_fault_19_a_killed_server_comes_back_at_the_same_place(var: Path, name: str) -> None:
    with embedded.servers(var) as found:
        assert count_rows(found.database_url) == 1
        killed = server_of(var, name)
        killed.kill()

        def is_back() -> bool:
            try:
                with redis.Redis.from_url(found.redis_url.replace("redis+socket", "unix")) as it:
                    return bool(it.ping()) and count_rows(found.database_url) != 0
            except (psycopg.OperationalError, redis.ConnectionError):
                return False

        wait_until(is_back, f"{name} is back")
        assert server_of(var, name).pid != killed.pid


def test_a_server_that_keeps_dying_ends_all(var: Path) -> None:
    user = start_user(var)
    url_of(user)

    def kill_again() -> bool:
        valkey = [each for each in serving(var) if "valkey-server" in each.info["name"]]
        kill_all(valkey)
        return not serving(var)

    wait_until(kill_again, "the keeper gives up")
    assert "Valkey keeps stopping" in (var / "log" / "servers.log").read_text()
    finish(user)


def test_a_pid_file_that_names_a_living_process_is_known_to_be_stale(var: Path) -> None:
    lines = [str(os.getpid()), str(var / "postgres"), "1700000000", "5432", str(var / "run"), ""]
    (var / "postgres" / "postmaster.pid").write_text("\n".join(lines))
    (var / "run" / ".s.PGSQL.5432.lock").write_text("\n".join(lines))
    (var / "run" / ".s.PGSQL.5432").touch()
    (var / "run" / "valkey.sock").touch()
    (var / "run" / "ready").touch()
    with embedded.servers(var, durable=False) as found:
        assert count_rows(found.database_url) == 1


def test_a_database_that_was_only_half_created_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "var" / "postgres.new" / "base").mkdir(parents=True)
    (tmp_path / "var" / "postgres.new" / "PG_VERSION").write_text("18\n")
    with embedded.servers(tmp_path / "var", durable=False) as found:
        assert count_rows(found.database_url) == 1
    assert not (tmp_path / "var" / "postgres.new").exists()


def test_a_path_too_long_or_too_odd_for_a_socket_works_through_a_private_folder(
    cluster: Path, tmp_path: Path
) -> None:
    var = tmp_path / ("très long, " * 12).strip()
    shutil.copytree(cluster, var)
    with embedded.servers(var, durable=False) as found:
        assert count_rows(found.database_url) == 1
        sockets = embedded.socket_dir(var / "run")
        assert sockets.stat().st_mode & 0o777 == 0o700
        assert str(sockets) in found.database_url
    assert not sockets.exists()


def test_a_private_folder_that_others_may_enter_is_refused(tmp_path: Path) -> None:
    var = tmp_path / ("long" * 30)
    sockets = embedded.socket_dir(var / "run")
    sockets.chmod(0o755)
    try:
        assert "too long for a socket" in complaint(var)
    finally:
        sockets.rmdir()


def test_a_file_in_place_of_the_folder_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    assert "Cannot write to" in complaint(tmp_path / "var")


def test_a_broken_database_is_one_line_with_its_reason(var: Path) -> None:
    (var / "postgres" / "PG_VERSION").write_text("12\n")
    assert "PostgreSQL did not start: FATAL:  database files are incompatible" in complaint(var)


@needs_namespaces
def test_an_ordinary_user_can_run_them(var: Path) -> None:
    user = start_user(var, "unshare", "--user", "--map-user=1234", "--map-group=1234")
    url_of(user)
    finish(user)
    assert serving(var) == []


@needs_namespaces
def test_root_without_user_namespaces_runs_them_as_nobody(var: Path, tmp_path: Path) -> None:
    if not can_nobody_run(keeper.postgres_bin()):
        assert "PostgreSQL refuses to run as root" in complaint(var, *no_namespaces(tmp_path))
        return
    user = start_user(var, *no_namespaces(tmp_path))
    assert count_rows(url_of(user)) == 1
    assert server_of(var, "postgres").uids().real == embedded.NOBODY
    finish(user)
    # And back: the next start, with namespaces, takes the files over again.
    with embedded.servers(var, durable=False) as found:
        assert count_rows(found.database_url) == 2


@needs_namespaces
def test_root_whose_files_nobody_may_enter_is_one_line(var: Path, tmp_path: Path) -> None:
    var.parent.chmod(0o700)
    assert "PostgreSQL refuses to run as root" in complaint(var, *no_namespaces(tmp_path))


@needs_namespaces
def test_a_full_disk_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    mount = f"mount -t tmpfs -o size=8m none {tmp_path}/var && exec"
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mount} "$@"', "sh"]
    assert "make room" in complaint(tmp_path / "var", *prefix)


@needs_namespaces
def test_a_folder_that_is_read_only_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    mount = f"mount -t tmpfs -o ro none {tmp_path}/var && exec"
    prefix = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", f'{mount} "$@"', "sh"]
    assert "Read-only file system" in complaint(tmp_path / "var", *prefix)


def test_a_statement_that_fails_leaves_no_personal_data_in_the_log(var: Path) -> None:
    with embedded.servers(var, durable=False) as found, connect(found.database_url) as connection:
        connection.execute("CREATE TABLE person (email text UNIQUE)")
        connection.execute("INSERT INTO person VALUES ('nobody@example.org')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO person VALUES ('nobody@example.org')")
    log = (var / "log" / "postgresql.log").read_text()
    assert "duplicate key" in log
    assert "nobody@example.org" not in log


def no_namespaces(folder: Path) -> list[str]:
    """A prefix under which a command sees the same files but may make no user namespace.

    The kernel refuses one to a process whose root has been changed (user_namespaces(7), EPERM).
    """
    # A short PATH may lack the folders of root's own tools.
    change_root = (
        f'PATH="$PATH:/usr/sbin:/sbin"; mount --rbind / {folder} && exec chroot {folder} "$@"'
    )
    return ["unshare", "--mount", "sh", "-c", change_root, "sh"]


def can_nobody_run(folder: Path) -> bool:
    """Whether the user nobody may enter a folder."""
    probe = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "ls", str(folder)]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


def test_sigterm_to_the_keeper_stops_the_servers_in_order(var: Path) -> None:
    user = start_user(var)
    url_of(user)
    process = keeper_of(var)
    process.send_signal(signal.SIGTERM)
    wait_until(lambda: not serving(var), "all stopped", seconds=5)
    assert "database system is shut down" in (var / "log" / "postgresql.log").read_text()
    finish(user)
