"""What each person has contributed to the model, and whose contribution must be read anew."""

import numpy as np
from django.db import models
from django.db.models import Q
from django.db.models.functions import Length, Mod
from django.db.models.lookups import Exact, GreaterThan

# A vector on disk: what it is about (a practice, or a mood by its negative id) and how much.
ENTRY = np.dtype([("column", "<i8"), ("weight", "u1")])

_HAS_ENTRIES = Q(GreaterThan(Length("vector"), 0)) & Q(
    Exact(Mod(Length("vector"), ENTRY.itemsize), 0)
)


class TrainingVector(models.Model):
    """A person's x, as it is in G = Σ x xᵀ, so that it can be subtracted: `ENTRY` by `ENTRY`, by
    ascending column. Only the trainer writes it; whoever contributes nothing has none."""

    subject_id = models.UUIDField(primary_key=True)
    vector = models.BinaryField()

    class Meta:
        constraints = [models.CheckConstraint(condition=_HAS_ENTRIES, name="vector_has_entries")]

    def __str__(self) -> str:
        return f"training vector {self.pk}"


class VectorChange(models.Model):
    """Something the next release must take in. Written in the transaction of the change itself, and
    deleted by the release that includes it.

    It waits without a `batch`, at most once a person. The trainer takes it up: it reads the
    person's vector as it is then, and logs `old` and `new`, which is what G is changed by. So a
    burst of one person's listens is one change, and what a change says is never stale.
    """

    class Kind(models.TextChoices):
        LEARN = "learn", "to learn"
        FORGET = "forget", "to forget"
        CATALOG = "catalog", "the catalog changed"

    kind = models.CharField(max_length=7, choices=Kind)
    # Empty for the catalog, and where everybody's contribution must be read anew.
    subject_id = models.UUIDField(null=True)
    created_at = models.DateTimeField()
    batch = models.PositiveBigIntegerField(null=True)
    old = models.BinaryField(default=b"")
    new = models.BinaryField(default=b"")

    class Meta:
        indexes = [models.Index(fields=["kind", "created_at"], name="change_by_kind")]
        constraints = [
            models.UniqueConstraint(
                fields=["subject_id"],
                condition=Q(batch=None, subject_id__isnull=False),
                name="one_waiting_change_each",
            ),
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(batch=None, subject_id=None),
                name="one_waiting_change_of_all",
            ),
            models.CheckConstraint(
                condition=~Q(kind="catalog") | Q(subject_id=None), name="catalog_is_nobodys"
            ),
            models.CheckConstraint(
                condition=Q(batch__isnull=False) | Q(old=b"", new=b""),
                name="what_waits_says_no_vector",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"


class ModelState(models.Model):
    """Which file holds G, and the last batch of changes that is in it: one row.

    `token` is the fence: each trainer's turn takes the next one, and a trainer whose turn is over
    can neither replace the state nor publish. `batch` is the last one that was taken up; those
    after `applied` are in the log and not yet in the file. Without a `file_name` the next run
    begins from scratch.
    """

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    token = models.PositiveBigIntegerField(default=0)
    seen_at = models.DateTimeField(
        null=True, help_text="When its trainer last gave a sign of life."
    )
    batch = models.PositiveBigIntegerField(default=0)
    applied = models.PositiveBigIntegerField(default=0)
    file_name = models.CharField(max_length=64, blank=True, default="")
    file_digest = models.CharField(max_length=64, blank=True, default="")
    gram_digest = models.CharField(max_length=64, blank=True, default="")
    built_at = models.DateTimeField(null=True, help_text="When it was last built from scratch.")
    is_quality_accepted = models.BooleanField(
        default=False, help_text="The next release is published whatever its quality."
    )

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="one_model_state"),
            models.CheckConstraint(
                condition=Q(applied__lte=models.F("batch")), name="applied_was_taken_up"
            ),
            models.CheckConstraint(
                condition=Q(file_name="") | ~Q(file_digest=""), name="state_file_has_a_hash"
            ),
        ]

    def __str__(self) -> str:
        return "model state"


class ModelAudit(models.Model):
    """A comparison of the state with a rebuild from scratch, both of one moment."""

    at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    rebuild_digest = models.CharField(max_length=64)
    people = models.PositiveIntegerField()
    seconds = models.FloatField()

    class Meta:
        ordering = ["-at"]
        indexes = [models.Index(fields=["at"], name="audit_by_time")]

    def __str__(self) -> str:
        return f"audit {self.at:%Y-%m-%d %H:%M:%S}"

    @property
    def is_equal(self) -> bool:
        return self.digest == self.rebuild_digest
