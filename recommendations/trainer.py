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

from recommendations.engine.dtypes import IntegerMatrix
from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram, digest, gram
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import DamagedModel, Facts, Model, read_model, write_model
from recommendations.models import Release, TrainingChange
from recommendations.quality import quality
from recommendations.selectors.training_change import (
    has_withdrawal_before,
    has_withdrawal_since,
    is_release_needed,
    left_since,
)
from recommendations.selectors.training_data import TrainingData, training_data
from recommendations.weights import Counts

logger = logging.getLogger(__name__)

Clock = Callable[[], datetime]
State = Release.State

# An arbitrary number that means "the trainer" among PostgreSQL's advisory locks.
TRAINER_LOCK = 7_201_001
TRIES = 3
REST = timedelta(minutes=10)
MOST_DISCARDS = 3
LOCK_SECONDS = 10
FORGOTTEN_WITHIN = timedelta(seconds=50)


def train(*, clock: Clock, if_needed: bool = False) -> Release | None:
    """Publish a release of today's consenting people; None when another trainer is at work, when
    the last three runs died and the next is not yet due, or when it is made only `if_needed`.

    A run during which somebody left is discarded and begun again at once. After a few of those the
    next run holds changes back until it is published, so that it cannot be discarded.
    """
    with _alone() as is_alone:
        if not is_alone or _must_rest(clock()) or (if_needed and not is_release_needed()):
            return None
        _remove_orphans()
        run = None
        for _attempt in range(MOST_DISCARDS):
            run = run or _run(clock, clock())
        if run is None:
            # Begun before it waits: who leaves while it waits left after it began.
            began = clock()
            with transaction.atomic():
                _hold_changes()
                run = _run(clock, began)
        if run is None:
            return None
    # Published first: nobody who leaves waits for measurements.
    _measure(run)
    return run.release


def repair(*, clock: Clock) -> None:
    """Put right what a killed run or a damaged disk left behind, unless a trainer is at work.

    Removes files that no active release names, and withdraws an active release whose file is not
    the one that was published: that no release is active is then what asks for the next one. A
    release that somebody has waited to be out of for a minute goes too, whatever keeps the next
    one (law 3): shelves are in editorial order until it is there.
    """
    with _alone() as is_alone:
        if is_alone:
            _mark_lost()
            _remove_orphans()
    # Without the lock, so that a trainer who is woken meanwhile finds it free.
    _retire_damaged()
    _retire_overdue(clock())


def _retire_damaged() -> None:
    release = Release.objects.filter(state=State.ACTIVE).first()
    if release is None:
        return
    try:
        read_model(release_dir() / release.file_name, sha256=release.file_digest)
    except DamagedModel as damage:
        still_active = Release.objects.filter(pk=release.pk, state=State.ACTIVE)
        if still_active.update(state=State.DAMAGED):
            logger.critical("Release %s: %s", release.pk, damage)
    except OSError as error:
        logger.error("Release %s cannot be read now: %s", release.pk, error.strerror)


def _retire_overdue(now: datetime) -> None:
    # Read before the question: a release that comes in between has let the person go already.
    release = Release.objects.filter(state=State.ACTIVE).first()
    if release is None or not has_withdrawal_before(now - FORGOTTEN_WITHIN):
        return
    still_active = Release.objects.filter(pk=release.pk, state=State.ACTIVE)
    if still_active.update(state=State.RETIRED):
        (release_dir() / release.file_name).unlink(missing_ok=True)
        logger.critical("Release %s is out of service: a withdrawal waits too long.", release.pk)


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


class SomebodyLeft(Exception):
    """The run knows a person who left since its snapshot; it ends here and begins again."""


@dataclass(frozen=True)
class Run:
    """A release that was published, and what it was made of."""

    release: Release
    data: TrainingData
    content: IntegerMatrix


@dataclass(frozen=True)
class Snapshot:
    """What one run works on, and the changes that it includes."""

    data: TrainingData
    changes: list[int]


def _run(clock: Clock, began: datetime) -> Run | None:
    """One run; None when it was discarded because somebody left."""
    release = Release.objects.create(
        started_at=began, algorithm="ease", regularization=settings.EASE_REGULARIZATION
    )
    path = release_dir() / release.file_name
    try:
        snapshot = _read()
        data = snapshot.data
        content = content_gram(
            data.tags, weight=settings.CONTENT_WEIGHT, n_practices=len(data.column_ids)
        )
        model = _fit(release, data, content)
        _check_nobody_left(snapshot)
        release.file_digest = write_model(path, model)
        _publish(release, snapshot, clock)
    except SomebodyLeft:
        path.unlink(missing_ok=True)
        release.state = State.DISCARDED
        release.save()
        logger.info("Release %s: %s.", release.pk, release.state)
        return None
    except Exception:
        # Only its own: with the connection, the lock may have gone to another trainer.
        path.unlink(missing_ok=True)
        release.state = State.FAILED
        release.save(update_fields=["state"])
        raise
    _remove_orphans()
    return Run(release, data, content)


def _read() -> Snapshot:
    """One snapshot of consents, behavior and pending changes; while changes are held back, what
    matters stands still by itself."""
    is_held = connection.in_atomic_block
    with transaction.atomic():
        with connection.cursor() as cursor:
            if not is_held:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        changes = list(TrainingChange.objects.values_list("pk", flat=True))
        return Snapshot(training_data(), changes)


def _fit(release: Release, data: TrainingData, content: IntegerMatrix) -> Model:
    began = time.perf_counter()
    people = gram(data.interactions)
    listeners = people_per_practice(data.interactions)
    served = without_rare(people, listeners, fewest=settings.SMALLEST_GROUP) + content
    items = ItemWeights.from_matrix(
        ease_weights(served, regularization=release.regularization),
        practice_ids=data.practice_ids,
        people_per_practice=listeners[: len(data.practice_ids)],
        context_ids=data.context_ids,
        n_neighbors=settings.RELEASE_NEIGHBORS,
    )
    release.gram_digest = digest(people, practice_ids=data.column_ids)
    release.people = data.interactions.n_people
    release.interactions = len(data.interactions.people)
    release.practices = len(data.practice_ids)
    release.metrics = {"fit_seconds": round(time.perf_counter() - began, 3)}
    facts = Facts(
        algorithm=release.algorithm,
        regularization=release.regularization,
        gram_digest=release.gram_digest,
        people=release.people,
        interactions=release.interactions,
        metrics=release.metrics,
    )
    return Model(items, facts)


def without_rare(people: IntegerMatrix, listeners: Counts, *, fewest: int) -> IntegerMatrix:
    """G without what it says of practices that fewer than `fewest` people heard, and of moods that
    fewer came with: their neighbors, which anybody can see, come from content alone and tell
    nothing of those few."""
    shown = people.copy()
    rare = listeners < fewest
    shown[rare, :] = 0
    shown[:, rare] = 0
    return shown


def _hold_changes() -> None:
    """Wait for changes under way and hold new ones until the transaction ends. Behind a change
    that takes long, everybody else's would queue: then this run fails and the next one tries."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
        cursor.execute("LOCK TABLE recommendations_trainingchange IN SHARE ROW EXCLUSIVE MODE")


def _check_nobody_left(snapshot: Snapshot) -> None:
    if left_since(snapshot.changes):
        raise SomebodyLeft


def _measure(run: Run) -> None:
    """How good the release is; measured on what it was made of, after it is out."""
    release = run.release
    release.metrics |= quality(run.data, content=run.content, regularization=release.regularization)
    release.save(update_fields=["metrics"])


def _publish(release: Release, snapshot: Snapshot, clock: Clock) -> None:
    """Make the release the active one, unless somebody left since the snapshot."""
    with transaction.atomic():
        _hold_changes()
        _check_nobody_left(snapshot)
        Release.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
        TrainingChange.objects.filter(pk__in=snapshot.changes).delete()
        release.state = State.ACTIVE
        release.published_at = clock()
        release.save()
    logger.info("Release %s: %s, %d people.", release.pk, release.state, release.people)
