"""Noting that the model must be made again."""

from django.utils import timezone

from recommendations.models import TrainingChange
from recommendations.tasks.training import wake_trainer


def note_change(kind: TrainingChange.Kind) -> None:
    """Write the row in the transaction of the change. Forgetting also wakes the trainer at once."""
    TrainingChange.objects.create(kind=kind, created_at=timezone.now())
    if kind == TrainingChange.Kind.FORGET:
        wake_trainer(is_urgent=True)
