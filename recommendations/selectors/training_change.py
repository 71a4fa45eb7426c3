"""What waits to be learned or forgotten."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Min, Q

from recommendations.models import Release, TrainingChange

Kind = TrainingChange.Kind


@dataclass(frozen=True)
class Due:
    """Work for the trainer; `is_urgent` when somebody is to be forgotten, or nothing is served."""

    is_urgent: bool


def work_due(now: datetime) -> Due | None:
    """Forgetting is due at once, and so is a release where none is active; learning waits a
    little, so that a burst is learned together."""
    oldest = TrainingChange.objects.aggregate(
        forget=Min("created_at", filter=Q(kind=Kind.FORGET)),
        learn=Min("created_at", filter=Q(kind=Kind.LEARN)),
    )
    if oldest["forget"] or not _has_release():
        return Due(is_urgent=True)
    if oldest["learn"] and oldest["learn"] <= now - settings.LEARN_AFTER:
        return Due(is_urgent=False)
    return None


def is_release_needed() -> bool:
    """Whether anything at all waits for a release, or none is active."""
    return TrainingChange.objects.exists() or not _has_release()


def has_withdrawal_since(moment: datetime) -> bool:
    """Whether somebody asked to be forgotten after this moment, and still is not."""
    return TrainingChange.objects.filter(kind=Kind.FORGET, created_at__gt=moment).exists()


def left_since(changes: Collection[int]) -> bool:
    """Whether somebody asked to be forgotten and is not among these changes."""
    return TrainingChange.objects.filter(kind=Kind.FORGET).exclude(pk__in=changes).exists()


def _has_release() -> bool:
    return Release.objects.filter(state=Release.State.ACTIVE).exists()


def has_overdue_withdrawal(now: datetime) -> bool:
    """Whether somebody has waited to be forgotten for longer than law 3 allows."""
    return has_withdrawal_before(now - settings.WITHDRAWAL_GRACE)


def has_withdrawal_before(moment: datetime) -> bool:
    """Whether somebody asked to be forgotten before this moment, and still is not."""
    return TrainingChange.objects.filter(kind=Kind.FORGET, created_at__lt=moment).exists()
