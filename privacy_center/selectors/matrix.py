"""The privacy page's table: what each switch does, whether it is on, and what is held for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from privacy_center.holders import holders
from privacy_center.models import ConsentState, Decision
from privacy_center.purposes import OFFERED, WORDINGS, Purpose
from privacy_center.selectors.consent import consent_states


@dataclass(frozen=True)
class Cell:
    """One switch."""

    purpose: Purpose
    title: str
    sentence: str
    is_given: bool
    is_offered: bool
    since: datetime | None
    held: str
    needs: str


@dataclass(frozen=True)
class Row:
    """One signal and its uses."""

    signal: str
    title: str
    sentence: str
    is_open: bool
    note: str
    cells: tuple[Cell, ...]


def matrix(subject_id: UUID) -> tuple[Row, ...]:
    """The signals a person can decide about, each with store, personalize and train."""
    states = consent_states(subject_id)
    return (
        Row(
            "listening",
            "What I listen to",
            "Plays, favorites and ratings.",
            True,
            "",
            _cells(subject_id, states, "listening"),
        ),
        Row(
            "mood",
            "How I feel",
            "Check-ins before and after a practice.",
            False,
            "This does not exist yet. It is health data, so it will be asked for by itself.",
            _cells(subject_id, states, "mood"),
        ),
    )


def singles(subject_id: UUID) -> tuple[Cell, ...]:
    """The purposes that stand alone."""
    states = consent_states(subject_id)
    return tuple(_cell(subject_id, states, purpose) for purpose in Purpose if ":" not in purpose)


def _cells(
    subject_id: UUID, states: Mapping[Purpose, ConsentState], signal: str
) -> tuple[Cell, ...]:
    return tuple(
        _cell(subject_id, states, purpose)
        for purpose in Purpose
        if purpose.startswith(f"{signal}:")
    )


def _cell(subject_id: UUID, states: Mapping[Purpose, ConsentState], purpose: Purpose) -> Cell:
    state = states.get(purpose)
    is_given = state is not None and state.decision == Decision.GIVEN
    held = [h.held(subject_id, purpose) for h in holders()] if is_given else []
    return Cell(
        purpose=purpose,
        title=WORDINGS[purpose].title,
        sentence=WORDINGS[purpose].sentence,
        is_given=is_given,
        is_offered=purpose in OFFERED,
        since=state.since if state else None,
        held=" ".join(holding.sentence for holding in held if holding),
        needs=WORDINGS[purpose.needs].title if purpose.needs else "",
    )
