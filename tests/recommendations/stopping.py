"""A trainer in a process of its own that stops before one of its steps, until it is killed."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from django.conf import settings

from tests.conftest import ROOT, site_env, wait_for

WORKER = ("--queues", "urgent,training,default", "--concurrency", "1", "--loglevel", "INFO")


@dataclass(frozen=True)
class Stopping:
    """The process. `pid` is its own; in a worker it is a child that stops."""

    folder: Path
    pid: int

    def stopped(self) -> list[int]:
        """The processes that reached the step, each once, the first one first."""
        files = sorted(self.folder.glob("stopped.*"), key=lambda file: file.stat().st_mtime_ns)
        return [int(file.suffix[1:]) for file in files]

    def until_stopped(self, times: int = 1) -> int:
        """The process that reaches the step as the n-th."""
        wait_for(lambda: len(self.stopped()) >= times, what=f"stop {times}: {self.log}")
        return self.stopped()[times - 1]

    @property
    def has_ended(self) -> bool:
        """Whether the process is dead."""
        try:
            return psutil.Process(self.pid).status() == psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return True

    @property
    def log(self) -> str:
        """All that it has said."""
        return (self.folder / "log").read_text()


@contextmanager
def stopping(step: str, folder: Path, *worker: str, starves: bool = False) -> Iterator[Stopping]:
    """Start one on the test's database and folders: a worker, or one run of the trainer. One that
    `starves` does not stop at the step: it gets no more memory from there on."""
    folder.mkdir()
    program = [sys.executable, "-m", "tests.recommendations.stopping_process", step, str(folder)]
    env = site_env() | {
        "RELEASES": str(settings.RELEASE_DIR),
        "MODEL": str(settings.MODEL_DIR),
        "STARVES": "yes" if starves else "",
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*program, *worker], cwd=ROOT, env=env, stdout=log, stderr=log)
    try:
        yield Stopping(folder, process.pid)
    finally:
        (folder / "go").touch()
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
