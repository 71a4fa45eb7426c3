"""Read `person practice practice …` files, a line a person, into arrays."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_MAX_DIGITS = 18
_SPACES = b" \t\r\n"


class LineError(ValueError):
    """A line that cannot be read. `line` is its number, from 1."""

    def __init__(self, path: Path, *, line: int, reason: str) -> None:
        super().__init__(f"{path.name}, line {line}: {reason} Nothing was read.")
        self.line = line


@dataclass(frozen=True, eq=False)
class Pairs:
    """The ids of a file, a row a pair, in the order of the file: int64[n] each."""

    people: NDArray[np.int64]
    practices: NDArray[np.int64]


def read_pairs(path: Path) -> Pairs:
    """Read a file whose lines are a person's id and the ids of practices, with spaces between.

    Ids are integers from 0. Empty lines are skipped; a person without practices has no pair.
    Raises LineError for anything else and for a pair that is named twice, OSError when the
    file cannot be read.
    """
    text = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    is_digit = (text >= ord("0")) & (text <= ord("9"))
    _require_digits(path, text, is_digit)
    starts, lengths = _tokens(is_digit)
    newlines = np.flatnonzero(text == ord("\n"))
    lines = np.searchsorted(newlines, starts) + 1
    if (lengths > _MAX_DIGITS).any():
        line = int(lines[np.argmax(lengths > _MAX_DIGITS)])
        raise LineError(path, line=line, reason=f"an id has over {_MAX_DIGITS} digits.")
    numbers = _numbers(text, starts, lengths)
    is_person = np.diff(lines, prepend=0) > 0
    person_of_token = numbers[is_person][np.cumsum(is_person) - 1] if len(numbers) else numbers
    pairs = Pairs(person_of_token[~is_person], numbers[~is_person])
    _require_distinct(path, pairs, lines[~is_person])
    return pairs


def _require_digits(path: Path, text: NDArray[np.uint8], is_digit: NDArray[np.bool_]) -> None:
    bad = ~is_digit & ~np.isin(text, np.frombuffer(_SPACES, dtype=np.uint8))
    if not bad.any():
        return
    position = int(np.argmax(bad))
    line = int(np.count_nonzero(text[:position] == ord("\n"))) + 1
    raise LineError(path, line=line, reason="only whole numbers from 0 and spaces belong here.")


def _tokens(is_digit: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Where each run of digits begins, and its length."""
    edges = np.diff(is_digit.view(np.int8), prepend=0, append=0)
    starts = np.flatnonzero(edges == 1)
    return starts, np.flatnonzero(edges == -1) - starts


def _numbers(
    text: NDArray[np.uint8], starts: NDArray[np.intp], lengths: NDArray[np.intp]
) -> NDArray[np.int64]:
    numbers = np.zeros(len(starts), dtype=np.int64)
    for place in range(int(lengths.max(initial=0))):
        longer = lengths > place
        digits = text[starts[longer] + place].astype(np.int64) - ord("0")
        numbers[longer] = numbers[longer] * 10 + digits
    return numbers


def _require_distinct(path: Path, pairs: Pairs, lines: NDArray[np.intp]) -> None:
    order = np.lexsort((pairs.practices, pairs.people))
    people, practices = pairs.people[order], pairs.practices[order]
    repeated = (people[1:] == people[:-1]) & (practices[1:] == practices[:-1])
    if repeated.any():
        line = int(lines[order[1:][repeated]].min())
        raise LineError(path, line=line, reason="a practice is named twice for one person.")
