"""The privacy center in the admin. Consent is read-only there, for every role."""

from privacy_center.admin import (
    account,
    consent,
    erasure,
    ledger,
    notice,
    staff_access,
    subject,
)

__all__ = ["account", "consent", "erasure", "ledger", "notice", "staff_access", "subject"]
