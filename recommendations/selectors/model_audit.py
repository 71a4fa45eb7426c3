"""Comparisons of the model with a rebuild: whether one is due, and what the last one said."""

from datetime import datetime

from django.conf import settings

from recommendations.models import ModelAudit, ModelState, Release


def is_audit_due(now: datetime) -> bool:
    """Whether somebody was forgotten since the last comparison, and that one was a while ago."""
    latest = ModelAudit.objects.first()
    forgot = Release.objects.filter(is_forgetting=True, published_at__isnull=False)
    if latest is None:
        return forgot.exists()
    is_rested = latest.at <= now - settings.AUDIT_AFTER
    return is_rested and forgot.filter(published_at__gt=latest.at).exists()


def is_state_refused() -> bool:
    """Whether the last comparison found a difference, and the state was not built anew since."""
    latest, state = ModelAudit.objects.first(), ModelState.objects.first()
    if latest is None or latest.is_equal or state is None:
        return False
    return state.built_at is None or state.built_at < latest.at
