"""Noting that the model must be made again."""

from django.utils import timezone

from privacy_center.interface import Person
from recommendations.models import TrainingChange
from recommendations.tasks.training import wake_trainer


def note_change(kind: TrainingChange.Kind) -> None:
    """Write the row in the transaction of the change. Forgetting also wakes the trainer at once."""
    TrainingChange.objects.create(kind=kind, created_at=timezone.now())
    if kind == TrainingChange.Kind.FORGET:
        wake_trainer(is_urgent=True)


def note_less(person: Person) -> None:
    """There is less to learn from: to forget it is urgent, if it was learned from. For anybody
    else the next release makes sure of it, because a yes may begin at this very moment."""
    kind = TrainingChange.Kind
    note_change(kind.FORGET if person.can_train else kind.LEARN)
