"""Finds a Chromium for the tests, or installs one. `python -m calm_site.chromium` says which."""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
HINT = (
    "There is no Chromium and none could be installed. Install the package `chromium`, or set "
    "CHROMIUM to the path of one."
)


def find() -> Path | None:
    """The CHROMIUM of the environment, a Chromium on the PATH, or Playwright's own."""
    candidates = (os.environ.get("CHROMIUM"), *NAMES)
    for found in (shutil.which(name) for name in candidates if name):
        if found:
            return Path(found)
    return _playwrights()


def find_or_install() -> Path:
    """A Chromium that is there, else one installed now. Exits with one line if there is none."""
    for install in (_nothing, _install_playwrights, _install_package):
        with suppress(subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError):
            install()
            found = find()
            if found and _runs(found):
                return found
    raise SystemExit(HINT)


def _playwrights() -> Path | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = Path(playwright.chromium.executable_path)
    return path if path.exists() else None


def _runs(path: Path) -> bool:
    """Whether the browser starts: a downloaded one may lack the libraries of its system."""
    command = [str(path), "--headless", "--no-sandbox", "--version"]
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


def _nothing() -> None:
    """Nothing to install: the first try is what is there."""


def _install_playwrights() -> None:
    _run([sys.executable, "-m", "playwright", "install", "chromium"], seconds=300)


def _install_package() -> None:
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return
    environment = ["env", "DEBIAN_FRONTEND=noninteractive"]
    _run([*environment, "apt-get", "update", "-qq"], seconds=300)
    install = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium"]
    _run([*environment, *install], seconds=900)


def _run(command: list[str], *, seconds: float) -> None:
    sys.stdout.write(f"No Chromium yet: {' '.join(command)}\n")
    sys.stdout.flush()
    subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds, check=True
    )


if __name__ == "__main__":
    sys.stdout.write(f"{find_or_install()}\n")
