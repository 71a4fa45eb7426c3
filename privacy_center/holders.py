"""Who holds people's data, and must act when a consent ends or begins.

Apps register here when they are ready; this app never imports them.
"""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from privacy_center.purposes import Purpose


@dataclass(frozen=True)
class Holding:
    """What is held because of one purpose, in words, right now."""

    sentence: str


@dataclass(frozen=True)
class Holder:
    """An app that holds personal data.

    `on_given` and `on_ended` run inside the transaction of the decision: what they delete is
    gone when the decision is. `held` describes what is stored for a subject under a purpose.
    """

    name: str
    on_given: Callable[[UUID, Purpose], None]
    on_ended: Callable[[UUID, Purpose], None]
    held: Callable[[UUID, Purpose], Holding | None]


_holders: dict[str, Holder] = {}


def register_holder(holder: Holder) -> None:
    """Add a holder; a second one of the same name is a mistake."""
    if holder.name in _holders:
        raise ValueError(f"A holder named {holder.name!r} is registered already.")
    _holders[holder.name] = holder


def holders() -> tuple[Holder, ...]:
    """All registered holders."""
    return tuple(_holders.values())
