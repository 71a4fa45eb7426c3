"""What a verification of the whole ledger found."""

from django.db import models


class LedgerAudit(models.Model):
    """One run of the audit; `findings` are `{"where": …, "what": …}`, and without an end it did not
    come to one."""

    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    entries = models.BigIntegerField(default=0, help_text="How many were checked.")
    findings = models.JSONField(default=list, help_text="What is wrong, and where.")

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"audit {self.pk}"
