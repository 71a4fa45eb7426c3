"""The demo's own SECRET_KEY: made once, kept beside its data, the same for all its processes."""

import os
import secrets
from pathlib import Path


def demo_secret(var: Path) -> str:
    """The key in `var`; written whole or not at all, so that two first starts agree on one."""
    path = var / "secret-key"
    if not path.exists():
        var.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = var / f"secret-key.{os.getpid()}"
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text()
