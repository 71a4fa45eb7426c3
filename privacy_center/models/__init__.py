"""Accounts, data subjects, notices, consent, and the ledger of it."""

from privacy_center.models.account import Account
from privacy_center.models.consent import (
    YES,
    ConsentInForce,
    ConsentRecord,
    ConsentState,
    Decision,
    Method,
)
from privacy_center.models.erasure import Erasure, mark_of
from privacy_center.models.ledger import LedgerCheckpoint, LedgerEntry, LedgerKey, LedgerNode
from privacy_center.models.ledger_audit import LedgerAudit
from privacy_center.models.notice import Notice, NoticeText
from privacy_center.models.staff_access import StaffAccess
from privacy_center.models.subject import AgeBand, DataSubject

__all__ = [
    "YES",
    "Account",
    "AgeBand",
    "ConsentInForce",
    "ConsentRecord",
    "ConsentState",
    "DataSubject",
    "Decision",
    "Erasure",
    "LedgerAudit",
    "LedgerCheckpoint",
    "LedgerEntry",
    "LedgerKey",
    "LedgerNode",
    "Method",
    "Notice",
    "NoticeText",
    "StaffAccess",
    "mark_of",
]
