"""The checkpoints outside of the database: one line each, only ever appended.

A database that was restored from an old backup has forgotten what this file still knows.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from privacy_center.append_only_file import append, documents


@dataclass(frozen=True)
class PublishedCheckpoint:
    """One line: the tree's size, its root in hex, and the signed note."""

    size: int
    root: str
    note: str


def append_checkpoint(checkpoint: PublishedCheckpoint) -> None:
    """Add a line, and return once the disk has it. Raises OSError."""
    append(_path(), asdict(checkpoint))


def published_checkpoints() -> Iterator[PublishedCheckpoint]:
    """Every line, oldest first; none when nothing was ever published."""
    return (PublishedCheckpoint(**document) for document in documents(_path()))


def last_published() -> PublishedCheckpoint | None:
    """The largest tree that was published, found from the end of the file."""
    path = _path()
    if not path.exists():
        return None
    with path.open("rb") as file:
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - LONGEST_LINE))
        lines = [line for line in file.read().split(b"\n") if line.endswith(b"}")]
    # The first may be the end of a longer one.
    whole = [line for line in lines if line.startswith(b'{"size"')]
    found = [PublishedCheckpoint(**json.loads(line)) for line in whole]
    # Two sequencers, one after the other, may have written in the other order.
    return max(found, key=lambda checkpoint: checkpoint.size, default=None)


LONGEST_LINE = 8192


def _path() -> Path:
    return Path(settings.LEDGER_CHECKPOINT_FILE)
