"""Accounts, data subjects and their consent."""

from privacy_center.models.account import Account
from privacy_center.models.consent import (
    ConsentInForce,
    ConsentRecord,
    ConsentState,
    Decision,
    Method,
)
from privacy_center.models.subject import AgeBand, DataSubject

__all__ = [
    "Account",
    "AgeBand",
    "ConsentInForce",
    "ConsentRecord",
    "ConsentState",
    "DataSubject",
    "Decision",
    "Method",
]
