"""The Gram matrix is exact, and forgetting a person leaves no trace in it."""

import hashlib
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recommendations.engine import gram as module
from recommendations.engine.gram import add_vectors, content_gram, digest, gram
from recommendations.engine.interactions import Interactions
from tests.recommendations.engine.populations import clustered, only
from tests.recommendations.engine.strategies import dense, interactions


def ids(heard: Interactions) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.arange(heard.n_practices, dtype=np.int64)


@settings(deadline=None)
@given(interactions())
def test_gram_is_the_dense_product(heard: Interactions) -> None:
    expected = dense(heard).T @ dense(heard)

    assert gram(heard).dtype == np.int64
    assert np.array_equal(gram(heard), expected)


@settings(deadline=None)
@given(interactions(), st.integers(1, 9), st.integers(1, 20), st.integers(1, 9))
def test_gram_does_not_depend_on_the_size_of_the_blocks(
    heard: Interactions, rows: int, cells: int, bands: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_ROWS", rows)
        patch.setattr(module, "_BANDS", bands)
        patch.setattr(module, "_BAND_CELLS", cells)
        in_blocks = gram(heard)

    assert np.array_equal(in_blocks, dense(heard).T @ dense(heard))


def test_gram_stays_exact_where_floats_would_round() -> None:
    weights = np.array([2**30 + 1, 2**30 - 1], dtype=np.int64)
    heard = Interactions.from_rows(
        [0, 0], practices=[0, 1], weights=weights, n_people=1, n_practices=2
    )

    assert int(gram(heard)[0, 1]) == 2**60 - 1


@pytest.mark.parametrize("weight", [23170, 23171, 32767])
def test_gram_is_exact_on_both_sides_of_what_fits_into_32_bits(weight: int) -> None:
    # Four times 23170² is just below 2³¹, four times 23171² just above it.
    heard = Interactions.from_rows(
        [0, 1, 2, 3],
        practices=[1] * 4,
        weights=np.full(4, weight, dtype=np.int16),
        n_people=4,
        n_practices=2,
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_ROWS", 4)
        assert gram(heard).tolist() == [[0, 0], [0, 4 * weight**2]]


def test_weights_whose_products_do_not_fit_into_64_bits_are_refused() -> None:
    weights = np.array([-(2**31), 2**31], dtype=np.int64)
    heard = Interactions.from_rows(
        [0, 1], practices=[0, 0], weights=weights, n_people=2, n_practices=1
    )

    with pytest.raises(ValueError, match="do not fit into 64 bits"):
        gram(heard)


def test_gram_of_a_catalog_that_takes_several_blocks_and_threads(rng: np.random.Generator) -> None:
    heard = clustered(rng, people=700, practices=330)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_BLOCK_ROWS", 1000)
        in_blocks = gram(heard)

    assert np.array_equal(in_blocks, dense(heard).T @ dense(heard))


def test_gram_of_nobody_is_zero() -> None:
    nobody = Interactions.from_rows([], practices=[], n_people=0, n_practices=3)

    assert not gram(nobody).any()
    assert gram(nobody).shape == (3, 3)


@settings(deadline=None)
@given(interactions(), st.integers(0, 7))
def test_subtracting_a_person_gives_the_digest_of_never_having_seen_them(
    heard: Interactions, number: int
) -> None:
    is_leaving = np.arange(heard.n_people) == number % heard.n_people
    remaining = gram(heard) - gram(only(heard, is_leaving))

    never_seen = gram(only(heard, ~is_leaving))
    assert digest(remaining, column_ids=ids(heard)) == digest(never_seen, column_ids=ids(heard))


@settings(deadline=None)
@given(interactions())
def test_digest_changes_with_any_cell(heard: Interactions) -> None:
    matrix = gram(heard)
    before = digest(matrix, column_ids=ids(heard))
    matrix[-1, 0] += 1

    assert digest(matrix, column_ids=ids(heard)) != before


def test_digest_names_the_practices() -> None:
    matrix = np.eye(2, dtype=np.int64)

    one = digest(matrix, column_ids=np.array([1, 2]))
    other = digest(matrix, column_ids=np.array([1, 3]))
    assert one != other


def test_digest_does_not_depend_on_the_order_of_the_practices(rng: np.random.Generator) -> None:
    half = rng.integers(0, 9, size=(5, 5))
    matrix, column_ids = half + half.T, np.array([40, 10, 30, 20, 50])
    shuffle = rng.permutation(5)

    expected = digest(matrix, column_ids=column_ids)
    shuffled = digest(matrix[np.ix_(shuffle, shuffle)], column_ids=column_ids[shuffle])
    assert shuffled == expected


def test_a_practice_that_nobody_carries_does_not_show_in_the_digest() -> None:
    matrix = np.array([[2, 0, 1], [0, 0, 0], [1, 0, 3]], dtype=np.int64)

    without = digest(matrix[np.ix_([0, 2], [0, 2])], column_ids=np.array([7, 9]))
    assert digest(matrix, column_ids=np.array([7, 8, 9])) == without
    assert digest(np.zeros((3, 3), np.int64), column_ids=np.array([1, 2, 3])) == digest(
        np.zeros((0, 0), np.int64), column_ids=np.empty(0, dtype=np.int64)
    )


@pytest.mark.parametrize("cell", [(0, 1), (1, 0), (1, 1), (1, 2), (2, 1)])
def test_damage_in_an_empty_column_shows_in_the_digest(cell: tuple[int, int]) -> None:
    matrix = np.array([[2, 0, 1], [0, 0, 0], [1, 0, 3]], dtype=np.int64)
    whole = digest(matrix, column_ids=np.array([7, 8, 9]))
    matrix[cell] = 1

    assert digest(matrix, column_ids=np.array([7, 8, 9])) != whole


def test_digest_of_a_known_matrix_stays_what_it_is() -> None:
    # The digest is published with releases: its byte form must never change unnoticed.
    matrix = np.array([[2, 1], [1, 3]], dtype=np.int64)
    canonical = b"gram 2 2\n" + struct.pack("<2q", 7, 9) + struct.pack("<4q", 2, 1, 1, 3)

    expected = hashlib.sha256(canonical).hexdigest()
    assert digest(matrix, column_ids=np.array([7, 9])) == expected


def test_digest_wants_one_id_per_row() -> None:
    with pytest.raises(ValueError, match="one row and one column per id"):
        digest(np.eye(2, dtype=np.int64), column_ids=np.array([1]))


@settings(deadline=None)
@given(interactions(), st.integers(1, 255))
def test_people_are_learned_and_forgotten_in_place_to_the_last_bit(
    heard: Interactions, number: int
) -> None:
    is_chosen = np.arange(heard.n_people) % 3 == number % 3
    total = gram(only(heard, ~is_chosen))
    add_vectors(total, only(heard, is_chosen), sign=1)
    assert np.array_equal(total, gram(heard))

    add_vectors(total, only(heard, is_chosen), sign=-1)
    assert np.array_equal(total, gram(only(heard, ~is_chosen)))


def test_adding_is_exact_where_small_weights_overflow_their_own_type() -> None:
    heard = Interactions.from_rows(
        [0, 0],
        practices=[0, 1],
        weights=np.array([255, 254], dtype=np.uint8),
        n_people=1,
        n_practices=2,
    )
    total = np.zeros((2, 2), dtype=np.int64)
    add_vectors(total, heard, sign=-1)

    assert total.tolist() == [[-(255**2), -255 * 254], [-255 * 254, -(254**2)]]


def test_adding_wants_a_matrix_of_the_catalog_and_a_sign() -> None:
    nobody = Interactions.from_rows([], practices=[], n_people=0, n_practices=3)

    with pytest.raises(ValueError, match="one row and one column per practice"):
        add_vectors(np.zeros((2, 2), dtype=np.int64), nobody, sign=1)
    with pytest.raises(ValueError, match="to learn or -1 to forget"):
        add_vectors(np.zeros((3, 3), dtype=np.int64), nobody, sign=2)


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
