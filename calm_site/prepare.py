"""What must be true before the site serves: schema, static files, demo. One process does it all.

Run by the supervisor as `python -m calm_site.prepare`; safe to run at any time, and again.
"""

import hashlib
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import CommandError, call_command
from django.db import OperationalError

from calm_site.apps import CollectedFilesConfig


@contextmanager
def step(name: str, *, write: Callable[[str], object] = sys.stdout.write) -> Iterator[None]:
    """Say what is being done, and how long it took once it is."""
    started = time.monotonic()
    write(f"  {name} … ")
    sys.stdout.flush()
    yield
    write(f"{time.monotonic() - started:.1f} s\n")
    sys.stdout.flush()


def main() -> None:
    """Prepare the site; a database or a command that refuses is one line, exit code 1."""
    django.setup()
    try:
        prepare()
    except (CommandError, OperationalError) as error:
        raise SystemExit(f"\n{error}") from None


def prepare() -> None:
    """Migrate, erase again who must be, collect changed static files, load the catalog, and the
    demo if it is not there."""
    # Models are there only once Django is set up.
    from privacy_center.eraser import missing_marks

    with step("Database schema"):
        call_command("migrate", interactive=False, verbosity=0)
    if missing_marks():
        with step("Erasing again who was erased after this backup"):
            call_command("replay_erasures")
    with step("Static files"):
        collect_static()
    with step("Catalog"):
        call_command("load_catalog", verbosity=0)
    if settings.IS_DEMO:
        call_command("load_demo")


def collect_static() -> None:
    """Collect and compress the static files, unless those collected came from the same sources."""
    mark = Path(settings.STATIC_ROOT) / ".sources"
    sources = _static_sources()
    if mark.exists() and mark.read_text() == sources:
        return
    call_command("collectstatic", interactive=False, verbosity=0, clear=True)
    mark.write_text(sources)


def _static_sources() -> str:
    digest = hashlib.sha256()
    ignored = CollectedFilesConfig.ignore_patterns
    for finder in get_finders():
        for name, storage in finder.list(ignored):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main()
