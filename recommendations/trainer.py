"""The trainer: one run from today's consents to a published release.

Consent is read twice. Once with the data, in one snapshot; and once at publication, under a lock
that no change can pass: a withdrawal that committed since the snapshot is seen and the run is
thrown away, one that commits later finds the release already out and wakes the next run.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db import connection, transaction

from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram, digest, gram
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import DamagedModel, Facts, Model, read_model, write_model
from recommendations.models import Release, TrainingChange
from recommendations.quality import quality
from recommendations.selectors.training_change import has_withdrawal_since, is_release_needed
from recommendations.selectors.training_data import TrainingData, training_data

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
State = Release.State

# An arbitrary number that means "the trainer" among PostgreSQL's advisory locks.
TRAINER_LOCK = 7_201_001
TRIES = 3
REST = timedelta(minutes=10)
MOST_DISCARDS = 20


def train(*, clock: Clock, if_needed: bool = False) -> Release | None:
    """Publish a release of today's consenting people; None when another trainer is at work, when
    the last three runs died and the next is not yet due, or when it is made only `if_needed`.

    A run during which somebody left is discarded and begun again at once.
    """
    with _alone() as is_alone:
        if not is_alone or _must_rest(clock()) or (if_needed and not is_release_needed()):
            return None
        _remove_orphans()
        for _attempt in range(MOST_DISCARDS):
            release = _run(clock)
            if release.state != State.DISCARDED:
                return release
        logger.error("Consent changed during %d runs in a row; trying again later.", MOST_DISCARDS)
        return None


def repair() -> None:
    """Put right what a killed run or a damaged disk left behind, unless a trainer is at work.

    Removes files that no active release names, and withdraws an active release whose file is not
    the one that was published: that no release is active is then what asks for the next one.
    """
    with _alone() as is_alone:
        if is_alone:
            _mark_lost()
            _remove_orphans()
            _withdraw_damaged()


def _withdraw_damaged() -> None:
    release = Release.objects.filter(state=State.ACTIVE).first()
    if release is None:
        return
    try:
        read_model(release_dir() / release.file_name, sha256=release.file_digest)
    except DamagedModel as damage:
        logger.critical("Release %s: %s", release.pk, damage)
        release.state = State.DAMAGED
        release.save(update_fields=["state"])


@contextmanager
def _alone() -> Iterator[bool]:
    """Whether this process may train; the lock ends with the connection, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [TRAINER_LOCK])
        is_alone = bool(cursor.fetchone()[0])
    try:
        yield is_alone
    finally:
        if is_alone:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [TRAINER_LOCK])


def _must_rest(now: datetime) -> bool:
    """After three runs in a row that died, the next one waits: fault 2, at most three tries.

    Somebody who leaves meanwhile is worth one more.
    """
    _mark_lost()
    latest = list(Release.objects.order_by("-started_at")[:TRIES])
    died = [r for r in latest if r.state in (State.LOST, State.FAILED)]
    if len(died) < TRIES or latest[0].started_at <= now - REST:
        return False
    if has_withdrawal_since(latest[0].started_at):
        return False
    logger.error("Training died %d times in a row; the next try is in %s.", TRIES, REST)
    return True


def _mark_lost() -> None:
    """Whoever holds the lock knows that a run still marked as training has died."""
    Release.objects.filter(state=State.TRAINING).update(state=State.LOST)


def _remove_orphans() -> None:
    active = {release.file_name for release in Release.objects.filter(state=State.ACTIVE)}
    for file in release_dir().iterdir():
        if file.name not in active:
            file.unlink(missing_ok=True)


def release_dir() -> Path:
    """Where release files are; made when it is missing."""
    folder = Path(settings.RELEASE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class Snapshot:
    """What one run works on, and the changes that it includes."""

    data: TrainingData
    changes: list[int]


def _run(clock: Clock) -> Release:
    release = Release.objects.create(
        started_at=clock(), algorithm="ease", regularization=settings.EASE_REGULARIZATION
    )
    path = release_dir() / release.file_name
    try:
        snapshot = _read()
        model = _fit(release, snapshot.data)
        release.file_digest = write_model(path, model)
        _publish(release, snapshot, clock)
    except Exception:
        # Only its own: with the connection, the lock may have gone to another trainer.
        path.unlink(missing_ok=True)
        release.state = State.FAILED
        release.save(update_fields=["state"])
        raise
    _remove_orphans()
    return release


def _read() -> Snapshot:
    """One snapshot of consents, behavior and pending changes."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        changes = list(TrainingChange.objects.values_list("pk", flat=True))
        return Snapshot(training_data(), changes)


def _fit(release: Release, data: TrainingData) -> Model:
    began = time.perf_counter()
    people = gram(data.interactions)
    content = content_gram(
        data.tags, weight=settings.CONTENT_WEIGHT, n_practices=len(data.practice_ids)
    )
    items = ItemWeights.from_matrix(
        ease_weights(people + content, regularization=release.regularization),
        practice_ids=data.practice_ids,
        people_per_practice=people_per_practice(data.interactions),
        n_neighbors=settings.RELEASE_NEIGHBORS,
    )
    release.gram_digest = digest(people, practice_ids=data.practice_ids)
    release.people = data.interactions.n_people
    release.interactions = len(data.interactions.people)
    release.practices = len(data.practice_ids)
    release.metrics = {
        "fit_seconds": round(time.perf_counter() - began, 3),
        **quality(data, content=content, regularization=release.regularization),
    }
    facts = Facts(
        algorithm=release.algorithm,
        regularization=release.regularization,
        gram_digest=release.gram_digest,
        people=release.people,
        interactions=release.interactions,
        metrics=release.metrics,
    )
    return Model(items, facts)


def _publish(release: Release, snapshot: Snapshot, clock: Clock) -> None:
    """Make the release the active one, unless somebody left since the snapshot."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            # Waits for changes under way and holds new ones until the commit: milliseconds.
            cursor.execute("LOCK TABLE recommendations_trainingchange IN SHARE ROW EXCLUSIVE MODE")
        unseen = TrainingChange.objects.filter(kind=TrainingChange.Kind.FORGET).exclude(
            pk__in=snapshot.changes
        )
        if unseen.exists():
            release.state = State.DISCARDED
        else:
            Release.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
            TrainingChange.objects.filter(pk__in=snapshot.changes).delete()
            release.state = State.ACTIVE
            release.published_at = clock()
        release.save()
    logger.info("Release %s: %s, %d people.", release.pk, release.state, release.people)
