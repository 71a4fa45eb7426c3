"""What a page is made of for somebody: what is served, what they agreed to, and what they did."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from privacy_center.interface import Person, Purpose
from recommendations.models import Energy, Mood, Valence
from recommendations.selectors.listening import Habit
from recommendations.selectors.mood import SHAPES_FOR, LastCheckIn
from recommendations.selectors.release import Served, overdue_at
from recommendations.weights import HEARD_FROM, WHOLE_FROM


@dataclass(frozen=True)
class Behavior:
    """`history` is by practice, the one heard last first; `hidden` are practices that the person
    does not want on a shelf. Each part is empty without a live yes to what it is for."""

    history: Sequence[Habit] = ()
    hidden: Set[int] = frozenset()
    check_in: LastCheckIn | None = None


@dataclass(frozen=True)
class ServedTo:
    """What a page is made of for somebody: what is served to all, and what they did themselves.

    `person` has the consents that were in force at the very moment when the behavior was read.
    """

    site: Served
    person: Person
    behavior: Behavior


def served_to(person: Person, *, now: datetime) -> ServedTo:
    """All in one query; of the person, nothing is read that they have not agreed to."""
    moments = [overdue_at(now), now - SHAPES_FOR, now]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM served_to(%s, %s, %s, %s, %s, %s)",
            [person.subject_id, *moments, HEARD_FROM, WHOLE_FROM],
        )
        rows = cursor.fetchall()
    parts: dict[str, list[Any]] = {"site": [], "consent": [], "habit": []}
    for row in rows:
        parts.setdefault(row[0], []).append(row)
    ((*_own, edition, release_id, digest, published_at, is_overdue),) = parts["site"]
    consents = {Purpose(row[1]): row[6] for row in parts["consent"]}
    return ServedTo(
        site=Served.of(edition, release_id, digest, published_at, is_overdue),
        person=replace(person, consents=consents),
        behavior=Behavior(
            history=[Habit(*row[2:6]) for row in parts["habit"]],
            hidden={row[2] for row in parts.get("hidden", ())},
            check_in=next((_check_in(*row[3:8]) for row in parts.get("check-in", ())), None),
        ),
    )


def _check_in(mood: int, valence: int, energy: int, pk: UUID, sealed: bytes) -> LastCheckIn:
    return LastCheckIn(pk, Mood(mood), Valence(valence), Energy(energy), bytes(sealed))
