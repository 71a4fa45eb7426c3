"""Notices: what a person reads before deciding about one purpose, by version and language."""

import hashlib
from typing import Any

from django.db import models

from privacy_center.ledger.verify_receipt import canonical
from privacy_center.purposes import Purpose

PURPOSES = [(purpose.value, purpose.value) for purpose in Purpose]
VALID_DAYS = 730
# Longer than people are asked ahead: a yes must not end as soon as it is said.
LEAST_VALID_DAYS = 60


class Notice(models.Model):
    """One version of a purpose's notice: a draft, or published and immutable (by triggers).

    The live notice of a purpose is its highest published version. A yes to an older one is not in
    force until the person renews it.
    """

    purpose = models.CharField(max_length=32, choices=PURPOSES)
    version = models.PositiveIntegerField()
    valid_days = models.PositiveIntegerField(
        default=VALID_DAYS, help_text="How long a yes to this notice holds, in days."
    )
    processing = models.JSONField(
        help_text="What is processed, on which legal basis, and for how long (ISO/IEC TS 27560)."
    )
    digest = models.CharField(
        max_length=64, blank=True, default="", help_text="SHA-256 of the document, once published."
    )
    published_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["purpose", "-version"]
        constraints = [
            models.UniqueConstraint(fields=["purpose", "version"], name="notice_version_is_new"),
            models.UniqueConstraint(
                fields=["purpose"],
                condition=models.Q(published_at=None),
                name="one_draft_per_purpose",
            ),
            models.CheckConstraint(
                condition=models.Q(published_at=None, digest="")
                | models.Q(published_at__isnull=False) & ~models.Q(digest=""),
                name="published_notice_has_a_digest",
            ),
            models.CheckConstraint(
                condition=models.Q(valid_days__gte=LEAST_VALID_DAYS, valid_days__lte=10 * 365),
                name="notice_is_valid_for_days",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} {self.version}"

    @property
    def document(self) -> dict[str, Any]:
        """All that was published, as one JSON document; its SHA-256 is what a decision names."""
        return {
            "purpose": self.purpose,
            "version": self.version,
            "valid_days": self.valid_days,
            "processing": self.processing,
            "texts": {
                text.language: {
                    "title": text.title,
                    "sentence": text.sentence,
                    "statement": text.statement,
                }
                for text in self.texts.all()
            },
        }


def document_digest(document: dict[str, Any]) -> str:
    """SHA-256, hex, of a notice's document in canonical form."""
    return hashlib.sha256(canonical(document)).hexdigest()


class NoticeText(models.Model):
    """The words of a notice in one language."""

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="texts")
    language = models.CharField(max_length=8)
    title = models.CharField(max_length=80)
    sentence = models.TextField(max_length=600, help_text="What happens, in plain words.")
    statement = models.TextField(max_length=400, help_text="What exactly a person says yes to.")

    class Meta:
        ordering = ["language"]
        constraints = [
            models.UniqueConstraint(fields=["notice", "language"], name="one_text_per_language")
        ]

    def __str__(self) -> str:
        return f"{self.notice} ({self.language})"
