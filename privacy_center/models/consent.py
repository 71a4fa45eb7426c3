"""Consent: the append-only record of decisions, and the current answer beside it."""

import uuid

from django.db import models

from privacy_center.models.subject import DataSubject
from privacy_center.purposes import Purpose

PURPOSES = [(purpose.value, purpose.value) for purpose in Purpose]


class Decision(models.TextChoices):
    """What a person said (W3C DPV's consent states)."""

    GIVEN = "given", "Yes"
    REFUSED = "refused", "No"
    WITHDRAWN = "withdrawn", "Withdrawn"


class Method(models.TextChoices):
    """How the decision came to us."""

    WELCOME = "welcome", "when joining"
    PRIVACY_PAGE = "privacy_page", "on the privacy page"
    API = "api", "by an app"
    IMPORT = "import", "with imported data"
    DEMO = "demo", "for the demo"


class ConsentRecord(models.Model):
    """One decision, for good: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="decisions")
    purpose = models.CharField(max_length=32, choices=PURPOSES)
    decision = models.CharField(max_length=9, choices=Decision)
    method = models.CharField(max_length=12, choices=Method)
    wording_digest = models.CharField(
        max_length=64,
        help_text="SHA-256 of the words the person decided by: the preset's or the purpose's.",
    )
    recorded_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject", "-recorded_at"], name="consent_by_subject")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(purpose__in=[p.value for p in Purpose]),
                name="consentrecord_purpose_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(decision__in=Decision.values),
                name="consentrecord_decision_is_known",
            ),
            # No code path sells; the database agrees.
            models.CheckConstraint(
                condition=~models.Q(purpose=Purpose.SALE.value, decision=Decision.GIVEN),
                name="consentrecord_sale_is_never_given",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.decision}"


class ConsentState(models.Model):
    """The current answer: the last record, by subject and purpose.

    Triggers keep it true: it agrees with its record, and personalize and train are never on
    without store.
    """

    subject = models.ForeignKey(DataSubject, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=32, choices=PURPOSES)
    decision = models.CharField(max_length=9, choices=Decision)
    record = models.OneToOneField(ConsentRecord, on_delete=models.PROTECT)
    since = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "purpose"], name="one_state_per_purpose")
        ]
        indexes = [
            models.Index(
                fields=["purpose", "subject"],
                condition=models.Q(decision=Decision.GIVEN),
                name="consent_given_by_purpose",
            )
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.decision}"


class ConsentInForce(models.Model):
    """The database view `consent_in_force`: the one definition of a live yes.

    Python, the triggers on stored behavior and the training query all read this view.
    """

    record = models.OneToOneField(ConsentRecord, on_delete=models.DO_NOTHING, primary_key=True)
    subject = models.ForeignKey(DataSubject, on_delete=models.DO_NOTHING, related_name="+")
    purpose = models.CharField(max_length=32, choices=PURPOSES)
    since = models.DateTimeField()

    class Meta:
        managed = False
        db_table = "consent_in_force"

    def __str__(self) -> str:
        return self.purpose
