"""What this app does when a person's consent begins or ends, inside the same transaction."""

from collections.abc import Sequence
from uuid import UUID

from django.utils import timezone

from privacy_center.interface import Event, Holder, Holding, Learning, Purpose
from recommendations.actions.listening import forget_listening
from recommendations.actions.mood import forget_mood
from recommendations.actions.training import note_change, note_everybody
from recommendations.models import Favorite, Listen, TrainingVector, VectorChange
from recommendations.selectors import holding, mood_holding
from recommendations.selectors.forgetting import forgetting
from recommendations.selectors.mood import check_ins_of
from recommendations.selectors.timeline import learned
from recommendations.trainer import train

STORING = (Purpose.LISTENING_STORE, Purpose.MOOD_STORE)
TRAINING = (Purpose.LISTENING_TRAIN, Purpose.MOOD_TRAIN)


def on_given(subject_id: UUID, purpose: Purpose) -> None:
    """A yes to training: the next release learns from this person too. So does a yes to storing
    that comes back to life, which is one with a history: what was said of training holds again."""
    if purpose in TRAINING or _has_history(subject_id, purpose):
        note_change(subject_id, VectorChange.Kind.LEARN)


def _has_history(subject_id: UUID, purpose: Purpose) -> bool:
    if purpose == Purpose.LISTENING_STORE:
        own = (model.objects.filter(subject_id=subject_id) for model in (Listen, Favorite))
        return any(rows.exists() for rows in own)
    return purpose == Purpose.MOOD_STORE and check_ins_of(subject_id).exists()


def on_ended(subject_id: UUID, purpose: Purpose) -> None:
    """A no to training makes a new release urgent; a no to storing deletes what was stored."""
    if purpose in TRAINING:
        note_change(subject_id, VectorChange.Kind.FORGET)
    if purpose == Purpose.LISTENING_STORE:
        forget_listening(subject_id)
    if purpose == Purpose.MOOD_STORE:
        forget_mood(subject_id)


def held(subject_id: UUID, purpose: Purpose) -> Holding | None:
    """What is held because of `purpose`."""
    if purpose == Purpose.LISTENING_STORE:
        return holding.stored(subject_id, now=timezone.now())
    if purpose == Purpose.LISTENING_PERSONALIZE:
        return holding.personalized(subject_id)
    if purpose == Purpose.LISTENING_TRAIN:
        return holding.trained(subject_id)
    return _held_mood(subject_id, purpose)


def _held_mood(subject_id: UUID, purpose: Purpose) -> Holding | None:
    if purpose == Purpose.MOOD_STORE:
        return mood_holding.stored_moods(subject_id, now=timezone.now())
    if purpose == Purpose.MOOD_PERSONALIZE:
        return mood_holding.personalizing_mood(subject_id, now=timezone.now())
    if purpose == Purpose.MOOD_TRAIN:
        return mood_holding.trained_moods(subject_id)
    return None


def on_suspended(purpose: Purpose) -> None:
    """Nobody's yes is in force until it is renewed: the next release is made without them."""
    if purpose in (*TRAINING, *STORING):
        note_everybody(VectorChange.Kind.FORGET)


def events(subject_id: UUID, trained: Sequence[Learning]) -> Sequence[Event]:
    """What was learned from the person, and since when it is not."""
    return learned(trained)


def is_forgotten(subject_id: UUID) -> bool:
    """Whether the model, and every file of it, is without the person."""
    own = (model.objects.filter(subject_id=subject_id) for model in (TrainingVector, VectorChange))
    return not any(rows.exists() for rows in own)


def forget_now() -> None:
    """Make a release without whoever waits to leave."""
    train(clock=timezone.now, if_needed=True)


HOLDER = Holder(
    name="recommendations",
    on_given=on_given,
    on_ended=on_ended,
    on_suspended=on_suspended,
    held=held,
    events=events,
    forgetting=forgetting,
    is_forgotten=is_forgotten,
    forget_now=forget_now,
)
