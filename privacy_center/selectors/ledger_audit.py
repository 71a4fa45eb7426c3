"""What the last verification of the ledger found, and how the ledger is now."""

from dataclasses import dataclass
from datetime import datetime

from privacy_center.models import LedgerAudit, LedgerCheckpoint, LedgerEntry
from privacy_center.selectors.ledger import latest_checkpoint, oldest_waiting


@dataclass(frozen=True)
class LedgerHealth:
    """The day's question about the ledger."""

    checkpoint: LedgerCheckpoint | None
    waiting: int
    oldest_waiting: datetime | None
    audit: LedgerAudit | None


def ledger_health() -> LedgerHealth:
    """The last checkpoint, what waits for its index, and the last audit."""
    return LedgerHealth(
        latest_checkpoint(),
        LedgerEntry.objects.filter(index=None).count(),
        oldest_waiting(),
        LedgerAudit.objects.order_by("-started_at", "-id").first(),
    )
