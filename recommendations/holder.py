"""What this app does when a person's consent begins or ends, inside the same transaction."""

from uuid import UUID

from privacy_center.interface import Holder, Holding, Purpose
from recommendations.actions.listening import forget_listening
from recommendations.actions.training import note_change
from recommendations.models import TrainingChange
from recommendations.selectors.listening import holding_sentence


def on_given(subject_id: UUID, purpose: Purpose) -> None:
    """A yes to training: the next release learns from this person too."""
    if purpose == Purpose.LISTENING_TRAIN:
        note_change(TrainingChange.Kind.LEARN)


def on_ended(subject_id: UUID, purpose: Purpose) -> None:
    """A no to training makes a new release urgent; a no to storing deletes what was stored."""
    if purpose == Purpose.LISTENING_TRAIN:
        note_change(TrainingChange.Kind.FORGET)
    if purpose == Purpose.LISTENING_STORE:
        forget_listening(subject_id)


def held(subject_id: UUID, purpose: Purpose) -> Holding | None:
    """What is stored because of `purpose`."""
    if purpose != Purpose.LISTENING_STORE:
        return None
    return Holding(holding_sentence(subject_id))


HOLDER = Holder(name="recommendations", on_given=on_given, on_ended=on_ended, held=held)
