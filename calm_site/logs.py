"""Log lines: one event, one line, whatever a name or a header contained (FAULTS input 45)."""

import logging


def escape_controls(text: str) -> str:
    """`text` with line breaks and other control characters shown as escapes."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class OneLine(logging.Formatter):
    """`time level logger message`; a traceback, if any, follows as it is."""

    default_msec_format = "%s.%03dZ"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = escape_controls(record.message)
        return super().formatMessage(record)
