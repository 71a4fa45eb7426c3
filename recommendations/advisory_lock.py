"""Work that only one process does at a time, wherever it runs."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection


@contextmanager
def alone_with(work: str) -> Iterator[bool]:
    """Whether nobody else is at this work: a PostgreSQL advisory lock of its name, which ends with
    the connection, however that ends."""
    key = int.from_bytes(hashlib.sha256(work.encode()).digest()[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])
