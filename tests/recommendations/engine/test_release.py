"""Model files are whole, verified before use, mapped, read-only, and never pickled."""

import gc
import hashlib
import json
import os
import pickle
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import save

from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import (
    DamagedModel,
    Facts,
    Model,
    read_model,
    write_model,
)

FACTS = Facts(
    algorithm="ease",
    regularization=1000.0,
    gram_digest="ab" * 32,
    people=41,
    interactions=977,
    metrics={"ndcg@10": 0.43},
)


def model(facts: Facts = FACTS) -> Model:
    items = ItemWeights(
        practice_ids=np.array([7, 9, 11], dtype=np.int64),
        neighbors=np.array([[1, 2], [0, 2], [0, 1], [2, 0]], dtype=np.int32),
        weights=np.array([[0.5, -0.25], [1, 0], [0, 3], [2, -1]], dtype=np.float32),
        people_per_practice=np.array([3, 0, 20], dtype=np.int64),
        context_ids=np.array([-1], dtype=np.int64),
    )
    return Model(items, facts)


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.sprung),)


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_comes_back_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    written = model()
    sha256 = write_model(path, written)

    read = read_model(path, sha256=sha256)
    assert read.facts == FACTS
    for name in ("practice_ids", "neighbors", "weights", "people_per_practice", "context_ids"):
        one, other = getattr(read.items, name), getattr(written.items, name)
        assert np.array_equal(one, other)
        assert one.dtype == other.dtype


def test_the_returned_hash_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"

    assert write_model(path, model()) == hash_of(path)


def test_the_same_model_is_the_same_file(tmp_path: Path) -> None:
    first = write_model(tmp_path / "first", model())

    assert write_model(tmp_path / "second", model()) == first


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_fault_25_a_flipped_bit_anywhere_is_noticed(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "model.safetensors"
    sha256 = write_model(path, model())
    content = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)

    with pytest.raises(DamagedModel, match="is not the file that was written"):
        read_model(path, sha256=sha256)


def test_fault_25_a_shortened_file_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    sha256 = write_model(path, model())
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(DamagedModel, match="fall back to editorial order"):
        read_model(path, sha256=sha256)


def test_a_missing_file_is_a_damaged_model(tmp_path: Path) -> None:
    with pytest.raises(DamagedModel, match="is missing"):
        read_model(tmp_path / "nothing", sha256="ab" * 32)


def test_input_44_an_unsigned_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, model())

    with pytest.raises(DamagedModel, match="has no recorded hash"):
        read_model(path, sha256="")


@pytest.mark.parametrize("sha256", ["é", "00"])
def test_input_44_a_file_with_another_hash_is_refused(tmp_path: Path, sha256: str) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, model())

    with pytest.raises(DamagedModel, match="is not the file that was written"):
        read_model(path, sha256=sha256)


def test_input_44_a_pickled_file_is_refused_and_never_unpickled(tmp_path: Path) -> None:
    path, sprung = tmp_path / "model.safetensors", tmp_path / "sprung"
    path.write_bytes(pickle.dumps(Trap(sprung)))

    with pytest.raises(DamagedModel, match="is not in the form of a model"):
        read_model(path, sha256=hash_of(path))
    assert not sprung.exists()


ARRAYS: dict[str, NDArray[Any]] = {
    "practice_ids": np.zeros(2, dtype=np.int64),
    "neighbors": np.zeros((2, 1), dtype=np.int32),
    "weights": np.zeros((2, 1), dtype=np.float32),
    "people_per_practice": np.zeros(2, dtype=np.int64),
    "context_ids": np.zeros(0, dtype=np.int64),
}
NO_FACTS: dict[str, str] = {}
WHOLE_FACTS = {
    "facts": '{"algorithm": "ease", "regularization": 1, "gram_digest": "", "people": 1,'
    ' "interactions": 1}'
}


def test_the_arrays_and_facts_that_the_next_test_spoils_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(save(ARRAYS, metadata=WHOLE_FACTS))

    assert read_model(path, sha256=hash_of(path)).facts.people == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff" * 64,
        save(ARRAYS, metadata=NO_FACTS),
        save(ARRAYS, metadata={"facts": "not JSON"}),
        save(ARRAYS, metadata={"facts": "null"}),
        save(ARRAYS, metadata={"facts": "{}"}),
        save({**ARRAYS, "weights": np.zeros((2, 1), dtype=np.float64)}, metadata=WHOLE_FACTS),
        save({**ARRAYS, "neighbors": np.full((2, 1), 2, dtype=np.int32)}, metadata=WHOLE_FACTS),
        save({"weights": ARRAYS["weights"]}, metadata=WHOLE_FACTS),
    ],
)
def test_input_44_a_file_of_another_form_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)

    with pytest.raises(DamagedModel, match="is not in the form of a model"):
        read_model(path, sha256=hash_of(path))


def laid_out(spoiled: dict[str, object], *, data: bytes = bytes(64)) -> bytes:
    """A file whose header says of `weights` what the test wants; the other arrays are in order."""
    entries: dict[str, object] = {
        "practice_ids": {"dtype": "I64", "shape": [1], "data_offsets": [0, 8]},
        "people_per_practice": {"dtype": "I64", "shape": [1], "data_offsets": [8, 16]},
        "context_ids": {"dtype": "I64", "shape": [0], "data_offsets": [16, 16]},
        "neighbors": {"dtype": "I32", "shape": [1, 2], "data_offsets": [16, 24]},
        "weights": {"dtype": "F32", "shape": [1, 2], "data_offsets": [24, 32], **spoiled},
        "__metadata__": WHOLE_FACTS,
    }
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data


def test_the_layout_that_the_next_test_spoils_is_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(laid_out({}))

    assert read_model(path, sha256=hash_of(path)).items.weights.shape == (1, 2)


@pytest.mark.parametrize(
    "spoiled",
    [
        {"data_offsets": [60, 68]},
        {"data_offsets": [-8, 0]},
        {"data_offsets": [32, 24]},
        {"data_offsets": [24, 28]},
        {"data_offsets": [26, 34]},
        {"data_offsets": [24]},
        {"shape": [2, 1]},
        {"shape": [2]},
        {"shape": [-1, -2]},
        {"shape": [1, 2, 1]},
        {"shape": [2**62, 2**62]},
        {"dtype": "I32"},
        {"dtype": "F64"},
    ],
)
def test_input_44_arrays_that_are_not_where_the_header_says_are_refused(
    tmp_path: Path, spoiled: dict[str, object]
) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(laid_out(spoiled))

    with pytest.raises(DamagedModel, match="is not in the form of a model"):
        read_model(path, sha256=hash_of(path))


def test_input_44_a_header_longer_than_the_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes((2**63).to_bytes(8, "little") + b"{}")

    with pytest.raises(DamagedModel, match="is not in the form of a model"):
        read_model(path, sha256=hash_of(path))


def mapped(path: Path) -> bool:
    """Whether this process maps the file, by the kernel's word."""
    return str(path) in Path("/proc/self/maps").read_text()


def test_arrays_are_read_only_views_of_the_file_and_go_with_the_model(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    read = read_model(path, sha256=write_model(path, model()))

    assert mapped(path)
    for name in ("practice_ids", "neighbors", "weights", "people_per_practice", "context_ids"):
        array = getattr(read.items, name)
        assert not array.flags.owndata
        assert array.flags.aligned
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    del read, array
    gc.collect()
    assert not mapped(path)


def test_a_file_can_be_written_by_nobody(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, model())

    assert stat.S_IMODE(path.stat().st_mode) == 0o444


def test_a_model_outlives_the_name_of_its_file_and_what_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    read = read_model(path, sha256=write_model(path, model()))
    weights = read.items.weights.tolist()

    write_model(path, Model(replace(model().items, weights=-model().items.weights), FACTS))
    assert read.items.weights.tolist() == weights
    path.unlink()
    assert read.items.weights.tolist() == weights


def test_a_full_disk_leaves_the_former_model_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "model.safetensors"
    former = write_model(path, model())

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    other = Facts("ease", 1.0, "", 1, 1)
    with pytest.raises(OSError, match="No space left"):
        write_model(path, model(other))
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]
    assert read_model(path, sha256=former).facts == FACTS


def test_a_model_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    write_model(path, model())
    with path.open("rb") as reader:
        before = reader.read()
        sha256 = write_model(path, model(Facts("ease", 1.0, "", 1, 1)))
        reader.seek(0)
        assert reader.read() == before

    assert read_model(path, sha256=sha256).facts.regularization == 1.0
    assert [entry.name for entry in tmp_path.iterdir()] == ["model.safetensors"]
