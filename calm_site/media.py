"""Uploaded audio, whole or in part: a player that seeks asks for byte ranges (RFC 9110, 14)."""

import re
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.exceptions import SuspiciousFileOperation
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    StreamingHttpResponse,
)
from django.utils._os import safe_join
from django.views.decorators.http import require_safe

# Said here, because what the system knows about suffixes differs and `nosniff` forbids guessing.
CONTENT_TYPES = {
    ".mp3": "audio/mpeg",
    ".m4a": "audio/mp4",
    ".ogg": "audio/ogg",
    ".opus": "audio/ogg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
}
MOST_PARTS = 5
CHUNK_BYTES = 64 * 1024
PART = re.compile("([0-9]{0,15})-([0-9]{0,15})")


class Unsatisfiable(Exception):
    """No byte of the file is asked for, or far too many parts of it."""


@require_safe
def media(request: HttpRequest, name: str) -> HttpResponseBase:
    """An editor's uploaded audio. Nothing personal is kept under MEDIA_ROOT."""
    path = _audio_file(name)
    stat = path.stat()
    tag = f'"{stat.st_mtime_ns:x}-{stat.st_size:x}"'
    asked = request.headers.get("Range", "") if request.method == "GET" else ""
    if request.headers.get("If-Range", tag) != tag:
        asked = ""
    try:
        part = byte_range(asked, size=stat.st_size)
    except Unsatisfiable:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{stat.st_size}"})
    response = _whole(path) if part is None else _part(path, part, size=stat.st_size)
    response["Accept-Ranges"] = "bytes"
    # Keeps the bytes as they are: a compressed part is not the part that was asked for.
    response["Content-Encoding"] = "identity"
    response["ETag"] = tag
    return response


def byte_range(header: str, *, size: int) -> range | None:
    """The bytes that a Range header asks for; None is the whole file.

    A few parts, and what cannot be read, are answered with the whole, as RFC 9110 allows.
    """
    unit, _equals, asked = header.partition("=")
    parts = asked.split(",")
    if unit.strip().lower() != "bytes":
        return None
    if len(parts) > MOST_PARTS:
        raise Unsatisfiable
    match = PART.fullmatch(parts[0].strip())
    if match is None or len(parts) > 1 or match.group() == "-":
        return None
    first, last = match.groups()
    if first and last and int(last) < int(first):
        return None
    start = int(first) if first else max(0, size - int(last))
    found = range(start, min(size, int(last) + 1) if first and last else size)
    if not found:
        raise Unsatisfiable
    return found


def _audio_file(name: str) -> Path:
    try:
        path = Path(safe_join(str(settings.MEDIA_ROOT), name))
        is_there = path.suffix.lower() in CONTENT_TYPES and path.is_file()
    except (SuspiciousFileOperation, OSError):
        # Outside of the folder, or longer than a name can be.
        is_there = False
    if not is_there:
        raise Http404
    return path


def _whole(path: Path) -> FileResponse:
    return FileResponse(path.open("rb"), content_type=CONTENT_TYPES[path.suffix.lower()])


def _part(path: Path, part: range, *, size: int) -> StreamingHttpResponse:
    return StreamingHttpResponse(
        _chunks(path, part),
        status=206,
        content_type=CONTENT_TYPES[path.suffix.lower()],
        headers={
            "Content-Range": f"bytes {part.start}-{part.stop - 1}/{size}",
            "Content-Length": str(len(part)),
        },
    )


def _chunks(path: Path, part: range) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(part.start)
        for start in range(part.start, part.stop, CHUNK_BYTES):
            yield file.read(min(CHUNK_BYTES, part.stop - start))
