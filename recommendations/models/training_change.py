"""Why the model must be made again: rows that wait until a release has taken them in."""

from django.db import models


class TrainingChange(models.Model):
    """Written in the transaction of the change itself; deleted by the release that includes it.

    Names no person: to learn or to forget, the trainer reads who consents today.
    """

    class Kind(models.TextChoices):
        LEARN = "learn", "somebody new to learn from"
        FORGET = "forget", "somebody to forget"

    kind = models.CharField(max_length=6, choices=Kind)
    created_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["kind", "created_at"], name="change_by_kind")]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
