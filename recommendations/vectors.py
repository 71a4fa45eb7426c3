"""People's vectors as bytes in a row, and as arrays: the two forms in which they pass by."""

from collections.abc import Iterable, Iterator

import numpy as np

from recommendations.engine.gram_state import Vectors
from recommendations.models.vector import ENTRY


def packed(vectors: Vectors) -> Iterator[bytes]:
    """Each person's vector as it is stored, in the order of the people; b"" for an empty one."""
    entries = np.empty(len(vectors.columns), dtype=ENTRY)
    entries["column"], entries["weight"] = vectors.columns, vectors.weights
    counts = np.bincount(vectors.people, minlength=vectors.n_people)
    ends = np.cumsum(counts).tolist()
    content = entries.tobytes()
    first = 0
    for end in ends:
        yield content[first * ENTRY.itemsize : end * ENTRY.itemsize]
        first = end


def unpacked(rows: Iterable[bytes]) -> Vectors:
    """The vectors of people whose stored rows these are, in this order."""
    parts = [np.frombuffer(row, dtype=ENTRY) for row in rows]
    if not parts:
        return Vectors.none()
    entries = np.concatenate(parts)
    people = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    return Vectors(people, entries["column"].copy(), entries["weight"].copy(), len(parts))
