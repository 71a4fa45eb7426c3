#!/usr/bin/env python
"""Django's command line. Without DATABASE_URL it uses the embedded servers (docs/running.md)."""

import os
import sys
from contextlib import AbstractContextManager, nullcontext

from calm_site import embedded

# Commands that never touch the database or the broker: nothing is started for them.
SERVERLESS = frozenset(
    {
        "evaluate",
        "generate_key",
        "makemessages",
        "compilemessages",
        "help",
        "version",
        "--help",
        "-h",
        "--version",
    }
)


def _servers(command: str) -> AbstractContextManager[object]:
    if "DATABASE_URL" in os.environ or command in SERVERLESS:
        return nullcontext()
    return embedded.environment()


def main() -> None:
    """Run one command, with servers around it where it needs them."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")
    from django.core.management import execute_from_command_line

    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    with _servers(command):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
