"""Who holds people's data, and must act when a consent ends or begins.

Apps register here when they are ready; this app never imports them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from privacy_center.purposes import Purpose


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
    # The decision whose forgetting certificate is about this.
    certificate_id: UUID | None = None


@dataclass(frozen=True)
class Learning:
    """A time in which one signal of a person could be learned from; `purpose` is its training.

    `record_id` is the decision that ended it, or, where new words did, the yes that they ended.
    `resumed_at` is when the next such time began. The entries are those of the ledger, which say
    what came first where clocks may not: of the decision that began it, of the one that ended it,
    and of the one that began the next; None where no decision did.
    """

    purpose: Purpose
    begins: datetime
    ends: datetime | None = None
    record_id: UUID | None = None
    resumed_at: datetime | None = None
    begin_entry: int | None = None
    end_entry: int | None = None
    resume_entry: int | None = None


@dataclass(frozen=True)
class PublishedRelease:
    """A release: when it came out, and the digest of what it was made of."""

    id: UUID
    published_at: datetime
    digest: str


@dataclass(frozen=True)
class Comparison:
    """What was kept, compared with the same made from scratch, both of one moment."""

    at: datetime
    digest: str
    rebuild_digest: str


@dataclass(frozen=True)
class Forgetting:
    """What became of what was learned in a time of learning that has ended.

    `last_with` is the last release that was begun in it; None when none was. `first_without` is the
    first one that was begun after it; None while it is being made, and when the next time of
    learning began before it was. `comparison` is the one that bears it out; None until it is made.
    """

    last_with: PublishedRelease | None = None
    first_without: PublishedRelease | None = None
    comparison: Comparison | None = None


@dataclass(frozen=True)
class Holder:
    """An app that holds personal data.

    `on_given`, `on_ended` and `on_suspended` run inside the transaction of the decision or the
    publication: what they delete is gone when it is there. `on_suspended` says that a purpose's
    notice has changed, so that nobody's yes to it is in force until it is renewed. `held` describes
    what is stored for a subject under a purpose. `events` tells what was done with a subject's
    data; it is given the times in which it could be learned from. `forgetting` tells what became
    of what was learned in one of them; there is one holder that learns. `is_forgotten` says whether
    nothing that was learned from a subject is left anywhere; `forget_now` sees to it, in this
    process, where no worker can be waited for.
    """

    name: str
    on_given: Callable[[UUID, Purpose], None]
    on_ended: Callable[[UUID, Purpose], None]
    on_suspended: Callable[[Purpose], None]
    held: Callable[[UUID, Purpose], Holding | None]
    events: Callable[[UUID, Sequence[Learning]], Sequence[Event]]
    forgetting: Callable[[Learning], Forgetting]
    is_forgotten: Callable[[UUID], bool]
    forget_now: Callable[[], None]


_holders: dict[str, Holder] = {}


def register_holder(holder: Holder) -> None:
    """Add a holder; a second one of the same name is a mistake."""
    if holder.name in _holders:
        raise ValueError(f"A holder named {holder.name!r} is registered already.")
    _holders[holder.name] = holder


def holders() -> tuple[Holder, ...]:
    """All registered holders."""
    return tuple(_holders.values())
