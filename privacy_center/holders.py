"""Who holds people's data, and must act when a consent ends or begins.

Apps register here when they are ready; this app never imports them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from privacy_center.purposes import Purpose

Interval = tuple[datetime, datetime | None]


@dataclass(frozen=True)
class Holding:
    """What is held because of one purpose, right now: in words, and as a small picture.

    `months` counts what came in during each of the last twelve months, oldest first; it is empty
    where there is nothing to draw. `kept` is what would be deleted if the purpose ended, such as
    "15 listens, 3 ratings"; empty where nothing would be.
    """

    sentence: str
    count: int = 0
    oldest: datetime | None = None
    months: tuple[int, ...] = ()
    kept: str = ""


@dataclass(frozen=True)
class Event:
    """Something that happened to a person's data, for their timeline."""

    at: datetime
    title: str
    detail: str = ""


@dataclass(frozen=True)
class Holder:
    """An app that holds personal data.

    `on_given`, `on_ended` and `on_suspended` run inside the transaction of the decision or the
    publication: what they delete is gone when it is there. `on_suspended` says that a purpose's
    notice has changed, so that nobody's yes to it is in force until it is renewed. `held` describes
    what is stored for a subject under a purpose. `events` tells what was done with a subject's
    data; it is given the intervals in which the subject's listening could be learned from.
    `clean_since` is when the first release came out that was begun after a person had left, so that
    nothing of theirs is in it; None while it is being made.
    """

    name: str
    on_given: Callable[[UUID, Purpose], None]
    on_ended: Callable[[UUID, Purpose], None]
    on_suspended: Callable[[Purpose], None]
    held: Callable[[UUID, Purpose], Holding | None]
    events: Callable[[UUID, Sequence[Interval]], Sequence[Event]]
    clean_since: Callable[[datetime], datetime | None]


_holders: dict[str, Holder] = {}


def register_holder(holder: Holder) -> None:
    """Add a holder; a second one of the same name is a mistake."""
    if holder.name in _holders:
        raise ValueError(f"A holder named {holder.name!r} is registered already.")
    _holders[holder.name] = holder


def holders() -> tuple[Holder, ...]:
    """All registered holders."""
    return tuple(_holders.values())
