"""The leash: a program ends with the process that asked for it, and so do its children."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable

import psutil
import pytest

from calm_site.leash import leashed

# A program with a child that ignores every polite signal, as a stuck pool worker would.
FAMILY = r"""
import os, signal, time
if os.fork() == 0:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(1, b"%d\n" % os.getpid())
time.sleep(600)
"""
# A process that puts FAMILY on a leash, and waits.
OWNER = """
import subprocess, sys, time
from calm_site.leash import leashed
subprocess.Popen(leashed([sys.executable, "-c", sys.argv[1]]))
time.sleep(600)
"""


def is_gone(pid: int) -> bool:
    """Whether no such process lives; one that waits to be collected is dead."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until(condition: Callable[[], bool], *, seconds: float = 5) -> None:
    """Fail if the condition does not come true."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def start(command: list[str]) -> "subprocess.Popen[str]":
    """Start it with its output in a pipe."""
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def pids(process: "subprocess.Popen[str]") -> list[int]:
    """The two numbers that FAMILY prints."""
    assert process.stdout is not None
    return [int(process.stdout.readline()), int(process.stdout.readline())]


def test_kill_9_of_the_owner_ends_the_program_and_its_children() -> None:
    owner = start([sys.executable, "-c", OWNER, FAMILY])
    family = pids(owner)
    owner.kill()
    owner.wait()
    wait_until(lambda: all(is_gone(pid) for pid in family))


def test_kill_9_of_the_leash_ends_the_program() -> None:
    program = "import os, time; os.write(1, b'%d\\n' % os.getpid()); time.sleep(600)"
    leash = start(leashed([sys.executable, "-c", program]))
    assert leash.stdout is not None
    number = int(leash.stdout.readline())
    leash.kill()
    leash.wait()
    wait_until(lambda: is_gone(number))


def test_a_program_that_dies_takes_its_children_along() -> None:
    leash = start(leashed([sys.executable, "-c", FAMILY]))
    family = pids(leash)
    child = max(family, key=lambda pid: psutil.Process(pid).create_time())
    (program,) = set(family) - {child}
    os.kill(program, signal.SIGKILL)
    assert leash.wait(5) == 128 + signal.SIGKILL
    wait_until(lambda: is_gone(child))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGQUIT])
def test_polite_signals_reach_the_program(number: signal.Signals) -> None:
    program = (
        "import signal, sys, time\n"
        f"signal.signal({int(number)}, lambda *_: sys.exit(7))\n"
        "print('ready', flush=True)\n"
        "time.sleep(600)"
    )
    leash = start(leashed([sys.executable, "-c", program]))
    assert leash.stdout is not None
    leash.stdout.readline()
    leash.send_signal(number)
    assert leash.wait(5) == 7


def test_the_exit_code_of_the_program_is_that_of_the_leash() -> None:
    assert subprocess.run(leashed(["sh", "-c", "exit 3"]), check=False).returncode == 3


def test_a_leash_whose_owner_has_gone_starts_nothing() -> None:
    command = leashed(["echo", "started"])
    command[command.index(str(os.getpid()))] = "1"
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
