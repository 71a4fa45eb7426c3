"""Uploaded audio: whole, in parts, and never anything else."""

import hashlib
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import assume, given
from hypothesis import strategies as st
from pytest_django import Settings

from calm_site.media import CONTENT_TYPES, Unsatisfiable, byte_range
from recommendations.models.practice import AUDIO_SUFFIXES
from tests.answer import Answer

SOUND = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(6250))  # 200,000 bytes
SIZE = len(SOUND)


@pytest.fixture(autouse=True)
def media_root(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    folder = tmp_path / "media" / "audio"
    folder.mkdir(parents=True)
    (folder / "bowl.mp3").write_bytes(SOUND)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "page.html").write_text("<script>")
    (tmp_path / "secret.mp3").write_bytes(b"secret")
    return folder


def _get(asked: str | None = None, **headers: str) -> Answer:
    if asked is not None:
        headers["range"] = asked
    return Client().get("/media/audio/bowl.mp3", headers=headers)


def _body(answer: Answer) -> bytes:
    return answer.getvalue()


def test_a_file_is_sent_whole_and_says_that_parts_can_be_asked_for() -> None:
    answer = _get()
    assert answer.status_code == 200
    assert _body(answer) == SOUND
    assert answer["Content-Type"] == "audio/mpeg"
    assert answer["Content-Length"] == str(SIZE)
    assert answer["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [
        ("bytes=0-", 0, SIZE - 1),
        ("bytes=0-0", 0, 0),
        ("bytes=100-199", 100, 199),
        ("Bytes=100-199", 100, 199),
        ("bytes= 100-199 ", 100, 199),
        ("bytes=150000-", 150_000, SIZE - 1),
        (f"bytes=5-{10**14}", 5, SIZE - 1),
        ("bytes=-10", SIZE - 10, SIZE - 1),
        (f"bytes=-{10**14}", 0, SIZE - 1),
    ],
)
def test_one_part_is_206_with_exactly_its_bytes(asked: str, first: int, last: int) -> None:
    answer = _get(asked)
    assert answer.status_code == 206
    assert answer["Content-Range"] == f"bytes {first}-{last}/{SIZE}"
    assert answer["Content-Length"] == str(last - first + 1)
    assert answer["Content-Type"] == "audio/mpeg"
    assert _body(answer) == SOUND[first : last + 1]


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={10**14}-", "bytes=-0"])
def test_a_part_beyond_the_end_is_416_with_the_size(asked: str) -> None:
    answer = _get(asked)
    assert answer.status_code == 416
    assert answer["Content-Range"] == f"bytes */{SIZE}"
    assert _body(answer) == b""


@pytest.mark.parametrize("parts", [6, 1_000])
def test_input_49_a_range_of_many_parts_is_416(parts: int) -> None:
    assert _get("bytes=" + ",".join(f"{n}-{n}" for n in range(parts))).status_code == 416


@pytest.mark.parametrize(
    "asked",
    [
        "bytes=0-1,5-6", "bytes=", "bytes=-", "bytes=a-b", "bytes=5-1", "bytes=1-2-3", "bytes=٣-٤",
        f"bytes={'9' * 5000}-", "items=0-1", "bytes", "",
    ],
)  # fmt: skip
def test_a_range_of_few_parts_or_that_cannot_be_read_is_answered_whole(asked: str) -> None:
    answer = _get(asked)
    assert answer.status_code == 200
    assert _body(answer) == SOUND


def test_a_part_of_what_has_changed_since_is_answered_whole(media_root: Path) -> None:
    tag = _get()["ETag"]
    assert _get("bytes=0-9", **{"if-range": tag}).status_code == 206
    (media_root / "bowl.mp3").write_bytes(SOUND + b"more")
    answer = _get("bytes=0-9", **{"if-range": tag})
    assert answer.status_code == 200
    assert _body(answer) == SOUND + b"more"


def test_an_empty_file_has_no_parts() -> None:
    client = Client()
    assert client.get("/media/audio/empty.wav").status_code == 200
    answer = client.get("/media/audio/empty.wav", headers={"range": "bytes=0-"})
    assert answer.status_code == 416


@pytest.mark.parametrize(
    "name",
    [
        "audio/none.mp3", "audio/", "audio", "", "audio/page.html", "../secret.mp3",
        "%2e%2e/secret.mp3", "audio/../../secret.mp3", "/etc/passwd", "a" * 300 + ".mp3",
        "a/" * 3000 + "b.mp3",
    ],
)  # fmt: skip
def test_whatever_is_not_uploaded_audio_is_404(name: str) -> None:
    assert Client().get(f"/media/{name}").status_code == 404


def test_nothing_is_written_to_media() -> None:
    for method in ("POST", "PUT", "DELETE"):
        assert Client().generic(method, "/media/audio/bowl.mp3").status_code == 405


def test_every_suffix_that_can_be_uploaded_can_be_served() -> None:
    assert set(CONTENT_TYPES) == set(AUDIO_SUFFIXES)


@given(header=st.text(), size=st.integers(0, 10**6))
def test_no_header_breaks_a_range(header: str, size: int) -> None:
    for text in (header, f"bytes={header}"):
        try:
            part = byte_range(text, size=size)
        except Unsatisfiable:
            continue
        assert part is None or (part and 0 <= part.start < part.stop <= size)


@given(st.integers(0, 3000), st.integers(0, 3000), st.integers(1, 2000))
def test_a_range_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    assume(first <= last and first < size)
    expected = range(size)[first : last + 1]
    assert byte_range(f"bytes={first}-{last}", size=size) == expected
