"""Waking the trainer, and the reconciler that makes up for every message that was lost."""

import logging

from celery import group, shared_task
from django.conf import settings
from django.db import transaction
from django.utils import timezone
from kombu.exceptions import OperationalError

from recommendations.audit import audit
from recommendations.rebuild import Rebuild, SnapshotIsGone, build_shard
from recommendations.selectors.model_audit import is_audit_due
from recommendations.selectors.vector_change import has_withdrawal_before, work_due
from recommendations.trainer import repair, train

logger = logging.getLogger(__name__)


@shared_task(name="recommendations.train_model", soft_time_limit=25 * 60)
def train_model() -> None:
    """Make a release from today's consenting people, if one is needed: of any number of messages
    one does the work, and only one run is under way at a time, anywhere."""
    try:
        release = train(clock=timezone.now, if_needed=True)
    except MemoryError:
        # The run's row says that it failed, and the reconciler tries again. Celery would stop its
        # worker for a minute, and with it every queue that the worker serves.
        logger.critical("Training ran out of memory; three tries at most, then it rests.")
        return
    # Who left while this run was at its end sent a message that found it at work and did nothing.
    if release and has_withdrawal_before(timezone.now()):
        wake_trainer(is_urgent=True)


@shared_task(name="recommendations.reconcile")
def reconcile() -> None:
    """Every 10 s: put right what a killed run left, and wake whoever should be working."""
    repair(clock=timezone.now)
    if due := work_due(timezone.now()):
        wake_trainer(is_urgent=due.is_urgent)
    elif is_audit_due(timezone.now()):
        audit_model.apply_async(kwargs={"if_due": True}, queue="training", expires=10, retry=False)


@shared_task(name="recommendations.audit_model")
def audit_model(*, if_due: bool = False) -> None:
    """Every night, and after somebody was forgotten: prove that the model is exactly what today's
    people give."""
    audit(
        clock=timezone.now,
        if_due=if_due,
        shards=settings.REBUILD_SHARDS,
        send=send_shards if settings.REBUILD_SHARDS > 1 else None,
    )


@shared_task(name="recommendations.build_shard")
def build_one_shard(
    name: str, snapshot: str, slices: int, shards: int, shard: int, *, is_kept: bool
) -> None:
    """One part of a rebuild, unless it is done, under way, or nobody waits for it any more."""
    try:
        build_shard(Rebuild(name, snapshot, slices, shards, is_kept), shard)
    except SnapshotIsGone:
        logger.info("Shard %d of a rebuild that has ended was left.", shard)


def send_shards(work: Rebuild) -> None:
    """Ask every worker for help with a rebuild."""
    signatures = (
        build_one_shard.si(
            work.name, work.snapshot, work.slices, work.shards, shard, is_kept=work.is_kept
        )
        for shard in range(work.shards)
    )
    try:
        group(signatures).apply_async(queue="training", retry=False)
    except OperationalError:
        logger.warning("The broker is away; the rebuild is done by one worker.")


def wake_trainer(*, is_urgent: bool) -> None:
    """Send the message when the transaction commits. A broker that is away costs seconds only:
    the row is the job, and the reconciler finds it."""
    transaction.on_commit(lambda: _send(is_urgent=is_urgent))


def _send(*, is_urgent: bool) -> None:
    try:
        train_model.apply_async(queue="urgent" if is_urgent else "training", retry=False)
    except OperationalError:
        logger.warning("The broker is away; the trainer will be woken by the reconciler.")
