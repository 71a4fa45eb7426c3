"""The process of `stopping.py`: `STEP FOLDER [arguments of a Celery worker]`; else it trains once.

Its trainer leaves a file `stopped.PID` before the step and goes on once there is a file `go`. The
product knows nothing of this.
"""

import os
import sys
import time
from pathlib import Path

import django
from django.conf import settings


def main(step: str, folder: Path, arguments: list[str]) -> None:
    """Be a worker, or train."""
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
    django.setup()
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:])
