"""Comparisons of the model with a rebuild, and whether one is due."""

from datetime import datetime

from django.conf import settings

from recommendations.models import ModelAudit, Release


def is_audit_due(now: datetime) -> bool:
    """Whether somebody was forgotten since the last comparison, and that one was a while ago."""
    latest = ModelAudit.objects.first()
    forgot = Release.objects.filter(is_forgetting=True, published_at__isnull=False)
    if latest is None:
        return forgot.exists()
    is_rested = latest.at <= now - settings.AUDIT_AFTER
    return is_rested and forgot.filter(published_at__gt=latest.at).exists()
