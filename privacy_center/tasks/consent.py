"""The calendar, and the reconciler that makes up for every message that was lost."""

from celery import shared_task
from django.utils import timezone

from privacy_center.expiry import expire, expire_unanswered
from privacy_center.tasks.erasure import reconcile_erasures
from privacy_center.tasks.ledger import sequence_ledger


@shared_task(name="privacy_center.reconcile")
def reconcile() -> None:
    """Every 10 s: sequence what waits, end what is over, and carry on every erasure."""
    sequence_ledger()
    expire(at=timezone.now())
    reconcile_erasures()


@shared_task(name="privacy_center.expire_unanswered")
def expire_unanswered_consents() -> None:
    """Every night: end what nobody renewed within the time for it."""
    expire_unanswered(at=timezone.now())
