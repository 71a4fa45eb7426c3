"""A release: one training run, its figures, and the file it published."""

import uuid

from django.db import models


class Release(models.Model):
    """The row is the job: a run that dies leaves its row in `training`, and the next one knows.

    At most one release is active. Files of other releases are deleted: they may hold people who
    have left since.
    """

    class State(models.TextChoices):
        TRAINING = "training", "training"
        ACTIVE = "active", "active"
        RETIRED = "retired", "retired"
        DISCARDED = "discarded", "discarded: consent changed while it was made"
        LOST = "lost", "lost: the worker died"
        FAILED = "failed", "failed"
        HELD = "held", "held back"
        DAMAGED = "damaged", "damaged on disk"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    state = models.CharField(max_length=9, choices=State, default=State.TRAINING)
    started_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True, blank=True)
    algorithm = models.CharField(max_length=32)
    regularization = models.FloatField()
    people = models.PositiveIntegerField(default=0)
    interactions = models.PositiveBigIntegerField(default=0)
    practices = models.PositiveIntegerField(default=0)
    last_decision = models.BigIntegerField(
        null=True, help_text="The ledger entry up to which every decision is taken in."
    )
    held_because = models.CharField(max_length=200, blank=True, default="", db_default="")
    is_forgetting = models.BooleanField(
        default=False, db_default=False, help_text="Somebody waited to be out of it."
    )
    gram_digest = models.CharField(max_length=64, blank=True, default="")
    file_digest = models.CharField(max_length=64, blank=True, default="")
    metrics = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-started_at"]
        indexes = [models.Index(fields=["started_at"], name="release_by_start")]
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="active"),
                name="one_active_release",
            ),
            models.CheckConstraint(
                condition=~models.Q(state="active") | ~models.Q(file_digest=""),
                name="active_release_has_a_file",
            ),
        ]

    def __str__(self) -> str:
        return f"release {self.started_at:%Y-%m-%d %H:%M:%S}"

    @property
    def file_name(self) -> str:
        return f"{self.pk}.safetensors"
