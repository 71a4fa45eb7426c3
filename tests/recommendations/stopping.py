"""A trainer that stops before one of its steps until it is killed, or told to go on.

Run as a program it is such a process: `stopping.py STEP FOLDER [arguments of a Celery worker]`.
Without arguments it trains at once. The product knows nothing of this.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from tests.conftest import ROOT, site_env, wait_for

WORKER = ("--queues", "urgent,training,default", "--concurrency", "1", "--loglevel", "INFO")


@dataclass(frozen=True)
class Stopped:
    """A process whose trainer stops before a step; `pid` is the process itself."""

    folder: Path
    pid: int

    def stops(self) -> list[int]:
        """The processes that reached the step, in order: a worker's children, each once."""
        files = sorted(self.folder.glob("stopped.*"), key=lambda file: file.stat().st_mtime_ns)
        return [int(file.suffix[1:]) for file in files]

    def until_stopped(self, times: int = 1) -> int:
        """The process that stopped as the n-th."""
        wait_for(lambda: len(self.stops()) >= times, what=f"stop {times} before the step")
        return self.stops()[times - 1]

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()


@contextmanager
def stopping(step: str, folder: Path, *arguments: str) -> Iterator[Stopped]:
    """Such a process on the test database and the test's own release folder, ended at the end."""
    folder.mkdir()
    command = [sys.executable, "-m", "tests.recommendations.stopping", step, str(folder)]
    env = site_env() | {"RELEASES": str(settings.RELEASE_DIR)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, *arguments], cwd=ROOT, env=env, stdout=log, stderr=log
        )
    try:
        yield Stopped(folder, process.pid)
    finally:
        (folder / "go").touch()
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(step: str, folder: Path, arguments: list[str]) -> None:
    """The process: train, or be a worker."""
    import django

    django.setup()
    from django.utils import timezone

    from calm_site.celery import app
    from recommendations import trainer

    settings.RELEASE_DIR = Path(os.environ["RELEASES"])
    original = getattr(trainer, step)

    def stop_first(*args: object, **kwargs: object) -> object:
        (folder / f"stopped.{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
        return original(*args, **kwargs)

    setattr(trainer, step, stop_first)
    if arguments:
        app.worker_main(["worker", "--without-gossip", "--without-mingle", *arguments])
    else:
        trainer.train(clock=timezone.now)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
