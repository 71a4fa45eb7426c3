"""Work on a connection of its own, beside the test: how two people meet in the database."""

import threading
from collections.abc import Callable

from django.db import connection

from tests.conftest import wait_for

SECONDS = 30.0

# Not pg_stat_activity, which shows one transaction the same picture throughout.
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class Apart:
    """Something that runs in a thread with its own database connection."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            self._error = error
        finally:
            connection.close()

    def error(self) -> Exception | None:
        """How it ended: None if all went well. An AssertionError if it did not end."""
        self._thread.join(SECONDS)
        assert not self._thread.is_alive(), f"it still runs after {SECONDS:.0f} s"
        return self._error


def apart(work: Callable[[], object]) -> Apart:
    """Start it now."""
    return Apart(work)


def until_one_waits_for_a_lock() -> None:
    """Return once a session of this database waits for another one."""
    wait_for(_one_waits, what="waiting for a lock", seconds=SECONDS)


def _one_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_WAITING)
        return bool(cursor.fetchone()[0])
