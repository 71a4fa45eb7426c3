"""The process of `stopping.py`: `STEP FOLDER [arguments of a Celery worker]`; else it trains once.

Its trainer leaves a file `stopped.PID` before the step and goes on once there is a file `go`. The
product knows nothing of this.
"""

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import django
import psutil
from django.conf import settings


def main(step: str, folder: Path, arguments: list[str]) -> None:
    """Be a worker, or train."""
    from django.utils import timezone

    from calm_site.celery import app
    from recommendations import trainer

    settings.RELEASE_DIR = Path(os.environ["RELEASES"])
    settings.MODEL_DIR = Path(os.environ["MODEL"])
    name, _dot, step = step.rpartition(".")
    module = import_module(name) if name else trainer
    original = getattr(module, step)

    def stop_first(*args: object, **kwargs: object) -> object:
        if os.environ["STARVES"]:
            return starving(original, *args, **kwargs)
        (folder / f"stopped.{os.getpid()}").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
        return original(*args, **kwargs)

    setattr(module, step, stop_first)
    if arguments:
        app.worker_main(["worker", "--without-gossip", "--without-mingle", *arguments])
    else:
        trainer.train(clock=timezone.now)


def starving(step: Callable[..., object], *args: object, **kwargs: object) -> object:
    """Do it with no more memory than there is, and none of that free."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    here = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (here, before[1]))
    hoard: list[bytearray] = []
    try:
        # Down to what the smallest of its arrays would fit into.
        for size in (1 << 16, 1 << 14, 1 << 12):
            with suppress(MemoryError):
                while True:
                    hoard.append(bytearray(size))
        return step(*args, **kwargs)
    finally:
        hoard.clear()
        resource.setrlimit(resource.RLIMIT_AS, before)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")
    django.setup()
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
