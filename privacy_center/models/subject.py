"""The data subject: a random id that stands for a person everywhere outside this app."""

import uuid

from django.db import models

from privacy_center.keys import WrappedKey
from privacy_center.models.account import Account
from privacy_center.regions import REGIONS


class AgeBand(models.TextChoices):
    """All that is kept of a person's age (GDPR 8, COPPA)."""

    BELOW_CONSENT = "below_consent", "below the age of consent"
    TEEN = "teen", "up to 17"
    ADULT = "adult", "18 or older"


class DataSubject(models.Model):
    """A pseudonym. The mapping to the account is this row and nothing else."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    account = models.OneToOneField(
        Account, on_delete=models.SET_NULL, null=True, blank=True, related_name="subject"
    )
    region = models.CharField(
        max_length=5, choices=[(code, name) for code, (name, _age) in REGIONS.items()]
    )
    age_band = models.CharField(max_length=13, choices=AgeBand)
    is_synthetic = models.BooleanField(
        default=False, help_text="Made up for the demo; no real person."
    )
    created_at = models.DateTimeField()
    is_leaving = models.BooleanField(
        default=False, db_default=False, help_text="Is being erased: nothing can be granted."
    )
    wrapped_key = models.BinaryField(
        null=True, editable=False, help_text="The person's own key, wrapped; empty once destroyed."
    )
    wrapping_key_id = models.CharField(max_length=32, blank=True, default="", editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(wrapped_key=None, wrapping_key_id="")
                | models.Q(wrapped_key__isnull=False) & ~models.Q(wrapping_key_id=""),
                name="subject_key_names_its_wrapping_key",
            ),
            models.CheckConstraint(
                condition=models.Q(age_band__in=AgeBand.values), name="subject_age_band_is_known"
            ),
        ]

    def __str__(self) -> str:
        return str(self.id)

    @property
    def key(self) -> WrappedKey | None:
        """The person's own key, wrapped; None once it is destroyed."""
        if self.wrapped_key is None:
            return None
        return WrappedKey(bytes(self.wrapped_key), self.wrapping_key_id)
