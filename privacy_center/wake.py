"""Waking the sequencer when a transaction commits."""

import logging

from celery import current_app
from django.core.cache import cache
from django.db import transaction
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)

SEQUENCE_LEDGER = "privacy_center.sequence_ledger"
# Of the many decisions of one second, one wakes the sequencer: it finds them all.
WAKE_KEY = "sequencer-is-woken"
WAKE_SECONDS = 1


def wake_sequencer() -> None:
    """Send the message on commit. One that is lost costs seconds only: the entry is the job, and
    the reconciler finds it."""
    transaction.on_commit(_wake)


def sequencer_is_awake() -> None:
    """Whoever decides from here on wakes the next one."""
    try:
        cache.delete(WAKE_KEY)
    except RedisError:
        logger.warning("The cache is away; the sequencer works on.")


def _wake() -> None:
    try:
        if cache.add(WAKE_KEY, 1, timeout=WAKE_SECONDS):
            current_app.send_task(SEQUENCE_LEDGER, queue="urgent", retry=False)
    except (RedisError, OperationalError):
        logger.warning("The broker is away; the sequencer will be woken by the reconciler.")
