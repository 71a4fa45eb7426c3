"""The sequencer and the nightly verification, as tasks."""

import logging

from celery import shared_task
from django.utils import timezone

from privacy_center.ledger_audit import Finding, audit_ledger
from privacy_center.sequencer import LedgerDamaged, sequence
from privacy_center.wake import SEQUENCE_LEDGER, sequencer_is_awake

logger = logging.getLogger(__name__)


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
    """Every night, and when staff ask for it."""
    findings = [step for step in audit_ledger() if isinstance(step, Finding)]
    for finding in findings:
        logger.critical("The ledger: %s", finding)
    if not findings:
        logger.info("The ledger agrees with its records.")
