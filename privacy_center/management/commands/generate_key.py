"""`manage.py generate_key`: a fresh key for the settings, as the line to put there."""

import re
import secrets
from argparse import ArgumentParser
from base64 import b64encode
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from privacy_center.keys import KEY_BYTES
from privacy_center.ledger.checkpoint import SigningKey

KEY_ID = re.compile(r"[A-Za-z0-9._-]{1,32}")


class Command(BaseCommand):
    help = "Print a fresh key: `wrapping ID` for KEY_ENCRYPTION_KEYS, `signing` for the ledger."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=["wrapping", "signing"])
        parser.add_argument("id", nargs="?", help="a name for the wrapping key, such as 2026-11")

    def handle(self, *args: Any, **options: Any) -> None:
        fresh = secrets.token_bytes(KEY_BYTES)
        if options["kind"] == "wrapping":
            self._print_wrapping(options["id"] or "", fresh)
        else:
            self._print_signing(fresh)

    def _print_wrapping(self, key_id: str, key: bytes) -> None:
        if not KEY_ID.fullmatch(key_id):
            raise CommandError("Give the key an id of letters, digits, `.`, `_` and `-`.")
        if key_id in settings.KEY_ENCRYPTION_KEYS:
            raise CommandError(f"There is a key “{key_id}” already. Nothing was made.")
        self.stdout.write(f"{key_id}:{b64encode(key).decode()}")

    def _print_signing(self, seed: bytes) -> None:
        self.stdout.write(b64encode(seed).decode())
        # The public half, for those who check: not a secret, and not for the settings.
        verifier = SigningKey.from_seed(settings.LEDGER_ORIGIN, seed).verifier_key
        self.stderr.write(f"Its verifier key: {verifier}")
