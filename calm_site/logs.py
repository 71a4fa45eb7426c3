"""Log lines: one event, one line, whatever a name or a header contained (FAULTS input 45)."""

import logging
from types import TracebackType

ExceptionInfo = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)


def escape_controls(text: str) -> str:
    """`text` with line breaks and other control characters shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class OneLine(logging.Formatter):
    """`time level logger message`; the lines of a traceback, if any, follow after a bar."""

    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = escape_controls(record.message)
        return super().formatMessage(record)

    def formatException(self, ei: ExceptionInfo) -> str:  # noqa: N802
        lines = super().formatException(ei).splitlines()
        # PostgreSQL's details repeat the values of the row that failed.
        lines = [line for line in lines if not line.startswith(("DETAIL:", "CONTEXT:"))]
        return "\n".join(f"| {escape_controls(line)}" for line in lines)
