"""The model that may be served now: every web process maps one file, and the database decides.

Each request asks which release is active and whether somebody waits too long to be out of it; no
cache has a say. A thread of every web process asks as well, once a second, so that a new release is
loaded before a request needs it, and an idle process lets go of the one before.
"""

import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q
from django.utils import timezone

from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import DamagedModel, read_model
from recommendations.models import Release
from recommendations.selectors.vector_change import UNDONE_AFTER, is_left_undone

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1.0
# A file that is gone went because a newer release came; three newer ones in a row never happen.
TRIES = 3


@dataclass(frozen=True)
class Active:
    """The release that is active. `is_overdue`: somebody waits to be out of it for too long."""

    release_id: UUID
    file_digest: str
    published_at: datetime | None
    is_overdue: bool


@dataclass(frozen=True)
class Served:
    """What the site is to be made of now: a release, if one is active, and the catalog."""

    active: Active | None
    edition: UUID | None

    @classmethod
    def of(
        cls,
        edition: UUID | None,
        release_id: UUID | None,
        digest: str,
        published_at: datetime | None,
        is_overdue: bool,
    ) -> Self:
        """From what the database function `served_to` says of the site."""
        if release_id is None:
            return cls(None, edition)
        return cls(Active(release_id, digest, published_at, is_overdue), edition)


@dataclass(frozen=True, eq=False)
class _Good:
    """A release whose file was verified."""

    release_id: UUID
    published_at: datetime | None
    items: ItemWeights


@dataclass(frozen=True, eq=False)
class _Loaded:
    """What this process serves while a release is active: that one, else the one before, else
    nothing."""

    active_id: UUID
    good: _Good | None


_loaded: _Loaded | None = None
_loading = threading.Lock()
_watcher: threading.Thread | None = None


def served(now: datetime) -> Served:
    """What the database says, in one query. `model_of` and `catalog_of` have the things
    themselves."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT edition, release_id, file_digest, published_at, is_overdue FROM served_to("
            "NULL, %s, NULL, NULL, NULL, NULL)",
            [overdue_at(now)],
        )
        return Served.of(*cursor.fetchone())


def overdue_at(now: datetime) -> datetime:
    """Whoever asked to be forgotten before this has waited for too long (law 3)."""
    grace: timedelta = settings.WITHDRAWAL_GRACE
    return now - grace


def current_model(now: datetime) -> ItemWeights | None:
    """The active release's model; None when there is none, when its file is damaged, or when a
    withdrawal has waited too long (law 3). Without a model, shelves are in editorial order."""
    return model_of(served(now).active)


def model_of(active: Active | None) -> ItemWeights | None:
    """The model to serve while this release is active, from what this process has loaded.

    When its file is damaged, that is the release before, if nobody was forgotten since.
    """
    if active is None or active.is_overdue:
        return None
    loaded = _loaded
    if loaded is None or loaded.active_id != active.release_id:
        loaded = _take_over()
    return loaded.good.items if loaded and loaded.good else None


def watch_releases() -> None:
    """Look for new releases from now on, in a thread of this process that ends with it."""
    global _watcher
    if _watcher is None or not _watcher.is_alive():
        _watcher = threading.Thread(target=watch, args=[threading.Event()], daemon=True)
        _watcher.start()


def watch(stop: threading.Event, *, every: float = LOOK_EVERY_SECONDS) -> None:
    """Serve what is active, and nothing older, until told to stop.

    While the database is away nothing changes here: no request is answered without it either.
    """
    told_at: datetime | None = None
    while not stop.wait(every):
        try:
            _look()
            told_at = _tell_if_undone(told_at)
        except (OperationalError, InterfaceError):
            logger.info("Whether there is a new release cannot be asked just now.")
        except Exception:
            logger.exception("The look for a new release failed; the next one is due soon.")
        finally:
            connection.close()


def _tell_if_undone(told_at: datetime | None) -> datetime | None:
    """Fault 35: whoever should have been woken cannot say that nobody woke them. Once an hour a
    process; returns when it was said last."""
    now = timezone.now()
    if (told_at and told_at > now - UNDONE_AFTER) or not is_left_undone(now):
        return told_at
    logger.critical(
        "Changes have waited for more than an hour to be learned or forgotten. Are the scheduler"
        " and the trainer at work? Nothing is lost: they catch up by themselves."
    )
    return now


def _look() -> None:
    active = served(timezone.now()).active
    if (active.release_id if active else None) != (_loaded.active_id if _loaded else None):
        _take_over()


def _take_over() -> _Loaded | None:
    """Load what is active, let go of what was, and swap them in one step.

    One thread at a time, each by a look of its own: no older answer undoes a newer one.
    """
    global _loaded
    with _loading:
        try:
            _loaded = _next(_loaded)
        except OSError as error:
            _loaded = None
            logger.error("The active release cannot be read now: %s", error.strerror)
        return _loaded


def _next(loaded: _Loaded | None) -> _Loaded | None:
    for _try in range(TRIES):
        active = served(timezone.now()).active
        if active is None:
            return None
        if loaded is not None and loaded.active_id == active.release_id:
            return loaded
        release = Release(pk=active.release_id)
        try:
            model = read_model(
                Path(settings.RELEASE_DIR) / release.file_name, sha256=active.file_digest
            )
        except DamagedModel as damage:
            # A file that went because a newer release came is no cause for alarm.
            if Release.objects.filter(pk=release.pk, state=Release.State.ACTIVE).exists():
                logger.critical("Release %s: %s", release.pk, damage)
                before = loaded.good if loaded else None
                is_good = before is not None and _may_still_serve(before, active)
                return _Loaded(active.release_id, before if is_good else None)
        else:
            logger.info("Serving release %s.", release.pk)
            return _Loaded(
                active.release_id, _Good(active.release_id, active.published_at, model.items)
            )
    return None


def _may_still_serve(previous: _Good, active: Active) -> bool:
    """Whether nobody was forgotten since a release, up to the one that is active now."""
    if previous.published_at is None:
        return False
    since = Release.objects.filter(
        Q(pk=active.release_id) | Q(published_at__gte=previous.published_at)
    )
    return not since.exclude(pk=previous.release_id).filter(is_forgetting=True).exists()
