"""Files of listens to import, in either of two forms, read line by line.

CSV with the header `person,practice,started_at,completion`, or a line a person of the form
`user item item …`, in which every item is a whole listen.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

HEADER = ["person", "practice", "started_at", "completion"]
LONGEST_NAME = 64


class ListenFileError(Exception):
    """A line that cannot be read. Names the line, says why; nothing was imported."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason} Nothing was imported.")
        self.line = line


@dataclass(frozen=True, slots=True)
class ListenRow:
    line: int
    person: str
    practice: str
    started_at: datetime
    completion: float


@dataclass(frozen=True, slots=True)
class BytesRead:
    """How far the file was read, for a progress bar."""

    count: int


def read_listens(path: Path, *, at: datetime) -> Iterator[ListenRow | BytesRead]:
    """The rows of a file, with a note of progress now and then.

    `at` stands for the start where the form has no time, and is the latest time allowed. Raises
    `ListenFileError` at the first line that is wrong.
    """
    with path.open("rb") as file:
        first = file.readline()
        file.seek(0)
        is_csv = b"," in first
        yield from _csv_rows(file, at) if is_csv else _pair_rows(file, at)


def _text_lines(file: IO[bytes]) -> Iterator[tuple[int, str, int]]:
    """Number and text of each line, and the bytes read so far."""
    read = 0
    for number, raw in enumerate(file, 1):
        read += len(raw)
        try:
            text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise ListenFileError(number, "it is not valid UTF-8.") from None
        if "\0" in text:
            raise ListenFileError(number, "it contains a NUL character.")
        yield number, text, read


def _csv_rows(file: IO[bytes], at: datetime) -> Iterator[ListenRow | BytesRead]:
    for number, text, read in _text_lines(file):
        fields = _fields(number, text)
        if number == 1:
            if fields != HEADER:
                raise ListenFileError(1, f"the header must be {','.join(HEADER)}.")
            continue
        if len(fields) != len(HEADER):
            raise ListenFileError(number, f"it needs {len(HEADER)} values, not {len(fields)}.")
        person, practice, started_at, completion = fields
        yield ListenRow(
            number,
            _name(number, person, "person"),
            _name(number, practice, "practice"),
            _moment(number, started_at, at),
            _share(number, completion),
        )
        if number % 1000 == 0:
            yield BytesRead(read)


def _pair_rows(file: IO[bytes], at: datetime) -> Iterator[ListenRow | BytesRead]:
    for number, text, read in _text_lines(file):
        person, *items = text.split() or [""]
        if not items:
            raise ListenFileError(number, "it needs a person and at least one practice.")
        if len(items) != len(set(items)):
            raise ListenFileError(number, "it names a practice twice.")
        _name(number, person, "person")
        for item in items:
            yield ListenRow(number, person, _name(number, item, "practice"), at, 1.0)
        yield BytesRead(read)


def _fields(line: int, text: str) -> list[str]:
    try:
        return next(csv.reader([text]), [])
    except csv.Error:
        raise ListenFileError(line, "it is not a line of CSV.") from None


def _name(line: int, text: str, what: str) -> str:
    name = text.strip()
    if not 0 < len(name) <= LONGEST_NAME:
        raise ListenFileError(line, f"the {what} must have 1 to {LONGEST_NAME} characters.")
    return name


def _moment(line: int, text: str, at: datetime) -> datetime:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ListenFileError(line, "started_at must be a moment in ISO 8601.") from None
    if moment.tzinfo is None:
        raise ListenFileError(line, "started_at needs an offset from UTC, such as Z.")
    if moment > at:
        raise ListenFileError(line, "started_at is in the future.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ListenFileError(line, "started_at is out of range.") from None


def _share(line: int, text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ListenFileError(line, "completion must be a number from 0 to 1.")
    return share
