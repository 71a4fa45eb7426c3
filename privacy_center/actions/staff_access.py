"""Opening one person's data: the reason first."""

from datetime import datetime
from uuid import UUID

from privacy_center.models import Account, StaffAccess


def record_access(subject_id: UUID, *, staff: Account, reason: str, at: datetime) -> StaffAccess:
    """Keep why a member of staff opens a person's data. Raises `ValidationError` for a reason that
    is too short, too long, or not plain text, and for a subject that does not exist."""
    access = StaffAccess(
        subject_id=subject_id, staff=staff, role=role_of(staff), reason=reason.strip(), at=at
    )
    access.full_clean()
    access.save()
    return access


def role_of(staff: Account) -> str:
    """What a person is told about a member of staff: the role, and nothing else."""
    if staff.is_superuser:
        return "Administrator"
    roles = staff.groups.order_by("name").values_list("name", flat=True)
    return ", ".join(roles)[:80] or "Staff"
