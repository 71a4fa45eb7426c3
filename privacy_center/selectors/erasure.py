"""Erasures: which are due, and what a page shows of one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q

from privacy_center.models import Erasure, mark_of

State = Erasure.State
# For so long a certificate is found again by its number (CCPA: records of requests).
SHOWN_FOR = timedelta(days=730)


def due_erasures(now: datetime) -> Sequence[UUID]:
    """Erasures with something left to do: a step, or the mail at the end."""
    is_open = Q(state__in=[State.WAITING, State.RUNNING], due_at__lte=now)
    is_to_tell = Q(state=State.DONE, sealed__isnull=False)
    return list(
        Erasure.objects.filter(is_open | is_to_tell).order_by("due_at").values_list("pk", flat=True)
    )


def erasure_by_number(number: str, now: datetime) -> Erasure | None:
    """The erasure of this number, for two years after it was done."""
    found = Erasure.objects.filter(number=number).first()
    if found is None or (found.done_at and found.done_at < now - SHOWN_FOR):
        return None
    return found


def waiting_erasure(subject_id: UUID) -> Erasure | None:
    """The person's erasure that waits for its day, if one does."""
    return Erasure.objects.filter(mark=mark_of(subject_id), state=State.WAITING).first()
