"""Where the state of the model and its releases are on disk."""

from pathlib import Path

from django.conf import settings


def state_dir() -> Path:
    """Where the state is; made when it is missing. Only trainers read it."""
    folder = Path(settings.MODEL_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder


def release_dir() -> Path:
    """Where release files are; made when it is missing. Web processes read them."""
    folder = Path(settings.RELEASE_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
