"""The privacy page's table: what each switch does, whether it is on, and what is held for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy_center.holders import Holding, holders
from privacy_center.models import ConsentState, Notice
from privacy_center.purposes import LISTENING, MOOD, OFFERED, Purpose
from privacy_center.selectors.consent import RENEW_WITHIN, consent_states, purposes_in_force
from privacy_center.selectors.notice import live_notices_with_texts, text_in

Signal = Literal["listening", "mood", "single"]

ROWS: tuple[tuple[Signal, Promise, Promise, Sequence[Purpose]], ...] = (
    ("listening", _("What I listen to"), _("Plays, favorites and ratings."), LISTENING),
    ("mood", _("How I feel"), _("Check-ins before and after a practice."), MOOD),
)


@dataclass(frozen=True)
class Cell:
    """One switch, with the words a person decides by.

    `is_on` is a live yes. `is_suspended` is a yes to older words, which waits for an answer until
    `until`, and meanwhile does nothing; `before` is the sentence it was given to.
    """

    purpose: Purpose
    version: int
    title: str
    sentence: str
    statement: str
    is_on: bool
    is_suspended: bool
    is_offered: bool
    since: datetime | None
    until: datetime | None
    before: str
    holdings: Sequence[Holding]
    needs: str


@dataclass(frozen=True)
class Row:
    """One signal and its uses: store, personalize, train."""

    signal: Signal
    title: Promise
    sentence: Promise
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Matrix:
    """Everything there is to decide."""

    rows: Sequence[Row]
    singles: Sequence[Cell]

    @property
    def cells(self) -> Sequence[Cell]:
        return [cell for row in self.rows for cell in row.cells] + list(self.singles)

    @property
    def shown(self) -> str:
        """The versions shown, as a form sends them back."""
        return " ".join(f"{cell.purpose}={cell.version}" for cell in self.cells)

    @property
    def suspended(self) -> Sequence[Cell]:
        return [cell for cell in self.cells if cell.is_suspended]


def matrix(subject_id: UUID, *, language: str) -> Matrix:
    """Every switch of a person, in their language."""
    made = _Cells(subject_id, language)
    return Matrix(
        [
            Row(signal, title, sentence, [made.cell(purpose) for purpose in purposes])
            for signal, title, sentence, purposes in ROWS
        ],
        [made.cell(purpose) for purpose in Purpose if ":" not in purpose],
    )


class _Cells:
    def __init__(self, subject_id: UUID, language: str) -> None:
        self.subject_id = subject_id
        self.language = language
        self.states: Mapping[Purpose, ConsentState] = consent_states(subject_id)
        self.in_force = purposes_in_force(subject_id)
        self.notices = live_notices_with_texts()

    def cell(self, purpose: Purpose) -> Cell:
        state, notice = self.states.get(purpose), self.notices[purpose]
        text = text_in(notice, self.language)
        is_on = purpose in self.in_force
        is_suspended = state is not None and state.is_yes and state.record.notice_id != notice.pk
        return Cell(
            purpose=purpose,
            version=notice.version,
            title=text.title,
            sentence=text.sentence,
            statement=text.statement,
            is_on=is_on,
            is_suspended=is_suspended,
            is_offered=purpose in OFFERED,
            since=state.since if state else None,
            until=_until(state, notice, is_suspended=is_suspended),
            before=text_in(state.record.notice, self.language).sentence
            if state and is_suspended
            else "",
            holdings=self._holdings(purpose) if is_on or is_suspended else [],
            needs=text_in(self.notices[purpose.needs], self.language).title
            if purpose.needs
            else "",
        )

    def _holdings(self, purpose: Purpose) -> list[Holding]:
        held = [holder.held(self.subject_id, purpose) for holder in holders()]
        return [holding for holding in held if holding]


def _until(state: ConsentState | None, live: Notice, *, is_suspended: bool) -> datetime | None:
    if state is None or state.valid_until is None:
        return None
    if not is_suspended or live.published_at is None:
        return state.valid_until
    return min(state.valid_until, live.published_at + RENEW_WITHIN)
