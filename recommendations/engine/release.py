"""Model files: plain arrays and facts, verified by their hash, never pickled.

The form is safetensors; the facts are one JSON text in its header.
"""

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from recommendations.engine.ranking import ItemWeights

_DTYPES = {
    "practice_ids": np.int64,
    "neighbors": np.int32,
    "weights": np.float32,
    "people_per_practice": np.int64,
    "context_ids": np.int64,
}
_HEADER_LENGTH_BYTES = 8


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

    An existing file is replaced in one step. Raises OSError when it cannot be written; the
    former file is then still there, and no other.
    """
    arrays = {
        name: np.ascontiguousarray(getattr(model.items, name), dtype=dtype)
        for name, dtype in _DTYPES.items()
    }
    content = save(arrays, metadata={"facts": json.dumps(asdict(model.facts), sort_keys=True)})
    _replace(path, content)
    return hashlib.sha256(content).hexdigest()


def read_model(path: Path, *, sha256: str) -> Model:
    """Read a file whose SHA-256 (hex) is known from a trusted place.

    The hash is verified before anything in the file is looked at. Raises DamagedModel,
    or OSError when the file is there and cannot be read now.
    """
    if not sha256:
        raise _damaged(path, "has no recorded hash to verify it by")
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise _damaged(path, "is missing") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise _damaged(path, "is not the file that was written")
    try:
        return Model(ItemWeights(**_arrays(content)), _facts(content))
    except (SafetensorError, ValueError, KeyError, TypeError) as error:
        raise _damaged(path, "is not in the form of a model") from error


def _arrays(content: bytes) -> dict[str, NDArray[Any]]:
    arrays = load(content)
    for name, dtype in _DTYPES.items():
        if arrays[name].dtype != dtype:
            raise ValueError(f"{name} has the wrong type.")
    return {name: arrays[name] for name in _DTYPES}


def _facts(content: bytes) -> Facts:
    length = int.from_bytes(content[:_HEADER_LENGTH_BYTES], "little")
    header = json.loads(content[_HEADER_LENGTH_BYTES : _HEADER_LENGTH_BYTES + length])
    return Facts(**json.loads(header["__metadata__"]["facts"]))


def _replace(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
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
        f"The model file {path.name} {what}. It is not served: shelves fall back to editorial"
        " order. Train again to replace it."
    )
