"""What a page is made of for somebody: what is served, and what they did, all in one query."""

from collections.abc import Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection

from privacy_center.interface import Person
from recommendations.models import Energy, Mood, Valence
from recommendations.selectors.listening import HABITS, Habit
from recommendations.selectors.mood import SHAPES_FOR, LastCheckIn
from recommendations.selectors.release import SERVED, Served, overdue_at, served


@dataclass(frozen=True)
class Behavior:
    """`history` is by practice, the one heard last first; `hidden` are practices that the person
    does not want on a shelf. Each part is empty without a live yes to what it is for."""

    history: Sequence[Habit] = ()
    hidden: Set[int] = frozenset()
    check_in: LastCheckIn | None = None


# Rows of three kinds with the same columns; a check-in says its mood, valence and energy where a
# habit says how often.
_HABIT = f"""
SELECT 'habit' AS part, practice_id, heard, whole, favorites, heard_last AS at,
       NULL::uuid AS check_in_id, NULL::bytea AS sealed
FROM ({HABITS}) AS habits
"""  # noqa: S608 (constants only)
_HIDDEN = """
SELECT 'hidden', practice_id, 0, 0, 0, NULL::timestamptz, NULL::uuid, NULL::bytea
FROM recommendations_hiddenpractice WHERE subject_id = %(subject_id)s
"""
_CHECK_IN = """
(SELECT 'check-in', 0::bigint, mood, valence, energy, at, id, sealed
FROM recommendations_checkin
WHERE subject_id = %(subject_id)s AND at > %(since)s AND at <= %(now)s
ORDER BY at DESC, id DESC LIMIT 1)
"""
# How many of the columns are about behavior.
_WIDTH = 7
_COLUMNS = "part, practice_id, heard, whole, favorites, at, check_in_id, sealed"


@dataclass(frozen=True)
class ServedTo:
    """What a page is made of for somebody: what is served to all, and what they did themselves."""

    site: Served
    behavior: Behavior


def served_to(person: Person, *, now: datetime) -> ServedTo:
    """Both in one query; of the person, nothing is read that they have not agreed to."""
    parts = [
        part
        for part, is_agreed in (
            (_HABIT, person.can_store),
            (_HIDDEN, person.can_personalize),
            (_CHECK_IN, person.can_personalize_mood),
        )
        if is_agreed
    ]
    if not parts:
        return ServedTo(served(now), Behavior())
    # Side by side: the one row about the site has no part, and the others say nothing of the site.
    sql = f"""
    SELECT part, practice_id, heard, whole, favorites, check_in_id, sealed, site.*
    FROM ({SERVED}) AS site
    FULL JOIN ({" UNION ALL ".join(parts)}) AS own ({_COLUMNS}) ON false
    ORDER BY at DESC NULLS LAST, practice_id
    """  # noqa: S608 (constants only)
    whose = {"subject_id": person.subject_id, "since": now - SHAPES_FOR, "now": now}
    with connection.cursor() as cursor:
        cursor.execute(sql, whose | {"overdue": overdue_at(now)})
        rows = cursor.fetchall()
    (site,) = [row[_WIDTH:] for row in rows if row[0] is None]
    return ServedTo(Served.of(*site), _behavior([row[:_WIDTH] for row in rows]))


def _behavior(rows: Sequence[Any]) -> Behavior:
    check_ins = [row[2:] for row in rows if row[0] == "check-in"]
    return Behavior(
        history=[Habit(*row[1:5]) for row in rows if row[0] == "habit"],
        hidden={row[1] for row in rows if row[0] == "hidden"},
        check_in=_check_in(*check_ins[0]) if check_ins else None,
    )


def _check_in(mood: int, valence: int, energy: int, pk: UUID, sealed: bytes) -> LastCheckIn:
    return LastCheckIn(pk, Mood(mood), Valence(valence), Energy(energy), bytes(sealed))
