"""Consent: the append-only record of decisions, and the current answer beside it."""

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _

from privacy_center.ledger.leaf import Leaf, Statement, opening, timestamp
from privacy_center.models.notice import PURPOSES, Notice
from privacy_center.models.subject import DataSubject
from privacy_center.purposes import Purpose


class Decision(models.TextChoices):
    """What became of a purpose (W3C DPV's consent states)."""

    GIVEN = "given", _("Yes")
    RENEWED = "renewed", _("Yes, again")
    REFUSED = "refused", _("No")
    WITHDRAWN = "withdrawn", _("Withdrawn")
    EXPIRED = "expired", _("Ended with its time")
    INVALIDATED = "invalidated", _("Taken back")

    @property
    def is_yes(self) -> bool:
        return self in YES


YES = (Decision.GIVEN, Decision.RENEWED)


class Method(models.TextChoices):
    """How the decision came to us."""

    WELCOME = "welcome", _("when joining")
    PRIVACY_PAGE = "privacy_page", _("on the privacy page")
    API = "api", _("by an app")
    GPC = "gpc", _("by your browser’s signal")
    EXPIRY = "expiry", _("by the calendar")
    IMPORT = "import", _("with imported data")
    DEMO = "demo", _("for the demo")
    ERASURE = "erasure", _("with your account")


class ConsentRecord(models.Model):
    """One decision, for good: a trigger refuses UPDATE, DELETE and TRUNCATE."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject = models.ForeignKey(DataSubject, on_delete=models.PROTECT, related_name="decisions")
    purpose = models.CharField(max_length=32, choices=PURPOSES)
    decision = models.CharField(max_length=12, choices=Decision)
    method = models.CharField(max_length=12, choices=Method)
    notice = models.ForeignKey(
        Notice, on_delete=models.PROTECT, related_name="+", help_text="The words decided by."
    )
    language = models.CharField(max_length=8, help_text="The language they were shown in.")
    preset = models.CharField(
        max_length=32, blank=True, default="", help_text="The preset chosen, if it was one."
    )
    wording_digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        help_text="From before there were notices: SHA-256 of the words decided by.",
    )
    recorded_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True, help_text="When a yes ends.")
    commitment = models.BinaryField(
        help_text="HMAC of the record under its opening; without the person's key it names nobody."
    )
    opening = models.BinaryField(
        null=True, help_text="Where the person's key was away for a no; else it is derived from it."
    )

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
                condition=~models.Q(purpose=Purpose.SALE.value, decision__in=YES),
                name="consentrecord_sale_is_never_given",
            ),
            models.CheckConstraint(
                condition=models.Q(decision__in=YES, valid_until__isnull=False)
                | ~models.Q(decision__in=YES) & models.Q(valid_until=None),
                name="consentrecord_a_yes_ends",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.decision}"

    @property
    def statement(self) -> Statement:
        """All that the record says, in the form that its commitment was made of."""
        return Statement(
            record_id=self.id,
            pii_principal_id=self.subject_id,
            purpose=self.purpose,
            decision=self.decision,
            notice=self.notice.digest,
            time=timestamp(self.recorded_at),
            valid_until=timestamp(self.valid_until) if self.valid_until else None,
            language=self.language,
            method=self.method,
            preset=self.preset,
        )

    def opened_by(self, key: bytes | None) -> bytes:
        """The opening of the commitment, by the person's key if the record has none of its own."""
        if self.opening is not None:
            return bytes(self.opening)
        if key is None:
            raise ValueError("This record opens with the person's key only.")
        return opening(key, self.id)

    @property
    def leaf(self) -> Leaf:
        """What the ledger says of the record: no identifier in it."""
        return Leaf(
            purpose=self.purpose,
            decision=self.decision,
            notice=self.notice.digest,
            time=timestamp(self.recorded_at),
            commitment=bytes(self.commitment),
        )


class ConsentState(models.Model):
    """The current answer: the last record, by subject and purpose.

    Triggers keep it true: it agrees with its record, and personalize and train are never on
    without store.
    """

    subject = models.ForeignKey(DataSubject, on_delete=models.CASCADE, related_name="consents")
    purpose = models.CharField(max_length=32, choices=PURPOSES)
    decision = models.CharField(max_length=12, choices=Decision)
    record = models.OneToOneField(ConsentRecord, on_delete=models.PROTECT)
    since = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject", "purpose"], name="one_state_per_purpose"),
            models.CheckConstraint(
                condition=models.Q(decision__in=YES, valid_until__isnull=False)
                | ~models.Q(decision__in=YES) & models.Q(valid_until=None),
                name="consentstate_a_yes_ends",
            ),
        ]
        indexes = [
            models.Index(
                fields=["purpose", "subject"],
                condition=models.Q(decision__in=YES),
                name="consent_given_by_purpose",
            ),
            models.Index(
                fields=["valid_until"],
                condition=models.Q(valid_until__isnull=False),
                name="consent_by_end",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.decision}"

    @property
    def is_yes(self) -> bool:
        """Whether the last word was yes; whether it is in force is for the view to say."""
        return self.decision in YES


class ConsentInForce(models.Model):
    """The database view `consent_in_force`: the one definition of a live yes.

    A yes, to the live notice, whose time has not come, and for a use, whose storing is in force.
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
