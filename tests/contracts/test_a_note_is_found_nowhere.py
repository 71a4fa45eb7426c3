"""What somebody writes in a check-in can be read by them, and nowhere else: not in the database,
its files and its log of changes, the cache, the broker, or a log line.

Each place is shown to be searched by a canary that is planted there and found.
"""

import base64
import json
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest
from celery import current_app
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from redis import Redis

from privacy_center.models import Account
from recommendations.models import CheckIn, Practice, Topic
from recommendations.selectors.mood import words_of
from tests.conftest import wait_for, worker
from tests.recommendations.moods import PERSONALIZE, TRAIN, share_mood

NOTE = "Zwölf stille Möwen über dem Hafen 7391"
CANARY = "Drei laute Krähen am Acker 2846"


def forms_of(text: str) -> dict[str, bytes]:
    """The text in every form in which it could lie about."""
    raw = text.encode()
    in_json = json.dumps(text)[1:-1]
    forms = {
        "raw": raw,
        "JSON": in_json.encode(),
        "JSON, capitals": re.sub(
            r"\\u[0-9a-f]{4}", lambda found: r"\u" + found[0][2:].upper(), in_json
        ).encode(),
        "JSON in JSON": json.dumps(in_json)[1:-1].encode(),
        "hex": raw.hex().encode(),
        "HEX": raw.hex().upper().encode(),
        "UTF-16 LE": text.encode("utf-16-le"),
        "UTF-16 BE": text.encode("utf-16-be"),
        "latin-1": text.encode("latin-1"),
        "URL": quote(text).encode(),
        "form": quote(text).replace("%20", "+").encode(),
        "escaped": text.encode("unicode_escape"),
    }
    for skipped in range(3):
        # Without the characters that depend on what stands before and behind.
        encoded = base64.b64encode(bytes(skipped) + raw)
        forms[f"base64, {skipped}"] = encoded[-(-skipped * 4 // 3) : len(encoded) // 4 * 4 - 4]
    return forms


def _dump() -> Iterator[bytes]:
    """Every row of every table, as a dump writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT oid::regclass FROM pg_class WHERE relkind IN ('r', 'm')")
        tables = [row[0] for row in cursor.fetchall()]
        for table in tables:
            with cursor.copy(f"COPY (TABLE {table}) TO STDOUT") as copy:
                yield b"".join(bytes(block) for block in copy)


def _data_folder() -> Path:
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
        cursor.execute("SHOW data_directory")
        return Path(cursor.fetchone()[0])


def _files(folder: Path, *, without: Path | None = None) -> Iterator[bytes]:
    """What lies in the files of a folder; sockets and what goes meanwhile are passed over."""
    for path in folder.rglob("*"):
        if path.is_file() and not (without and path.is_relative_to(without)):
            try:
                yield path.read_bytes()
            except FileNotFoundError:
                continue


def _keys() -> Iterator[bytes]:
    """Every key and value of the cache and the broker."""
    for database in range(16):
        address = settings.CACHES["default"]["LOCATION"].replace("db=1", f"db={database}")
        with Redis.from_url(address) as valkey:
            for key in valkey.scan_iter():
                for part in (key, *_value(valkey, key)):
                    assert isinstance(part, bytes)
                    yield part


def _value(valkey: Redis, key: bytes | str) -> Iterable[object]:
    kind = valkey.type(key)
    if kind == b"string":
        return [valkey.get(key) or b""]
    if kind == b"list":
        return valkey.lrange(key, 0, -1)
    if kind == b"set":
        return valkey.smembers(key)
    if kind == b"zset":
        return valkey.zrange(key, 0, -1)
    return chain.from_iterable(valkey.hgetall(key).items())


PLACES: dict[str, Callable[[], Iterator[bytes]]] = {
    "the dump": _dump,
    "the heap": lambda: _files(_data_folder() / "base"),
    "the WAL": lambda: _files(_data_folder() / "pg_wal"),
    "the cache and the broker": _keys,
    # Logs, the broker's own file, and whatever else the site keeps.
    "the site's files": lambda: _files(Path(settings.VAR_DIR), without=_data_folder()),
}


def _found(text: str) -> dict[str, set[str]]:
    """In which places the text is, and in which forms."""
    found: dict[str, set[str]] = {place: set() for place in PLACES}
    forms = forms_of(text)
    for place, contents in PLACES.items():
        for content in contents():
            found[place] |= {name for name, form in forms.items() if form in content}
    return found


class Visitor:
    """Somebody who is signed in, before the real web server."""

    def __init__(self, address: str, account: Account) -> None:
        client = Client()
        client.force_login(account, backend="privacy_center.backend.AccountBackend")
        self.address = address
        self.session = client.cookies["session"].value

    def get(self, path: str) -> str:
        request = Request(f"{self.address}{path}")  # noqa: S310 (our own)
        request.add_header("Cookie", f"session={self.session}; csrftoken={'t' * 32}")
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            text: str = answer.read().decode()
            return text

    def post(self, path: str, **fields: object) -> str:
        body = urlencode(fields | {"csrfmiddlewaretoken": "t" * 32}, doseq=True)
        request = Request(f"{self.address}{path}", body.encode())  # noqa: S310 (our own)
        request.add_header("Cookie", f"session={self.session}; csrftoken={'t' * 32}")
        with urlopen(request, timeout=30) as answer:  # noqa: S310
            text: str = answer.read().decode()
            return text


def _said(**changes: object) -> dict[str, object]:
    answers = {"id": uuid4(), "valence": -1, "energy": 1, "labels": ["sad", "sore"], "note": NOTE}
    return answers | changes


def _plant(text: str) -> None:
    """Leave a text where the site's own work would: in a row, a cached value, a message to a
    worker, and, because no worker knows the task, in that worker's log."""
    Topic.objects.create(slug="canary", name=text)
    cache.set("canary", text)
    current_app.send_task("canary", args=[text], queue="nobody's")
    current_app.send_task("canary", args=[text], queue="default")


@pytest.mark.parametrize("before", [b"", b"1", b"12", b"123"])
@pytest.mark.parametrize("after", [b"", b"1", b"12"])
def test_the_search_knows_base64_wherever_the_text_stands_in_it(
    before: bytes, after: bytes
) -> None:
    encoded = base64.b64encode(before + NOTE.encode() + after)
    assert any(form in encoded for form in forms_of(NOTE).values())


@pytest.mark.django_db(transaction=True)
def test_input_46_a_note_is_found_nowhere(
    web_server: str, alice: Account, practice: Practice
) -> None:
    share_mood(alice, PERSONALIZE, TRAIN)
    visitor = Visitor(web_server, alice)
    with worker():
        _plant(CANARY)
        visitor.post("/mood/check-in/", **_said())
        visitor.post(f"/practices/{practice.slug}/check-in/", **_said(moment="before"))
        with pytest.raises(OSError, match="400"):
            visitor.post("/mood/check-in/", **_said(note=f"{NOTE} \u202e"))
        for page in ("/", f"/practices/{practice.slug}/", "/privacy/", "/api/v1/check-ins/"):
            visitor.get(page)
        assert NOTE in visitor.get("/mood/")
        wait_for(lambda: _found(CANARY)["the site's files"], what="the canary in a log")
        assert all(_found(CANARY).values()), "a place is not searched"
    kept = CheckIn.objects.all()
    assert [words.note for own in kept if (words := words_of(own))] == [NOTE, NOTE]
    assert not any(_found(NOTE).values())
    visitor.post("/mood/delete/")
    assert not any(_found(NOTE).values())
