"""Files outside of the database: a JSON object on each line, only ever appended."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any


def append(path: Path, document: Mapping[str, object]) -> None:
    """Add a line, and return once the disk has it. Raises OSError."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    line = json.dumps(document)
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        # A line that a crash cut short stays as it is; the next one stands by itself.
        is_cut = os.pread(descriptor, 1, max(0, os.fstat(descriptor).st_size - 1)) not in (
            b"\n",
            b"",
        )
        os.write(descriptor, b"\n" * is_cut + line.encode() + b"\n")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def documents(path: Path) -> Iterator[dict[str, Any]]:
    """What each line says, oldest first; none when there is no file. What a crash cut short is left
    out: nobody relied upon it, and it is written again."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("}\n"):
                yield json.loads(line)
