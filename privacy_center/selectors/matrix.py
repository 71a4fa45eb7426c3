"""The privacy page's table: what each switch does, whether it is on, and what is held for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from privacy_center.holders import Holding, holders
from privacy_center.models import ConsentState, Decision, Method, Notice
from privacy_center.purposes import LISTENING, MOOD, OFFERED, Purpose
from privacy_center.selectors.clean import CleanRelease, clean_release
from privacy_center.selectors.consent import consent_states, purposes_in_force
from privacy_center.selectors.notice import live_notices_with_texts, text_in
from privacy_center.selectors.renewal import Renewal, renewal_of

Signal = Literal["listening", "mood"]

ROWS: tuple[tuple[Signal, Promise, Promise, Sequence[Purpose]], ...] = (
    ("listening", _("What I listen to"), _("Plays, favorites and ratings."), LISTENING),
    ("mood", _("How I feel"), _("Check-ins before and after a practice."), MOOD),
)
SINGLES = (Purpose.ANALYTICS, Purpose.EMAIL)


@dataclass(frozen=True)
class Cell:
    """One switch, with the words a person decides by.

    `is_on` is a live yes. `renewal` is there when a yes waits for an answer, or ends soon.
    `waits_for` names the storing that waits, without which a yes to a use does nothing.
    `off_since` is when it was switched off; `clean` what became of what was learned.
    """

    purpose: Purpose
    version: int
    title: str
    sentence: str
    statement: str
    is_on: bool
    is_offered: bool
    is_explicit: bool
    on_since: datetime | None
    off_since: datetime | None
    is_off_by_signal: bool
    until: datetime | None
    holdings: Sequence[Holding]
    needs: "Cell | None"
    waits_for: str
    renewal: Renewal | None
    clean: CleanRelease | None

    @property
    def is_paused(self) -> bool:
        """A yes that waits for an answer, its own or that of what it needs."""
        return not self.is_on and bool(self.renewal or self.waits_for)

    @property
    def deletes(self) -> str:
        """What a no would delete, in words; empty when nothing."""
        return ", ".join(holding.kept for holding in self.holdings if holding.kept)

    @property
    def missing(self) -> "Sequence[Cell]":
        """What a yes to this one says yes to: itself, after what it needs and is not on."""
        return [self.needs, self] if self.needs and not self.needs.is_on else [self]

    @property
    def shown(self) -> str:
        """The versions of these notices, as a form sends them back."""
        return versions(self.missing)


@dataclass(frozen=True)
class Row:
    """One signal and its uses: store, personalize, train."""

    signal: Signal
    title: Promise
    sentence: Promise
    cells: Sequence[Cell]


@dataclass(frozen=True)
class Matrix:
    """Everything there is to decide, except for sale and sharing (selectors/gpc.py)."""

    rows: Sequence[Row]
    singles: Sequence[Cell]

    @property
    def in_force(self) -> frozenset[Purpose]:
        """Which of the table's purposes are on."""
        return frozenset(cell.purpose for row in self.rows for cell in row.cells if cell.is_on)

    @property
    def deletes(self) -> str:
        """What ending the storing of listening would delete."""
        return self.rows[0].cells[0].deletes

    @property
    def paused(self) -> Sequence[Cell]:
        """Whose words have changed since the person agreed."""
        cells = [cell for row in self.rows for cell in row.cells]
        return [cell for cell in cells if cell.renewal and cell.renewal.is_suspended]


def versions(cells: Sequence[Cell]) -> str:
    """`purpose=version` pairs, separated by spaces."""
    return " ".join(f"{cell.purpose}={cell.version}" for cell in cells)


def matrix(subject_id: UUID, *, language: str, at: datetime) -> Matrix:
    """Every switch of a person, in their language."""
    made = _Cells(subject_id, language, at)
    return Matrix(
        [
            Row(signal, title, sentence, [made.cell(purpose) for purpose in purposes])
            for signal, title, sentence, purposes in ROWS
        ],
        [made.cell(purpose) for purpose in SINGLES],
    )


def mood_cells(subject_id: UUID | None, *, language: str, at: datetime) -> Sequence[Cell]:
    """The switches of mood alone; all off for nobody in particular."""
    made = _Cells(subject_id, language, at)
    return [made.cell(purpose) for purpose in MOOD]


class _Cells:
    def __init__(self, subject_id: UUID | None, language: str, at: datetime) -> None:
        self.subject_id = subject_id
        self.language = language
        self.at = at
        self.states: Mapping[Purpose, ConsentState] = (
            consent_states(subject_id) if subject_id else {}
        )
        self.in_force = purposes_in_force(subject_id) if subject_id else {}
        self.notices = live_notices_with_texts()
        self.made: dict[Purpose, Cell] = {}

    def cell(self, purpose: Purpose) -> Cell:
        if purpose not in self.made:
            self.made[purpose] = self._cell(purpose)
        return self.made[purpose]

    def _cell(self, purpose: Purpose) -> Cell:
        state, notice = self.states.get(purpose), self.notices[purpose]
        text = text_in(notice, self.language)
        is_on = purpose in self.in_force
        is_yes = state is not None and state.is_yes
        # What is stored stays while its yes is paused; what it was used for does not.
        is_held = is_on or (is_yes and bool(purpose.dependents))
        is_off = state is not None and not is_yes and state.decision != Decision.REFUSED
        return Cell(
            purpose=purpose,
            version=notice.version,
            title=text.title,
            sentence=text.sentence,
            statement=text.statement,
            is_on=is_on,
            is_offered=purpose in OFFERED,
            is_explicit=purpose in MOOD,
            on_since=state.since if state and is_on else None,
            off_since=state.since if state and is_off else None,
            is_off_by_signal=is_off and state is not None and _is_by_signal(state),
            until=state.valid_until if state and is_on else None,
            holdings=self._holdings(state.subject_id, purpose) if state and is_held else [],
            needs=self.cell(purpose.needs) if purpose.needs else None,
            waits_for=self._waits_for(purpose) if is_yes and not is_on else "",
            renewal=self._renewal(state, notice),
            clean=clean_release(state, notice) if state else None,
        )

    def _holdings(self, subject_id: UUID, purpose: Purpose) -> list[Holding]:
        held = [holder.held(subject_id, purpose) for holder in holders()]
        return [holding for holding in held if holding]

    def _waits_for(self, purpose: Purpose) -> str:
        needed = purpose.needs
        if needed is None or needed in self.in_force:
            return ""
        return text_in(self.notices[needed], self.language).title

    def _renewal(self, state: ConsentState | None, notice: Notice) -> Renewal | None:
        return renewal_of(state, notice, language=self.language, at=self.at) if state else None


def _is_by_signal(state: ConsentState) -> bool:
    return state.record.method == Method.GPC
