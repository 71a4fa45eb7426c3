"""The inverse that is kept: updated when a few people explain all that changed, else made anew."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from recommendations import item_inverse as module
from recommendations.engine.dtypes import IntegerMatrix
from recommendations.engine.gram_state import GramState, Vectors
from recommendations.engine.inverse import ItemInverse
from recommendations.item_inverse import PRACTICES_PER_UPDATE, item_inverse

SIZE = 120
# The last two are moods, as the columns of a release have them.
COLUMNS = np.array([*range(1, SIZE - 1), -1, -2], dtype=np.int64)
NOBODY = Vectors.none()
COMMON = np.zeros(SIZE, dtype=np.bool_)


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    module._kept = None
    yield
    module._kept = None


def _people(count: int, *, seed: int) -> Vectors:
    numbers = np.random.default_rng(seed)
    histories = [np.sort(numbers.choice(COLUMNS, size=9, replace=False)) for _ in range(count)]
    return Vectors(
        np.repeat(np.arange(count, dtype=np.int32), 9),
        np.concatenate(histories),
        numbers.integers(1, 4, size=9 * count).astype(np.uint8),
        count,
    )


def _matrix(people: Vectors) -> IntegerMatrix:
    state = GramState.of(people, column_ids=np.sort(COLUMNS))
    return state.part(COLUMNS)[0]


def _inverse(
    matrix: IntegerMatrix,
    changes: tuple[Vectors, Vectors] | None,
    *,
    is_rare: NDArray[np.bool_] = COMMON,
) -> ItemInverse:
    return item_inverse(
        matrix, regularization=30.0, column_ids=COLUMNS, is_rare=is_rare, changes=changes
    )


@pytest.fixture
def no_inversion(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How often a matrix was inverted, from the second time on."""
    original, times = ItemInverse.of, list[int]()

    def counted(matrix: IntegerMatrix, *, regularization: float) -> ItemInverse:
        times.append(len(matrix))
        return original(matrix, regularization=regularization)

    monkeypatch.setattr(ItemInverse, "of", counted)
    return times


def _one(people: Vectors, person: int) -> Vectors:
    own = people.people == person
    return Vectors(
        np.zeros(int(own.sum()), dtype=np.int32), people.columns[own], people.weights[own], 1
    )


def test_somebody_who_leaves_is_taken_out_by_an_update(no_inversion: list[int]) -> None:
    everybody = _people(40, seed=1)
    gone = _one(everybody, 7)
    before = _matrix(everybody)
    _inverse(before, None)
    after = before - _matrix(gone)
    found = _inverse(after, (gone, NOBODY))
    assert len(no_inversion) == 1
    expected = np.linalg.inv(after + 30.0 * np.eye(SIZE))
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)


def test_a_changed_vector_is_an_update_too(no_inversion: list[int]) -> None:
    everybody, other = _people(40, seed=1), _people(1, seed=2)
    old = _one(everybody, 3)
    before = _matrix(everybody)
    _inverse(before, None)
    after = before - _matrix(old) + _matrix(other)
    found = _inverse(after, (old, other))
    assert len(no_inversion) == 1
    expected = np.linalg.inv(after + 30.0 * np.eye(SIZE))
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)


def test_more_people_than_pay_are_inverted(no_inversion: list[int]) -> None:
    everybody = _people(40, seed=1)
    before = _matrix(everybody)
    _inverse(before, None)
    come = _people(SIZE // PRACTICES_PER_UPDATE + 1, seed=3)
    _inverse(before + _matrix(come), (NOBODY, come))
    assert len(no_inversion) == 2


def test_what_people_do_not_explain_is_inverted(no_inversion: list[int]) -> None:
    everybody = _people(40, seed=1)
    gone = _one(everybody, 7)
    before = _matrix(everybody)
    _inverse(before, None)
    after = before - _matrix(gone)
    after[0, 0] += 2
    found = _inverse(after, (gone, NOBODY))
    assert len(no_inversion) == 2
    expected = np.linalg.inv(after + 30.0 * np.eye(SIZE))
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)


def test_a_column_that_becomes_rare_is_inverted(no_inversion: list[int]) -> None:
    everybody = _people(40, seed=1)
    gone = _one(everybody, 7)
    before = _matrix(everybody)
    _inverse(before, None)
    is_rare = COMMON.copy()
    is_rare[np.argmax(before.diagonal())] = True
    after = module.without_rare(before - _matrix(gone), is_rare)
    found = _inverse(after, (gone, NOBODY), is_rare=is_rare)
    assert len(no_inversion) == 2
    expected = np.linalg.inv(after + 30.0 * np.eye(SIZE))
    np.testing.assert_allclose(found.matrix, expected, atol=1e-12)


def test_after_a_rebuild_it_is_inverted(no_inversion: list[int]) -> None:
    matrix = _matrix(_people(40, seed=1))
    _inverse(matrix, None)
    _inverse(matrix, None)
    assert len(no_inversion) == 2


def test_an_inverse_that_has_drifted_is_made_anew(
    no_inversion: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    everybody = _people(40, seed=1)
    gone = _one(everybody, 7)
    before = _matrix(everybody)
    _inverse(before, None)
    monkeypatch.setattr(ItemInverse, "residual", lambda self, matrix: 1e-3)
    _inverse(before - _matrix(gone), (gone, NOBODY))
    assert len(no_inversion) == 2
