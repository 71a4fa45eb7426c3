"""The privacy center in the admin. Consent is read-only there, for every role."""

from privacy_center.admin import account, consent, subject

__all__ = ["account", "consent", "subject"]
