"""A zip archive sent while it is made: it is never in memory, or on the disk, as a whole."""

import stat
from collections.abc import Iterable, Iterator
from datetime import datetime
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo


class _Sink:
    """What `ZipFile` has written since it was last asked."""

    def __init__(self) -> None:
        self._written = bytearray()

    def write(self, data: bytes) -> int:
        self._written += data
        return len(data)

    def flush(self) -> None:
        """Nothing waits anywhere else."""

    def close(self) -> None:
        """Nothing to close."""

    def take(self) -> bytes:
        data = bytes(self._written)
        self._written.clear()
        return data


def zip_stream(files: Iterable[tuple[str, bytes]], *, at: datetime) -> Iterator[bytes]:
    """The archive of named files, piece by piece; each file is made when it is its turn."""
    sink = _Sink()
    with ZipFile(sink, "w", ZIP_DEFLATED) as archive:
        for name, data in files:
            info = ZipInfo(name, at.timetuple()[:6])
            info.compress_type = ZIP_DEFLATED
            info.external_attr = (stat.S_IFREG | 0o600) << 16
            archive.writestr(info, data)
            yield sink.take()
    yield sink.take()
