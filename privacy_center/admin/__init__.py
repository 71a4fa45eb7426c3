"""The privacy center in the admin. Consent is read-only there, for every role."""

from privacy_center.admin import account, consent, ledger, notice, staff_access, subject

__all__ = ["account", "consent", "ledger", "notice", "staff_access", "subject"]
