"""The erasures outside of the database: a line for each, only ever appended.

A database that was restored from an older backup holds people again who were erased since. What
this file says of them is a mark that nobody can go back from.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from django.conf import settings

from privacy_center.append_only_file import append, documents


@dataclass(frozen=True)
class ErasedMark:
    """One line: the mark in hex, and the number of the erasure."""

    mark: str
    number: str


def append_mark(erased: ErasedMark) -> None:
    """Add a line, and return once the disk has it. A second one of the same does no harm. Raises
    OSError."""
    append(_path(), asdict(erased))


def erased_marks() -> Iterator[ErasedMark]:
    """Every line, oldest first; none when nobody was ever erased."""
    return (ErasedMark(**document) for document in documents(_path()))


def _path() -> Path:
    path: Path = settings.ERASURE_FILE
    return path
