"""The erasures outside of the database: a line for each, only ever appended.

A database that was restored from an older backup holds people again who were erased since. What
this file says of them is a mark that nobody can go back from.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings


@dataclass(frozen=True)
class ErasedMark:
    """One line: the mark in hex, and the number of the erasure."""

    mark: str
    number: str


def append_mark(erased: ErasedMark) -> None:
    """Add a line, and return once the disk has it. A second one of the same does no harm. Raises
    OSError."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps({"mark": erased.mark, "number": erased.number})
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # The line before may have been cut short by a crash: this one stands by itself.
        os.write(descriptor, b"\n" + line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def erased_marks() -> Iterator[ErasedMark]:
    """Every line, oldest first; none when nobody was ever erased."""
    path = _path()
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            # What a crash cut short is written again when the erasure goes on.
            if line.startswith("{") and line.endswith("}\n"):
                yield ErasedMark(**json.loads(line))


def _path() -> Path:
    path: Path = settings.ERASURE_FILE
    return path
