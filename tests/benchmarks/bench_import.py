"""Measure `import_listens` and one training run on MovieLens 1M (or a set of its size).

The limit is a bare COPY of the same rows, made beforehand, into a table without indexes. The
database is one of its own, as durable as the demo's.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from uuid import UUID, uuid4

import environ
import psycopg

from calm_site import embedded
from tests.recommendations.engine.movielens import movielens

MINIMUM_ROWS_PER_SECOND = 20_000
COLUMNS = ["uuid", "uuid", "uuid", "int8", "timestamptz", "int4", "int4", "float8"]
READ = """
SELECT id, subject_id, consent_id, practice_id, started_at, seconds, position, completion
FROM recommendations_listen
"""
GRANT = "listening:store,listening:personalize,listening:train"


class Row(NamedTuple):
    """A listen as it stands in the table."""

    id: UUID
    subject_id: UUID
    consent_id: UUID
    practice_id: int
    started_at: object
    seconds: int
    position: int
    completion: float


def main() -> int:
    """Print the table; returns the number of bars that were missed."""
    with tempfile.TemporaryDirectory(prefix="bench-import-") as folder:
        split = movielens(Path(folder), people=6040, practices=3260)
        print(f"Data: {'MovieLens 1M' if split.is_real else 'synthetic, of the size of ML-1M'}")
        with embedded.servers(Path(folder) / "var") as servers:
            os.environ |= {
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
                "STILLWATER_VAR": str(Path(folder) / "var"),
                "DEMO": "1",
            }
            manage("migrate", "--verbosity", "0")
            imported = manage(
                "import_listens", str(split.train), "--create-practices", "--grant", GRANT
            )
            rows = read_rows(servers.database_url)
            limit = bare_copy(servers.database_url, rows)
            trained = manage("train")
    rate, most = len(rows) / imported, len(rows) / limit
    print(f"\n{len(rows):,} listens:")
    print(f"  import_listens, start of the process included {imported:6.1f} s {rate:10,.0f} rows/s")
    print(f"  bare COPY into a table without indexes        {limit:6.1f} s {most:10,.0f} rows/s")
    print(f"  the import takes {imported / limit:.1f} times as long as the limit")
    print(f"  train, start of the process included          {trained:6.1f} s")
    if rate >= MINIMUM_ROWS_PER_SECOND:
        return 0
    print(f"MISSED: {rate:,.0f} rows/s imported, not {MINIMUM_ROWS_PER_SECOND:,}")
    return 1


def manage(*command: str) -> float:
    """Run a command as a person would; the seconds it took."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=embedded.ROOT,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.perf_counter() - began


def connected(url: str) -> psycopg.Connection:
    """A connection to the embedded database, whose URL is in Django's form."""
    found = environ.Env.db_url_config(url)
    return psycopg.connect(
        host=found["HOST"], port=found["PORT"], user=found["USER"], dbname=found["NAME"]
    )


def read_rows(url: str) -> list[Row]:
    """What the import stored, to be copied again."""
    with connected(url) as database:
        found = database.execute(READ)
        return [Row(*row) for row in found]


def bare_copy(url: str, rows: Sequence[Row]) -> float:
    """Seconds for the same rows by binary COPY, without index, trigger or check."""
    table = f"bare_{uuid4().hex}"
    columns = ", ".join(f"{name} {kind}" for name, kind in zip(Row._fields, COLUMNS, strict=True))
    with connected(url) as database, database.cursor() as cursor:
        cursor.execute(f"CREATE TABLE {table} ({columns})")
        database.commit()
        began = time.perf_counter()
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(COLUMNS)
            for row in rows:
                copy.write_row(row)
        database.commit()
        return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
