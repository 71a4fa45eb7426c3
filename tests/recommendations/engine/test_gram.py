"""The Gram matrix is exact, and forgetting a person leaves no trace in it."""

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recommendations.engine import gram as module
from recommendations.engine.gram import content_gram, digest, gram
from recommendations.engine.interactions import Interactions
from tests.recommendations.engine.strategies import dense, interactions


def only(heard: Interactions, people: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Interactions:
    """The rows of some of the people."""
    rows = people[heard.people]
    return Interactions(
        heard.people[rows],
        heard.practices[rows],
        heard.weights[rows],
        heard.n_people,
        heard.n_practices,
    )


def ids(heard: Interactions) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(heard.n_practices, dtype=np.int64)


@given(interactions())
def test_gram_is_the_dense_product(heard: Interactions) -> None:
    expected = dense(heard).T @ dense(heard)

    assert gram(heard).dtype == np.int64
    assert np.array_equal(gram(heard), expected)


@given(interactions(), st.integers(1, 9), st.integers(1, 20))
def test_gram_does_not_depend_on_the_size_of_the_blocks(
    heard: Interactions, rows: int, cells: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_ROWS", rows)
        patch.setattr(module, "_BAND_CELLS", cells)
        in_blocks = gram(heard)

    assert np.array_equal(in_blocks, dense(heard).T @ dense(heard))


def test_gram_stays_exact_where_floats_would_round() -> None:
    weights = np.array([2**30 + 1, 2**30 - 1], dtype=np.int64)
    heard = Interactions.from_rows(
        [0, 0], practices=[0, 1], weights=weights, n_people=1, n_practices=2
    )

    assert int(gram(heard)[0, 1]) == 2**60 - 1


def test_gram_of_nobody_is_zero() -> None:
    nobody = Interactions.from_rows([], practices=[], n_people=0, n_practices=3)

    assert not gram(nobody).any()
    assert gram(nobody).shape == (3, 3)


@given(interactions(), st.integers(0, 7))
def test_subtracting_a_person_gives_the_digest_of_never_having_seen_them(
    heard: Interactions, number: int
) -> None:
    is_leaving = np.arange(heard.n_people) == number % heard.n_people
    remaining = gram(heard) - gram(only(heard, is_leaving))

    never_seen = gram(only(heard, ~is_leaving))
    assert digest(remaining, practice_ids=ids(heard)) == digest(never_seen, practice_ids=ids(heard))


@given(interactions())
def test_digest_changes_with_any_cell(heard: Interactions) -> None:
    matrix = gram(heard)
    before = digest(matrix, practice_ids=ids(heard))
    matrix[-1, 0] += 1

    assert digest(matrix, practice_ids=ids(heard)) != before


def test_digest_names_the_practices() -> None:
    matrix = np.eye(2, dtype=np.int64)

    one = digest(matrix, practice_ids=np.array([1, 2]))
    other = digest(matrix, practice_ids=np.array([1, 3]))
    assert one != other


def test_digest_does_not_depend_on_the_order_of_the_practices(rng: np.random.Generator) -> None:
    half = rng.integers(0, 9, size=(5, 5))
    matrix, practice_ids = half + half.T, np.array([40, 10, 30, 20, 50])
    shuffle = rng.permutation(5)

    expected = digest(matrix, practice_ids=practice_ids)
    shuffled = digest(matrix[np.ix_(shuffle, shuffle)], practice_ids=practice_ids[shuffle])
    assert shuffled == expected


def test_digest_of_a_known_matrix_stays_what_it_is() -> None:
    # The digest is published with releases: its byte form must never change unnoticed.
    matrix = np.array([[2, 1], [1, 3]], dtype=np.int64)
    canonical = b"gram 1 2\n" + struct.pack("<2q", 7, 9) + struct.pack("<4q", 2, 1, 1, 3)

    expected = hashlib.sha256(canonical).hexdigest()
    assert digest(matrix, practice_ids=np.array([7, 9])) == expected


def test_digest_wants_one_id_per_row() -> None:
    with pytest.raises(ValueError, match="one row and one column per practice id"):
        digest(np.eye(2, dtype=np.int64), practice_ids=np.array([1]))


@given(st.lists(st.sets(st.integers(0, 5)), max_size=6), st.integers(0, 50))
def test_content_enters_as_people_who_heard_every_practice_with_a_tag(
    tags: list[set[int]], weight: int
) -> None:
    rows = np.zeros((len(tags), 6), dtype=np.int64)
    for row, tag in zip(rows, tags, strict=True):
        row[list(tag)] = 1

    arrays = [np.array(sorted(tag), dtype=np.int32) for tag in tags]
    content = content_gram(arrays, weight=weight, n_practices=6)
    assert np.array_equal(content, weight * rows.T @ rows)


def test_content_of_negative_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        content_gram([], weight=-1, n_practices=2)
