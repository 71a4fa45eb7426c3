"""What waits to be learned or forgotten."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Min, Q

from privacy_center.interface import DECISIONS_LOCK
from recommendations.models import Release, VectorChange
from recommendations.selectors.model_audit import is_state_refused

Kind = VectorChange.Kind

# Whoever notes a change shares this advisory lock until the transaction ends, as whoever decides
# does; whoever holds it alone knows of every change and every decision that there is.
CHANGES_LOCK = DECISIONS_LOCK

UNDONE_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Due:
    """Work for the trainer; `is_urgent` when somebody is to be forgotten, or nothing is served."""

    is_urgent: bool


def work_due(now: datetime) -> Due | None:
    """Forgetting is due at once, and so is a release where none is active; learning waits a
    little, so that a burst is learned together."""
    oldest = VectorChange.objects.aggregate(
        forget=Min("created_at", filter=Q(kind=Kind.FORGET)),
        learn=Min("created_at", filter=~Q(kind=Kind.FORGET)),
    )
    if oldest["forget"] or not _is_served():
        return Due(is_urgent=True)
    if oldest["learn"] and oldest["learn"] <= now - settings.LEARN_AFTER:
        return Due(is_urgent=False)
    return None if _is_as_configured() else Due(is_urgent=False)


def is_release_needed() -> bool:
    """Whether anything at all waits for a release, none is active, or its state was refused."""
    return VectorChange.objects.exists() or not _is_served() or not _is_as_configured()


def has_withdrawal_since(moment: datetime) -> bool:
    """Whether somebody asked to be forgotten after this moment, and still is not."""
    return VectorChange.objects.filter(kind=Kind.FORGET, created_at__gt=moment).exists()


def left_since(batch: int) -> bool:
    """Whether somebody asked to be forgotten and is not in the batches up to this one."""
    later = Q(batch=None) | Q(batch__gt=batch)
    return VectorChange.objects.filter(later, kind=Kind.FORGET).exists()


def _is_served() -> bool:
    """Whether there is an active release, of a state that an audit did not refuse."""
    return Release.objects.filter(state=Release.State.ACTIVE).exists() and not is_state_refused()


def _is_as_configured() -> bool:
    """Whether the active release is of the algorithm that is wanted: one that cannot forget is
    replaced by EASE when somebody leaves, and comes back with the next run."""
    wanted = Q(state=Release.State.ACTIVE, algorithm=settings.RECOMMENDER)
    return Release.objects.filter(wanted).exists()


def is_left_undone(now: datetime) -> bool:
    """Whether something has waited for so long that nobody can be at work: the scheduler is dead,
    or the trainer, or every release is held back."""
    return VectorChange.objects.filter(created_at__lt=now - UNDONE_AFTER).exists()


def has_withdrawal_before(moment: datetime) -> bool:
    """Whether somebody asked to be forgotten before this moment, and still is not."""
    return VectorChange.objects.filter(kind=Kind.FORGET, created_at__lt=moment).exists()
