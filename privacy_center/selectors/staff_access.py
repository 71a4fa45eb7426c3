"""Who of the staff opened a person's data, why, and for whom it is open now."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from privacy_center.models import Account, StaffAccess

ACCESS_LASTS = timedelta(minutes=30)


@dataclass(frozen=True)
class Access:
    """What a person is told of an access."""

    at: datetime
    role: str
    reason: str


def accesses_of(subject_id: UUID) -> list[Access]:
    """Every time that staff opened the person's data, newest first."""
    rows = StaffAccess.objects.filter(subject_id=subject_id).order_by("-at", "-id")
    return [Access(*row) for row in rows.values_list("at", "role", "reason")]


def has_access(staff: Account, subject_id: UUID, *, at: datetime) -> bool:
    """Whether this member of staff gave a reason for this person, not long ago."""
    return (
        StaffAccess.objects.filter(staff=staff, subject_id=subject_id)
        .filter(at__gt=at - ACCESS_LASTS, at__lte=at)
        .exists()
    )


def open_subjects(staff: Account, *, at: datetime) -> Sequence[UUID]:
    """The people whose data is open to this member of staff, the last opened one first."""
    rows = StaffAccess.objects.filter(staff=staff, at__gt=at - ACCESS_LASTS, at__lte=at)
    return list(dict.fromkeys(rows.order_by("-at", "-id").values_list("subject_id", flat=True)))
