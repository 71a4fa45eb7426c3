"""Waking the trainer, and the reconciler that makes up for every message that was lost."""

import logging

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommendations.selectors.training_change import work_due
from recommendations.trainer import repair, train

logger = logging.getLogger(__name__)


@shared_task(name="recommendations.train_model", soft_time_limit=25 * 60)
def train_model() -> None:
    """Make a release from today's consenting people, if one is needed: of any number of messages
    one does the work, and only one run is under way at a time, anywhere."""
    train(clock=timezone.now, if_needed=True)


@shared_task(name="recommendations.reconcile")
def reconcile() -> None:
    """Every 10 s: put right what a killed run left, and wake whoever should be working."""
    repair(clock=timezone.now)
    if due := work_due(timezone.now()):
        wake_trainer(is_urgent=due.is_urgent)


def wake_trainer(*, is_urgent: bool) -> None:
    """Send the message when the transaction commits. A broker that is away costs seconds only:
    the row is the job, and the reconciler finds it."""
    transaction.on_commit(lambda: _send(is_urgent=is_urgent))


def _send(*, is_urgent: bool) -> None:
    try:
        train_model.apply_async(queue="urgent" if is_urgent else "training", retry=False)
    except OperationalError:
        logger.warning("The broker is away; the trainer will be woken by the reconciler.")
