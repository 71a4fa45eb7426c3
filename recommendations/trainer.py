"""The trainer: from what changed to a published release.

Whoever asks to be forgotten is looked for twice. Once when the changes are taken up; and once at
publication, behind a lock that no change can pass: a withdrawal that committed since is seen and
the run is thrown away, one that commits later finds the release already out and wakes the next run.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Min
from numpy.typing import NDArray

from privacy_center.interface import expire_consents, last_decision
from recommendations.engine.dtypes import IntegerMatrix
from recommendations.engine.gram import content_gram
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import Facts, Model, write_model
from recommendations.item_inverse import item_inverse, without_rare
from recommendations.model_files import release_dir
from recommendations.model_state import Current, bring_up_to_date, remove_other_states
from recommendations.models import ModelState, Release, VectorChange
from recommendations.quality import (
    candidate_quality,
    has_forgotten,
    is_clearly_worse,
    membership_quality,
    rating_quality,
)
from recommendations.retirement import retire_active, retire_damaged, retire_overdue
from recommendations.selectors.quality import Sample, all_vectors, quality_sample
from recommendations.selectors.training_data import Catalog, catalog, ratings
from recommendations.selectors.vector_change import (
    CHANGES_LOCK,
    has_withdrawal_since,
    is_release_needed,
    left_since,
)
from recommendations.surprise_items import surprise_item_weights
from recommendations.turn import Clock, Turn, turn

logger = logging.getLogger(__name__)

State = Release.State

EASE = "ease"
RANKS_WORSE = "It ranks clearly worse than the release before."
NOT_JUDGED = "Whether people who were forgotten can be told could not be judged."
TRIES = 3
REST = timedelta(minutes=10)
MOST_DISCARDS = 3
LOCK_SECONDS = 10


def train(*, clock: Clock, if_needed: bool = False) -> Release | None:
    """Publish a release of today's consenting people; None when another trainer is at work, when
    the last three runs died and the next is not yet due, or when it is made only `if_needed`.

    A run during which somebody left is discarded and begun again at once. After a few of those the
    next run holds changes back until it is published, so that it cannot be discarded.
    """
    with turn(clock) as own:
        if own is None or _must_rest(clock()) or (if_needed and not is_release_needed()):
            return None
        _remove_orphans()
        release = None
        # A yes whose time has come says so to the trainer only now.
        expire_consents(at=clock())
        for _attempt in range(MOST_DISCARDS):
            release = release or _run(own, clock())
        return release or _run(own, clock(), is_last=True)


def repair(*, clock: Clock) -> None:
    """Put right what a killed run or a damaged disk left behind, unless a trainer is at work.

    Removes files that no active release names, and withdraws an active release whose file is not
    the one that was published: that no release is active is then what asks for the next one. A
    release that somebody has waited to be out of for a minute goes too, whatever keeps the next
    one (law 3): shelves are in editorial order until it is there.
    """
    with turn(clock) as own:
        if own is not None:
            _mark_lost()
            _remove_orphans()
            remove_other_states()
    # Without the lock, so that a trainer who is woken meanwhile finds it free.
    retire_damaged()
    retire_overdue(clock())


def _must_rest(now: datetime) -> bool:
    """After three runs in a row that died, the next one waits: fault 2, at most three tries. So
    does the one after a release that was held back: it would most likely be as bad.

    Somebody who leaves meanwhile is worth one more.
    """
    _mark_lost()
    latest = list(Release.objects.order_by("-started_at")[:TRIES])
    died = [r for r in latest if r.state in (State.LOST, State.FAILED)]
    is_held = bool(latest) and latest[0].state == State.HELD
    if (len(died) < TRIES and not is_held) or latest[0].started_at <= now - REST:
        return False
    if has_withdrawal_since(latest[0].started_at):
        return False
    if is_held:
        # Accepting the quality is of no use to one that was held back for something else.
        is_accepted = ModelState.objects.filter(is_quality_accepted=True).exists()
        return not (is_accepted and latest[0].held_because == RANKS_WORSE)
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


class SomebodyLeft(Exception):
    """The run knows a person who left since its snapshot; it ends here and begins again."""


class HeldBack(Exception):
    """The candidate is not good enough to be served, or not to be trusted; the message says why."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A release that is not out yet, and what it was made of: `matrix` is the S, by the columns of
    the catalog, without those that are rare."""

    release: Release
    current: Current
    catalog: Catalog
    model: Model
    matrix: IntegerMatrix
    inverse: ItemInverse
    is_rare: NDArray[np.bool_]


def _run(own: Turn, began: datetime, *, is_last: bool = False) -> Release | None:
    """One run; None when it was discarded because somebody left. The last one of several is not:
    once its candidate is made and checked, it holds changes back, takes in the few that came
    meanwhile, and publishes."""
    release = Release.objects.create(
        started_at=began, algorithm=EASE, regularization=settings.EASE_REGULARIZATION
    )
    path = release_dir() / release.file_name
    try:
        candidate = _fit(release, _read(own))
        own.sign_of_life()
        if not is_last:
            _check_nobody_left(candidate)
        _check(candidate)
        own.sign_of_life()
        with _changes_held() if is_last else nullcontext() as keeper:
            if left_since(candidate.current.batch):
                candidate = _fit(release, _read(own)) if is_last else candidate
            release.file_digest = write_model(path, candidate.model)
            _publish(own, candidate, keeper)
    except SomebodyLeft:
        path.unlink(missing_ok=True)
        release.state = State.DISCARDED
        release.save()
        logger.info("Release %s: %s.", release.pk, release.state)
        return None
    except HeldBack as reason:
        _hold_back(release, str(reason))
        return release
    except Exception:
        # Only its own: with the connection, the turn may have gone to another trainer.
        path.unlink(missing_ok=True)
        release.state = State.FAILED
        release.save(update_fields=["state"])
        raise
    _remove_orphans()
    # Published first: nobody who leaves waits for these.
    _measure(candidate)
    return release


def _read(own: Turn) -> tuple[Current, Catalog]:
    """The state with everything in it that waited, and the catalog."""
    own.sign_of_life()
    return bring_up_to_date(own), catalog()


def _fit(release: Release, read: tuple[Current, Catalog]) -> Candidate:
    began = time.perf_counter()
    current, about = read
    state = current.state.widened(about.column_ids)
    people, listeners = state.part(about.column_ids)
    content = content_gram(
        about.tags, weight=settings.CONTENT_WEIGHT, n_practices=len(about.column_ids)
    )
    is_rare = listeners < settings.SMALLEST_GROUP
    matrix = without_rare(people, is_rare) + content
    inverse = item_inverse(
        matrix,
        regularization=release.regularization,
        column_ids=about.column_ids,
        is_rare=is_rare,
        changes=current.changes,
    )
    release.is_forgetting = _waits_to_leave(current)
    # What cannot forget is made again when nobody waits; until then it is out of service.
    release.algorithm = EASE if release.is_forgetting else settings.RECOMMENDER
    items = ItemWeights.from_matrix(
        inverse.item_weights()
        if release.algorithm == EASE
        else surprise_item_weights(release.algorithm, all_vectors(about, is_rare)),
        practice_ids=about.practice_ids,
        people_per_practice=listeners[: len(about.practice_ids)],
        context_ids=about.context_ids,
        n_neighbors=settings.RELEASE_NEIGHBORS,
    )
    release.gram_digest = state.digest
    release.people = state.people
    release.interactions = state.interactions
    release.practices = len(about.practice_ids)
    release.metrics |= {"fit_seconds": round(time.perf_counter() - began, 3)}
    facts = Facts(
        algorithm=release.algorithm,
        regularization=release.regularization,
        gram_digest=release.gram_digest,
        people=release.people,
        interactions=release.interactions,
        metrics=release.metrics,
    )
    return Candidate(release, current, about, Model(items, facts), matrix, inverse, is_rare)


def _check(candidate: Candidate) -> None:
    """Measure the candidate; raises HeldBack when it must not replace the active release.

    Whether the forgotten can be told from strangers is asked before a release is out, unless
    somebody waits to be forgotten by this very release: then after.
    """
    release, items = candidate.release, candidate.model.items
    if release.gram_digest != ModelState.objects.get().gram_digest:
        raise HeldBack("Its digest is not that of the state it was made from.")
    if release.algorithm != EASE:
        # Held-out people cannot be taken out of such a model to rank for them.
        return
    sample = _sample(candidate)
    release.metrics |= candidate_quality(candidate.inverse.matrix, items=items, sample=sample)
    if not release.is_forgetting:
        _attack(candidate, sample)
    is_accepted = ModelState.objects.get().is_quality_accepted
    before = _last_measured()
    if before and not is_accepted and is_clearly_worse(release.metrics, than=before.metrics):
        raise HeldBack(RANKS_WORSE)


def _attack(candidate: Candidate, sample: Sample) -> None:
    """Ask whether its people can be told from strangers; raises HeldBack if the forgotten can."""
    candidate.release.metrics |= membership_quality(
        candidate.matrix,
        vectors=sample.vectors,
        regularization=candidate.release.regularization,
        items=candidate.model.items,
    )
    if not has_forgotten(candidate.release.metrics):
        raise HeldBack("People who were forgotten could be told from people who were never in.")


def _sample(candidate: Candidate) -> Sample:
    about = candidate.catalog
    return quality_sample(
        about.practice_ids, context_ids=about.context_ids, is_rare=candidate.is_rare
    )


def _last_measured() -> Release | None:
    """The release that a candidate is compared with: the last one that was out and measured."""
    published = Release.objects.filter(published_at__isnull=False, metrics__has_key="ndcg@10")
    return published.order_by("-published_at").first()


def _hold_back(release: Release, reason: str) -> None:
    """Keep the active release, unless somebody waits to be out of it: then there is none, and the
    shelves are in editorial order until the next one is out."""
    release.state, release.held_because = State.HELD, reason
    release.save()
    logger.critical("Release %s is held back. %s", release.pk, reason)
    if release.is_forgetting:
        retire_active()


def _measure(candidate: Candidate) -> None:
    """What nobody has to wait for: the errors of rating predictors, and the attack that a release
    was spared that had to be out at once. If that one finds somebody, the release goes. When the
    next one waits to leave already, that attack is left to the release without them."""
    release = candidate.release
    try:
        if release.is_forgetting and not left_since(candidate.current.batch):
            _attack(candidate, _sample(candidate))
    except Exception as reason:
        # Found out, or not to be judged: when in doubt, closed.
        retire_active()
        release.state = State.HELD
        release.held_because = str(reason) if isinstance(reason, HeldBack) else NOT_JUDGED
        release.save(update_fields=["state", "held_because", "metrics"])
        logger.critical("Release %s is out of service. %s", release.pk, release.held_because)
        if isinstance(reason, HeldBack):
            return
        raise
    release.metrics |= rating_quality(ratings(candidate.catalog.practice_ids))
    release.save(update_fields=["metrics"])


def _waits_to_leave(current: Current) -> bool:
    """Whether somebody waits for this release to be out of it."""
    forgetting = VectorChange.objects.filter(kind=VectorChange.Kind.FORGET)
    return forgetting.filter(batch__lte=current.batch).exists()


@contextmanager
def _changes_held() -> Iterator[CursorWrapper]:
    """Wait for changes under way and hold new ones back, on a connection of its own."""
    keeper = connection.copy()
    try:
        with keeper.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute(_HOLD, [CHANGES_LOCK])
            yield cursor
            cursor.execute("ROLLBACK")
    finally:
        keeper.close()


# Behind a change that takes long, everybody else's would queue: then this run fails and the next
# one tries.
_HOLD = f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'; SELECT pg_advisory_xact_lock(%s)"


def _check_nobody_left(candidate: Candidate) -> None:
    if left_since(candidate.current.batch):
        raise SomebodyLeft


def _publish(own: Turn, candidate: Candidate, keeper: CursorWrapper | None) -> None:
    """Make the release the active one, unless somebody left since its changes were taken up.
    `keeper` holds changes back already."""
    release = candidate.release
    with transaction.atomic():
        if keeper is None:
            with connection.cursor() as cursor:
                cursor.execute(_HOLD, [CHANGES_LOCK])
        else:
            # Fails if its connection is gone, and the lock with it.
            keeper.execute("SELECT 1")
        row = own.check()
        _check_nobody_left(candidate)
        row.is_quality_accepted = False
        row.save(update_fields=["is_quality_accepted"])
        Release.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
        included = VectorChange.objects.filter(batch__lte=candidate.current.batch)
        oldest = included.aggregate(oldest=Min("created_at"))["oldest"]
        included.delete()
        release.state = State.ACTIVE
        release.last_decision = last_decision()
        release.published_at = own.clock()
        if oldest:
            lag = release.published_at - oldest
            release.metrics["lag_seconds"] = round(lag.total_seconds(), 3)
        release.save()
    logger.info("Release %s: %s, %d people.", release.pk, release.state, release.people)
