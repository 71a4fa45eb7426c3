"""Why a member of staff opened one person's data. The person reads it in their timeline."""

from django.core.validators import MinLengthValidator
from django.db import models

from privacy_center.models.account import Account
from privacy_center.models.plain_text import has_words, is_plain_text
from privacy_center.models.subject import DataSubject

SHORTEST_REASON = 10
LONGEST_REASON = 300


class StaffAccess(models.Model):
    """One reason, for one person, by one member of staff; append-only by triggers."""

    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="+")
    staff = models.ForeignKey(
        Account, on_delete=models.PROTECT, related_name="+", help_text="Never shown to the person."
    )
    role = models.CharField(max_length=80, help_text="What the person is told of who it was.")
    reason = models.CharField(
        max_length=LONGEST_REASON,
        validators=[MinLengthValidator(SHORTEST_REASON), is_plain_text, has_words],
        help_text="The person reads these words, with the time and your role.",
    )
    at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "staff accesses"
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["subject", "-at"], name="access_by_subject"),
            models.Index(fields=["staff", "-at"], name="access_by_staff"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(reason__regex=r"^\S.{8,}\S$"), name="access_has_a_reason"
            )
        ]

    def __str__(self) -> str:
        return f"access {self.pk}"
