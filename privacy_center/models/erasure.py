"""Erasures: the row is the job, and afterwards the tombstone. It names nobody.

Who is being erased is in `sealed`, under a key of the erasure's own, which is destroyed when the
last thing that needs an address, the mail with the certificate, is done.
"""

import hashlib
import uuid
from uuid import UUID

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

_DOMAIN = b"stillwater erasure mark\x00"


def mark_of(subject_id: UUID) -> bytes:
    """What an erasure is found by again. The id is random, so nobody can go back from the mark."""
    return hashlib.sha256(_DOMAIN + subject_id.bytes).digest()


class Erasure(models.Model):
    """One account's erasure; `step` is the next one of the eraser's steps. Each is one transaction,
    in which this row is held: of two runs, one finds it held and leaves it alone.

    `erased` counts rows by table, as they were when it began. `learned` says what became of what
    was learned. The certificate holds both, signed.
    """

    class State(models.TextChoices):
        WAITING = "waiting", _("waits for its day")
        RUNNING = "running", _("being done")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    number = models.CharField(max_length=32, unique=True)
    mark = models.BinaryField()
    state = models.CharField(max_length=9, choices=State)
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    is_replay = models.BooleanField(default=False)
    language = models.CharField(max_length=8)
    sealed = models.BinaryField(null=True)
    wrapped_key = models.BinaryField(null=True)
    wrapping_key_id = models.CharField(max_length=32, blank=True, default="")
    step = models.PositiveSmallIntegerField(default=0)
    erased = models.JSONField(default=dict)
    learned = models.JSONField(default=list)
    certificate = models.JSONField(null=True)
    done_at = models.DateTimeField(null=True)
    is_told = models.BooleanField(default=False)

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(state__in=["waiting", "running"]),
                name="erasure_is_due",
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mark"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_open_erasure_each",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(certificate__isnull=False, done_at__isnull=False),
                name="done_erasure_has_a_certificate",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["waiting", "running"]) | Q(sealed__isnull=False),
                name="open_erasure_knows_whom",
            ),
            models.CheckConstraint(
                condition=Q(sealed=None, wrapped_key=None) | Q(wrapped_key__isnull=False),
                name="erasure_key_goes_with_its_text",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure {self.number}"

    def forget_whom(self) -> None:
        """From when this is saved, nobody can tell whom it is about."""
        self.sealed, self.wrapped_key, self.wrapping_key_id = None, None, ""
