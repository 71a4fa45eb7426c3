"""Taking a release out of service: damaged, of a refused state, or waited for too long.

Without an active release shelves are in editorial order; that there is none asks for the next one.
"""

import logging
from datetime import datetime, timedelta

from recommendations.engine.release import DamagedModel, read_model
from recommendations.model_files import release_dir
from recommendations.models import Release
from recommendations.selectors.vector_change import has_withdrawal_before

logger = logging.getLogger(__name__)

State = Release.State

FORGOTTEN_WITHIN = timedelta(seconds=50)


def retire_active() -> Release | None:
    """Take the active release out of service and remove its file; None if there is none."""
    release = Release.objects.filter(state=State.ACTIVE).first()
    return release if release and _retire(release) else None


def retire_damaged() -> None:
    """Take it out of service if its file is not the one that was published."""
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


def retire_overdue(now: datetime) -> None:
    """Take it out of service if somebody has waited to be out of it for `FORGOTTEN_WITHIN`."""
    # Read before the question: a release that comes in between has let the person go already.
    release = Release.objects.filter(state=State.ACTIVE).first()
    if release is None or not has_withdrawal_before(now - FORGOTTEN_WITHIN):
        return
    if _retire(release):
        logger.critical("Release %s is out of service: a withdrawal waits too long.", release.pk)


def _retire(release: Release) -> bool:
    still_active = Release.objects.filter(pk=release.pk, state=State.ACTIVE)
    if not still_active.update(state=State.RETIRED):
        return False
    (release_dir() / release.file_name).unlink(missing_ok=True)
    return True
