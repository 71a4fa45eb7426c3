"""The sequencer and the nightly verification, as tasks."""

import logging

from celery import shared_task
from django.utils import timezone

from privacy_center.ledger_audit import Progress, audit_ledger
from privacy_center.models import LedgerAudit
from privacy_center.sequencer import LedgerDamaged, sequence
from privacy_center.wake import SEQUENCE_LEDGER, sequencer_is_awake

logger = logging.getLogger(__name__)

FINDINGS_KEPT = 1000


@shared_task(name=SEQUENCE_LEDGER)
def sequence_ledger() -> None:
    """Give indices to all that waits. Any number of messages have one effect."""
    sequencer_is_awake()
    try:
        sequence(clock=timezone.now)
    except LedgerDamaged as damage:
        logger.critical("The ledger: %s", damage)


@shared_task(name="privacy_center.verify_ledger", soft_time_limit=25 * 60)
def verify_ledger() -> None:
    """Every night, and when staff ask for it; the result is a row for them to see."""
    audit = LedgerAudit.objects.create(started_at=timezone.now())
    for step in audit_ledger():
        if isinstance(step, Progress):
            audit.entries = step.entries
        else:
            logger.critical("The ledger: %s", step)
            if len(audit.findings) < FINDINGS_KEPT:
                audit.findings.append({"where": step.where, "what": step.what})
    audit.finished_at = timezone.now()
    audit.save()
