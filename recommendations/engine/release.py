"""Model files: plain arrays and facts, verified by their hash, mapped into memory, never pickled.

The form is safetensors: a JSON header with the facts, then the arrays, each at a multiple of its
item's size. A file is written once, made read-only and given its name by a rename; nothing ever
writes into it again. That is what lets processes serve from a mapping: all that map one file share
one copy of it in memory, and go on reading it after its name is gone.
"""

import hashlib
import json
import mmap
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from io import BufferedReader
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from recommendations.engine.ranking import ItemWeights


@dataclass(frozen=True)
class _Form:
    """What an array must be: its item as the header and as NumPy call it, and its dimensions."""

    name: str
    dtype: np.dtype[Any]
    dimensions: int


_FORMS = {
    "practice_ids": _Form("I64", np.dtype("<i8"), 1),
    "neighbors": _Form("I32", np.dtype("<i4"), 2),
    "weights": _Form("F32", np.dtype("<f4"), 2),
    "people_per_practice": _Form("I64", np.dtype("<i8"), 1),
    "context_ids": _Form("I64", np.dtype("<i8"), 1),
}
_HEADER_LENGTH_BYTES = 8
_READ_ONLY = 0o444


class DamagedModel(Exception):
    """A model file that must not be served: damaged, missing, unsigned, or not ours."""


@dataclass(frozen=True)
class Facts:
    """What a release says about itself. `gram_digest` is that of the G it was made from."""

    algorithm: str
    regularization: float
    gram_digest: str
    people: int
    interactions: int
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Model:
    """The item weights of a release, and the facts about them."""

    items: ItemWeights
    facts: Facts


def write_model(path: Path, model: Model) -> str:
    """Write the file so that it is there whole or not at all; returns its SHA-256 (hex).

    An existing file is replaced in one step; whoever has it mapped keeps what they have. Raises
    OSError when it cannot be written; the former file is then still there, and no other.
    """
    arrays = {
        name: np.ascontiguousarray(getattr(model.items, name), dtype=form.dtype)
        for name, form in _FORMS.items()
    }
    content = save(arrays, metadata={"facts": json.dumps(asdict(model.facts), sort_keys=True)})
    _replace(path, content)
    return hashlib.sha256(content).hexdigest()


def read_model(path: Path, *, sha256: str) -> Model:
    """Map a file whose SHA-256 (hex) is known from a trusted place.

    The hash is verified before anything in the file is looked at; then the header, and that every
    array lies within the file. The arrays are read-only views of the mapping, which lives as long
    as one of them. Raises DamagedModel, or OSError when the file is there and cannot be read now.
    """
    if not sha256:
        raise _damaged(path, "has no recorded hash to verify it by")
    try:
        with path.open("rb") as file:
            content = _verified(path, file, sha256)
    except FileNotFoundError as error:
        raise _damaged(path, "is missing") from error
    try:
        header = _header(content)
        return Model(ItemWeights(**_arrays(content, header)), _facts(header))
    except (ValueError, LookupError, TypeError, RecursionError) as error:
        raise _damaged(path, "is not in the form of a model") from error


def _verified(path: Path, file: BufferedReader, sha256: str) -> mmap.mmap | bytes:
    """The mapping of a file that has this hash.

    It is hashed by reading it: a disk error is an OSError there, and a crash in a mapping.
    """
    if hashlib.file_digest(file, "sha256").hexdigest() != sha256:
        raise _damaged(path, "is not the file that was written")
    if os.fstat(file.fileno()).st_size == 0:
        return b""
    return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


@dataclass(frozen=True)
class _Header:
    entries: Mapping[str, Any]
    data_start: int


def _header(content: mmap.mmap | bytes) -> _Header:
    length = int.from_bytes(content[:_HEADER_LENGTH_BYTES], "little")
    end = _HEADER_LENGTH_BYTES + length
    if end > len(content):
        raise ValueError("The header is longer than the file.")
    return _Header(json.loads(content[_HEADER_LENGTH_BYTES:end]), end)


def _arrays(content: mmap.mmap | bytes, header: _Header) -> dict[str, NDArray[Any]]:
    return {name: _array(content, header, name, form) for name, form in _FORMS.items()}


def _array(
    content: mmap.mmap | bytes, header: _Header, name: str, form: _Form
) -> NDArray[np.generic]:
    """A view of one array. Raises ValueError unless it lies whole and aligned within the file."""
    entry = header.entries[name]
    shape = [int(size) for size in entry["shape"]]
    begin, end = (header.data_start + int(offset) for offset in entry["data_offsets"])
    if entry["dtype"] != form.name or len(shape) != form.dimensions or min(shape) < 0:
        raise ValueError(f"{name} has the wrong type or shape.")
    count = int(np.prod(shape, dtype=object))
    if not header.data_start <= begin <= end <= len(content):
        raise ValueError(f"{name} is not within the file.")
    if end - begin != count * form.dtype.itemsize or begin % form.dtype.itemsize:
        raise ValueError(f"{name} has the wrong length or place.")
    if count == 0:
        return np.empty(shape, dtype=form.dtype)
    return np.frombuffer(content, dtype=form.dtype, count=count, offset=begin).reshape(shape)


def _facts(header: _Header) -> Facts:
    return Facts(**json.loads(header.entries["__metadata__"]["facts"]))


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _READ_ONLY)
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(path: Path, what: str) -> DamagedModel:
    return DamagedModel(
        f"The model file {path.name} {what}. It is not served: shelves use the release before it,"
        " or fall back to editorial order. Train again to replace it."
    )
