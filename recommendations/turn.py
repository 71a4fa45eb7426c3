"""One trainer at a time: an advisory lock, and a fence for one that was thought dead and is not."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import F

from recommendations.models import ModelState

Clock = Callable[[], datetime]

# An arbitrary number that means "the trainer" among PostgreSQL's advisory locks.
TRAINER_LOCK = 7_201_001
# A trainer gives a sign of life between its steps. The longest, the attack on a candidate of 10,000
# practices, is about three inverses, of a minute each.
WEDGED_AFTER = timedelta(minutes=10)


class TurnIsOver(Exception):
    """Another trainer took over; this one changes nothing any more."""


@dataclass(frozen=True)
class Turn:
    """The right to train, until the next one is given out."""

    token: int
    clock: Clock

    def check(self) -> ModelState:
        """The state's row, held until the transaction ends; raises TurnIsOver."""
        state = ModelState.objects.select_for_update().get()
        if state.token != self.token:
            raise TurnIsOver
        return state

    def sign_of_life(self) -> None:
        """Say that this trainer is at work; raises TurnIsOver."""
        own = ModelState.objects.filter(token=self.token)
        if not own.update(seen_at=self.clock()):
            raise TurnIsOver


@contextmanager
def turn(clock: Clock) -> Iterator[Turn | None]:
    """The trainer's turn, or None while another one is at work. The lock ends with the connection,
    however that ends; one whose holder gave no sign of life for long is taken from it."""
    is_alone = _try_lock()
    if not is_alone and _is_wedged(clock()):
        _end_holder()
        is_alone = _try_lock()
    if not is_alone:
        yield None
        return
    try:
        yield _next_turn(clock)
    finally:
        _execute("SELECT pg_advisory_unlock(%s)")


def _next_turn(clock: Clock) -> Turn:
    ModelState.objects.get_or_create()
    ModelState.objects.update(token=F("token") + 1, seen_at=clock())
    return Turn(ModelState.objects.get().token, clock)


def _is_wedged(now: datetime) -> bool:
    return ModelState.objects.filter(seen_at__lt=now - WEDGED_AFTER).exists()


def _end_holder() -> None:
    """Its connection goes, and with it the lock; what it still writes is refused by the fence."""
    _execute(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks"
        " WHERE locktype = 'advisory' AND objid = %s AND granted"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )


def _try_lock() -> bool:
    return bool(_execute("SELECT pg_try_advisory_lock(%s)"))


def _execute(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement, [TRAINER_LOCK])
        row = cursor.fetchone()
    return row[0] if row else None
