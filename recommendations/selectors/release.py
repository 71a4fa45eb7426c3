"""The model that may be served now, loaded once a process and verified by its hash."""

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from django.conf import settings

from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import DamagedModel, read_model
from recommendations.models import Release
from recommendations.selectors.training_change import has_overdue_withdrawal

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Loaded:
    release_id: UUID
    model: ItemWeights | None


_loaded: _Loaded | None = None


def current_model(now: datetime) -> ItemWeights | None:
    """The active release's model; None when there is none, when its file is damaged, or when a
    withdrawal has waited too long (law 3). Without a model, shelves are in editorial order."""
    release = Release.objects.filter(state=Release.State.ACTIVE).first()
    if release is None or has_overdue_withdrawal(now):
        return None
    return _load(release)


def _load(release: Release) -> ItemWeights | None:
    """Read a file once: when it is damaged, that is remembered too, and said once."""
    global _loaded
    if _loaded is None or _loaded.release_id != release.pk:
        try:
            _loaded = _Loaded(release.pk, _read(release))
        except OSError as error:
            logger.error("Release %s cannot be read now: %s", release.pk, error.strerror)
            return None
    return _loaded.model


def _read(release: Release) -> ItemWeights | None:
    path = Path(settings.RELEASE_DIR) / release.file_name
    try:
        return read_model(path, sha256=release.file_digest).items
    except DamagedModel as damage:
        # A file that went because a newer release came is no cause for alarm.
        if Release.objects.filter(pk=release.pk, state=Release.State.ACTIVE).exists():
            logger.critical("Release %s: %s", release.pk, damage)
        return None
