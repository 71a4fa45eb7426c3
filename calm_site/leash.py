"""Runs one program that cannot outlive whoever started it, nor leave children of its own behind.

The kernel can signal a process when its parent dies, but not its grandchildren: this process
waits in between and ends the whole group. It is run as a file, so that it starts at once.
"""

import ctypes
import os
import signal
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import NoReturn

PR_SET_PDEATHSIG = 1  # linux/prctl.h


def leashed(command: list[str]) -> list[str]:
    """The command to start, by this very process, in place of `command`.

    SIGTERM, SIGINT and SIGQUIT go on to the program, whose exit code becomes the leash's.
    """
    return [sys.executable, "-I", "-S", str(Path(__file__).absolute()), str(os.getpid()), *command]


def stop_with_parent(number: int, *, parent: int) -> None:
    """Have the kernel send us the signal when `parent` dies; exit if it has died already."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def main(parent: int, command: list[str]) -> NoReturn:
    """Run the command in a group of its own; end the group when it, or the parent, is gone."""
    group = 0

    def end_group() -> None:
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)

    def parent_died(*_signal: object) -> NoReturn:
        if group:
            end_group()
        os._exit(1)

    def forward(number: int, _frame: object) -> None:
        if not group:
            os._exit(128 + number)
        os.kill(group, number)

    signal.signal(signal.SIGUSR1, parent_died)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, forward)
    stop_with_parent(signal.SIGUSR1, parent=parent)
    tie = partial(stop_with_parent, signal.SIGKILL, parent=os.getpid())
    program = subprocess.Popen(command, process_group=0, preexec_fn=tie)
    group = program.pid
    # Not reaped before its group is gone: until then the number cannot belong to others.
    os.waitid(os.P_PID, group, os.WEXITED | os.WNOWAIT)
    end_group()
    code = program.wait()
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
