"""The look after an erasure: is anything of the person left, in any store, in any writing?

Every table of the database, whoever made it, every file of the site, and every key of the broker
and the cache are searched for what could name the person: as it is, in any case, as JSON writes
it, in hexadecimal, in Base64 at each of its three offsets, and hashed.
"""

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import redis
from django.conf import settings
from django.db import connection

CHUNK_BYTES = 1 << 20
# Shorter ones are found everywhere.
SHORTEST_TOKEN = 6


class TokenTooShort(ValueError):
    """Something so short would be found by chance."""


@dataclass(frozen=True)
class Hit:
    """Where something was found. It never says what."""

    store: str
    place: str


@dataclass(frozen=True)
class Look:
    """What was searched, and what was found."""

    tables: int
    files: int
    keys: int
    hits: Sequence[Hit]


@dataclass(frozen=True)
class Forms:
    """The writings of some tokens. `exact` are those in which upper and lower case differ."""

    folded: frozenset[bytes]
    exact: frozenset[bytes]

    @property
    def longest(self) -> int:
        return max(map(len, (*self.folded, *self.exact)))

    def are_in(self, data: bytes) -> bool:
        """Whether one of them is in some bytes."""
        lower = data.lower()
        return any(form in lower for form in self.folded) or any(
            form in data for form in self.exact
        )


def forms_of(tokens: Iterable[str]) -> Forms:
    """Every writing of every token that is searched for. Raises `TokenTooShort`."""
    folded: set[bytes] = set()
    exact: set[bytes] = set()
    for token in tokens:
        if len(token.strip()) < SHORTEST_TOKEN:
            raise TokenTooShort(token)
        for text in {token, token.lower(), token.upper()}:
            raw = text.encode()
            folded |= {raw.lower(), json.dumps(text)[1:-1].encode().lower(), raw.hex().encode()}
            folded.add(quote(text, safe="").encode().lower())
            exact |= set(_base64(raw))
            for name in ("md5", "sha1", "sha256"):
                digest = hashlib.new(name, raw, usedforsecurity=False).digest()
                folded.add(digest.hex().encode())
                exact |= {digest, *_base64(digest)}
        if (number := _uuid(token)) is not None:
            folded |= {number.hex.encode(), str(number).encode()}
            exact |= {number.bytes, *_base64(number.bytes)}
    return Forms(frozenset(folded), frozenset(exact))


def look(tokens: Iterable[str]) -> Look:
    """Search everything for some tokens. Raises `TokenTooShort`."""
    forms = forms_of(tokens)
    tables, files = _tables(), list(_files())
    hits = [*_in_tables(tables, forms), *_in_files(files, forms)]
    keys, found = _in_valkey(forms)
    return Look(len(tables), len(files), keys, [*hits, *found])


def _base64(raw: bytes) -> Iterator[bytes]:
    """What Base64 makes of it wherever it stands in a longer text, in both alphabets."""
    for offset in range(3):
        coded = base64.b64encode(bytes(offset) + raw)
        # The characters at the ends also depend on what stands before and after.
        start = (0, 2, 3)[offset]
        end = len(coded) - (0, 3, 2)[(offset + len(raw)) % 3]
        core = coded[start:end].rstrip(b"=")
        yield core
        yield core.replace(b"+", b"-").replace(b"/", b"_")


def _uuid(token: str) -> UUID | None:
    try:
        return UUID(token)
    except ValueError:
        return None


def _tables() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        return [name for (name,) in cursor.fetchall()]


def _in_tables(tables: Sequence[str], forms: Forms) -> Iterator[Hit]:
    """By the text of whole rows, in which bytes are in hexadecimal."""
    folded = [form.decode() for form in forms.folded if _is_text(form)]
    folded += [form.hex() for form in (*forms.folded, *forms.exact)]
    exact = [form.decode() for form in forms.exact if _is_text(form)]
    for table in tables:
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT EXISTS (SELECT FROM (SELECT found::text AS row FROM {table} AS found) AS r"  # noqa: S608 (quoted by the server)
                " WHERE EXISTS (SELECT FROM unnest(%s::text[]) AS form"
                "               WHERE strpos(lower(row), form) > 0)"
                "    OR EXISTS (SELECT FROM unnest(%s::text[]) AS form"
                "               WHERE strpos(row, form) > 0))",
                [folded, exact],
            )
            if cursor.fetchone()[0]:
                yield Hit("database", table)


def _is_text(form: bytes) -> bool:
    try:
        return "\0" not in form.decode()
    except UnicodeDecodeError:
        return False


def _files() -> Iterator[Path]:
    folders = (
        settings.RELEASE_DIR,
        settings.MODEL_DIR,
        settings.MEDIA_ROOT,
        settings.ERASURE_FILE.parent,
        settings.LEDGER_CHECKPOINT_FILE.parent,
        *settings.RESIDUE_DIRS,
    )
    for folder in {Path(folder) for folder in folders}:
        if folder.exists():
            yield from (path for path in sorted(folder.rglob("*")) if path.is_file())


def _in_files(files: Sequence[Path], forms: Forms) -> Iterator[Hit]:
    for path in files:
        if forms.are_in(str(path).encode()) or _is_in_file(path, forms):
            yield Hit("files", f"{path.parent.name}/{path.name}")


def _is_in_file(path: Path, forms: Forms) -> bool:
    before = b""
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                if forms.are_in(before + chunk):
                    return True
                before = chunk[-forms.longest :]
    except FileNotFoundError:
        # An older release that went meanwhile.
        return False
    return False


def _in_valkey(forms: Forms) -> tuple[int, list[Hit]]:
    """How many keys there are in the broker and in the cache, and which of them hold something."""
    count, hits = 0, []
    for name, address in (("broker", settings.CELERY_BROKER_URL), ("cache", settings.CACHE_URL)):
        with redis.Redis.from_url(address.replace("redis+socket://", "unix://")) as client:
            for key in client.scan_iter(count=1000):
                count += 1
                if forms.are_in(key) or any(map(forms.are_in, _values(client, key))):
                    hits.append(Hit(name, key.decode(errors="replace")[:40]))
    return count, hits


def _values(client: "redis.Redis", key: bytes) -> list[bytes]:
    kind = _bytes(client.type(key))
    found: Iterable[bytes | str] = ()
    if kind == b"string":
        found = [client.get(key) or b""]
    elif kind == b"list":
        found = client.lrange(key, 0, -1)
    elif kind == b"hash":
        found = [part for pair in client.hgetall(key).items() for part in pair]
    elif kind == b"set":
        found = client.smembers(key)
    elif kind == b"zset":
        found = [member for member, _score in client.zscan_iter(key)]
    return [_bytes(value) for value in found]


def _bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
