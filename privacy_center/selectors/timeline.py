"""What a person decided, what was learned from them and who looked at their data, newest first."""

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import islice
from uuid import UUID

from django.utils.translation import gettext as _

from privacy_center.holders import holders
from privacy_center.models import DataSubject, Decision, Method
from privacy_center.selectors.consent import consent_history
from privacy_center.selectors.learning import TRAINING, learning_times
from privacy_center.selectors.notice import text_in
from privacy_center.selectors.staff_access import accesses_of


class Kind(StrEnum):
    """Where an entry comes from. In the order of the filter."""

    DECISION = "decisions"
    LEARNING = "learning"
    ACCESS = "access"
    JOINING = "joining"


@dataclass(frozen=True)
class Entry:
    """One thing that happened. A decision names its record, for the receipt; a release without the
    person the decision that asked for it, for the certificate."""

    kind: Kind
    at: datetime
    title: str
    detail: str = ""
    record_id: UUID | None = None
    certificate_id: UUID | None = None


@dataclass(frozen=True)
class Timeline:
    """One page of it, and whether older entries follow."""

    entries: Sequence[Entry]
    has_older: bool


def timeline(
    subject_id: UUID, *, kind: Kind | None, page: int, size: int, language: str
) -> Timeline:
    """Page `page` (the first is 1), `size` entries a page; of one kind, or of all.

    The sources are merged by time. Decisions keep the ledger's order among themselves, whatever
    their clocks said; of entries at one moment, those of the earlier kind come first. So a page
    never depends on what else is asked for, and nothing is shown twice.
    """
    sources = {
        Kind.DECISION: _decisions(subject_id, language, most=page * size + 1),
        Kind.LEARNING: _learning(subject_id),
        Kind.ACCESS: _accesses(subject_id),
        Kind.JOINING: _joining(subject_id),
    }
    chosen = [source for name, source in sources.items() if kind in (None, name)]
    merged = heapq.merge(*chosen, key=lambda entry: -entry.at.timestamp())
    entries = list(islice(merged, (page - 1) * size, page * size + 1))
    return Timeline(entries[:size], has_older=len(entries) > size)


def _decisions(subject_id: UUID, language: str, *, most: int) -> Iterator[Entry]:
    records = consent_history(subject_id).select_related("notice").prefetch_related("notice__texts")
    for record in records[:most]:
        yield Entry(
            Kind.DECISION,
            record.recorded_at,
            f"{Decision(record.decision).label}: {text_in(record.notice, language).title}",
            str(Method(record.method).label),
            record.id,
        )


def _learning(subject_id: UUID) -> list[Entry]:
    times = [time for purpose in TRAINING for time in learning_times(subject_id, purpose)]
    entries = [
        Entry(
            Kind.LEARNING,
            event.at,
            event.title,
            event.detail,
            certificate_id=event.certificate_id,
        )
        for holder in holders()
        for event in holder.events(subject_id, times)
    ]
    return sorted(entries, key=lambda entry: entry.at, reverse=True)


def _accesses(subject_id: UUID) -> list[Entry]:
    return [
        Entry(
            Kind.ACCESS,
            access.at,
            _("Staff opened your data (%(role)s)") % {"role": access.role},
            _("The reason given: %(reason)s") % {"reason": access.reason},
        )
        for access in accesses_of(subject_id)
    ]


def _joining(subject_id: UUID) -> list[Entry]:
    joined = DataSubject.objects.values_list("created_at", flat=True).get(pk=subject_id)
    title = _("Your account was made")
    return [Entry(Kind.JOINING, joined, title, _("Nothing was kept about you until you said yes."))]
