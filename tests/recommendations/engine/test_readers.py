"""Files of `person practice practice …` lines, and errors that name the line."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recommendations.engine.readers import LineError, read_pairs


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "train.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def pairs(path: Path) -> list[tuple[int, int]]:
    read = read_pairs(path)
    return list(zip(read.people.tolist(), read.practices.tolist(), strict=True))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(0, 10**18 - 1), st.sets(st.integers(0, 10**12), max_size=5)),
        unique_by=lambda line: line[0],
    ),
    st.sampled_from(["\n", "\r\n", "\n\n", " \n"]),
)
def test_every_pair_is_read_in_the_order_of_the_file(
    tmp_path: Path, lines: list[tuple[int, set[int]]], ending: str
) -> None:
    text = "".join(" ".join(map(str, (person, *practices))) + ending for person, practices in lines)

    expected = [(person, practice) for person, practices in lines for practice in practices]
    assert pairs(written(tmp_path, text)) == expected


def test_the_last_line_needs_no_ending(tmp_path: Path) -> None:
    assert pairs(written(tmp_path, "3 4\n\n5\t6  7")) == [(3, 4), (5, 6), (5, 7)]


def test_an_empty_file_has_no_pairs(tmp_path: Path) -> None:
    assert pairs(written(tmp_path, "")) == []


def test_a_person_may_have_two_lines(tmp_path: Path) -> None:
    assert pairs(written(tmp_path, "1 2\n3 4\n1 5\n")) == [(1, 2), (3, 4), (1, 5)]


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("0 1\n1 two\n", 2, "only whole numbers"),
        ("0 1\n\n1 -2\n", 3, "only whole numbers"),
        ("0 1.5", 1, "only whole numbers"),
        ("0 1\n1 \x00\n", 2, "only whole numbers"),
        ("0 1\n1 ٣\n", 2, "only whole numbers"),
        (b"0 1\n\xff\xfe 2\n", 2, "only whole numbers"),
        (f"0 1\n1 {'9' * 19}\n", 2, "over 18 digits"),
        ("0 1\n1 5 6 5\n", 2, "named twice"),
        ("0 1\n1 5\n2 9\n0 7 1\n", 4, "named twice"),
    ],
)
def test_a_line_that_cannot_be_read_is_named(
    tmp_path: Path, text: str | bytes, line: int, reason: str
) -> None:
    with pytest.raises(LineError, match=reason) as error:
        read_pairs(written(tmp_path, text))
    assert error.value.line == line
    assert f"train.txt, line {line}:" in str(error.value)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_pairs(tmp_path / "nothing.txt")
