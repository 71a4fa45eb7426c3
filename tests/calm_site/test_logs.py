"""Log lines: one event, one line; and nobody is named in them."""

import io
import logging
import re
from collections.abc import Callable, Iterator

import pytest
from django.core import mail
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from calm_site.logs import OneLine
from privacy_center.models import Account
from recommendations.models import Practice
from tests.conftest import NOW, PASSWORD, choose

ENTRY = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z (DEBUG|INFO|WARNING|ERROR) \S+ .*")


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that the site logs meanwhile, at every level, as its log has it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(OneLine())
    root = logging.getLogger()
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)


def _formatted(message: str, *args: object, error: Exception | None = None) -> str:
    exc_info = (type(error), error, None) if error else None
    record = logging.LogRecord("site", logging.ERROR, "", 0, message, args, exc_info)
    return OneLine().format(record)


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x1c", "\x85", "\u2028", "\u2029"])
def test_input_45_a_line_break_in_a_name_is_one_escaped_line(end: str) -> None:
    forged = f"rain{end}2026-01-01 00:00:00.000Z ERROR site forged"
    line = _formatted("the name is %s", forged)
    assert line.splitlines() == [line]
    assert repr(end)[1:-1] in line


@given(st.text())
def test_input_45_no_name_makes_a_second_line(name: str) -> None:
    line = _formatted("the name is %s", name)
    assert len(line.splitlines()) == 1
    assert ENTRY.fullmatch(line)


def test_control_characters_cannot_reach_a_terminal() -> None:
    assert "\x1b" not in _formatted("%s", "\x1b[2Jgone")


def test_input_45_an_error_cannot_forge_an_entry() -> None:
    forged = "2026-01-01 00:00:00.000Z ERROR site forged"
    text = _formatted("it broke", error=ValueError(f"bad name\n{forged}\r{forged}"))
    entries = [line for line in re.split("[\r\n]", text) if ENTRY.fullmatch(line)]
    assert entries == [text.splitlines()[0]]
    assert all(line.startswith("| ") for line in text.splitlines()[1:])


def test_input_45_an_address_with_line_breaks_stays_on_one_line(
    db: None, log: io.StringIO, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "django.request")
    Client().get("/nowhere/%0d%0a2026-01-01%20ERROR%20forged")
    lines = [line for line in log.getvalue().splitlines() if "forged" in line]
    assert len(lines) == 1
    assert r"\r\n2026-01-01" in lines[0]


def test_nobody_is_named_in_the_log(
    alice: Account,
    practice: Practice,
    log: io.StringIO,
    caplog: pytest.LogCaptureFixture,
    signed_in: Callable[[Account], Client],
) -> None:
    for name in ("", "django.request", "django.security", "axes", "allauth"):
        caplog.set_level(logging.INFO, name)
    choose(alice, "community")
    guest, client = Client(), signed_in(alice)
    for password in (*["wrong-password"] * 7, PASSWORD):
        guest.post("/accounts/login/", {"login": alice.email, "password": password})
    new = {"email": "dora@example.org", "password1": "by-the-still-water", "age": "44"}
    guest.post("/accounts/signup/", {**new, "region": "FI"})
    guest.post("/accounts/password/reset/", {"email": alice.email})
    client.post(f"/practices/{practice.slug}/rating/", {"value": "1"})
    client.post(f"/practices/{practice.slug}/favorite/")
    client.get("/practices/", {"q": "my secret worry"})
    client.post(
        "/api/v1/listens/", {"listens": [{"started_at": NOW.isoformat()}]}, "application/json"
    )
    client.post("/privacy/preset/", {"preset": "just-listening"})
    logging.getLogger("site").info("the end")
    text = log.getvalue()
    assert "the end" in text
    assert mail.outbox
    subject = str(alice.subject.id)
    for secret in ("alice", "dora", subject, PASSWORD, "wrong-password", "worry", "127.0.0.1"):
        assert secret not in text, text
