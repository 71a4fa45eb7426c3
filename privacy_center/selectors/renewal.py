"""What a person is asked again: a yes to words that have changed since, or one that ends soon."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery

from privacy_center.models import YES, ConsentState, Notice
from privacy_center.purposes import MOOD, Purpose
from privacy_center.selectors.consent import ASK_BEFORE, RENEW_WITHIN
from privacy_center.selectors.notice import live_notices_with_texts, superseded_at, text_in
from privacy_center.selectors.notice_diff import Words, word_changes


@dataclass(frozen=True)
class Renewal:
    """A question, with how its sentence differs from the one before.

    `until` is when the yes ends unanswered. Until it is renewed, a suspended one does nothing.
    """

    purpose: Purpose
    title: str
    changes: Sequence[Words]
    statement: str
    is_suspended: bool
    is_explicit: bool
    until: datetime
    shown: str

    @property
    def deletes(self) -> bool:
        """Whether a no deletes what was kept."""
        return bool(self.purpose.dependents)


def renewal_of(state: ConsentState, live: Notice, *, language: str, at: datetime) -> Renewal | None:
    """The question that a purpose's answer leads to; None when there is nothing to ask."""
    if not state.is_yes or state.valid_until is None or state.valid_until <= at:
        return None
    is_suspended = state.record.notice_id != live.pk
    if not is_suspended and state.valid_until - at > ASK_BEFORE:
        return None
    text = text_in(live, language)
    return Renewal(
        purpose=Purpose(state.purpose),
        title=text.title,
        changes=word_changes(text_in(state.record.notice, language).sentence, text.sentence),
        statement=text.statement,
        is_suspended=is_suspended,
        is_explicit=state.purpose in MOOD,
        until=_until(state.valid_until, superseded_at(state.record.notice, live)),
        shown=f"{live.purpose}={live.version}",
    )


def states_to_ask(subject_id: UUID, *, at: datetime) -> list[ConsentState]:
    """The answers that a banner speaks of, in one query: those to ask again, and the one about sale
    and sharing."""
    live = Notice.objects.filter(purpose=OuterRef("purpose"), published_at__isnull=False)
    asks = Q(valid_until__lte=at + ASK_BEFORE) | ~Q(record__notice=F("live"))
    return list(
        ConsentState.objects.filter(subject_id=subject_id)
        .annotate(live=Subquery(live.order_by("-version").values("pk")[:1]))
        .filter(Q(asks, decision__in=YES, valid_until__gt=at) | Q(purpose=Purpose.SALE))
        .select_related("record__notice")
    )


def renewals(states: list[ConsentState], *, language: str, at: datetime) -> list[Renewal]:
    """The questions of these answers, in the order of the table; no query when there are none."""
    asked = {Purpose(state.purpose): state for state in states if state.is_yes}
    if not asked:
        return []
    notices = live_notices_with_texts()
    found = [
        renewal_of(asked[purpose], notices[purpose], language=language, at=at)
        for purpose in Purpose
        if purpose in asked
    ]
    return [renewal for renewal in found if renewal]


def _until(valid_until: datetime, superseded: datetime | None) -> datetime:
    return min(valid_until, superseded + RENEW_WITHIN) if superseded else valid_until
