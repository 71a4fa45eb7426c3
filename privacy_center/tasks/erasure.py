"""Waking the eraser. A message names the erasure; the row is the job."""

import logging
from uuid import UUID

from celery import shared_task
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from privacy_center.eraser import erase
from privacy_center.selectors.erasure import due_erasures

logger = logging.getLogger(__name__)

# An erasure waits for the trainer and the sequencer, who need a second or two. After so many looks
# it is left to the reconciler, whose messages look once: so they never multiply.
AGAIN_SECONDS = 1
LOOKS = 10


@shared_task(name="privacy_center.erase")
def erase_one(erasure_id: str, *, looks: int = 0) -> None:
    """Carry one erasure on; when it has to wait, look again soon, at most so many times."""
    if erase(UUID(erasure_id), clock=timezone.now) and looks:
        _send(erasure_id, looks=looks - 1, countdown=AGAIN_SECONDS)


def reconcile_erasures() -> None:
    """Wake the eraser for whatever is due and not done, whoever was meant to and died."""
    for erasure_id in due_erasures(timezone.now()):
        _send(str(erasure_id), looks=0)


def wake_eraser(erasure_id: UUID) -> None:
    """Send the message when the transaction commits. One that is lost costs seconds only."""
    transaction.on_commit(lambda: _send(str(erasure_id), looks=LOOKS))


def _send(erasure_id: str, *, looks: int, countdown: int = 0) -> None:
    try:
        erase_one.apply_async(
            (erasure_id,), {"looks": looks}, queue="urgent", retry=False, countdown=countdown
        )
    except OperationalError:
        logger.warning("The broker is away; the eraser will be woken by the reconciler.")
