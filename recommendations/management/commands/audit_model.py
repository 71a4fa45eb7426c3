"""`manage.py audit_model`: whether the model is exactly what today's consenting people give."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from recommendations.audit import audit
from recommendations.tasks.training import send_shards


class Command(BaseCommand):
    help = (
        "Rebuild the state of the model from people's rows and consents and compare the digests. "
        "Prints one JSON object; exits with 1 when they differ. A state that differs is replaced."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--shards", type=int, default=1, help="Into how many parts, for that many workers."
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["shards"] < 1:
            raise CommandError("There must be one shard at least.")
        with tqdm(desc="Rebuilding", unit=" slices") as bar:
            found = audit(
                clock=timezone.now,
                shards=options["shards"],
                send=send_shards if options["shards"] > 1 else None,
                on_slice=bar.update,
            )
        if found is None:
            raise CommandError("A trainer is at work. Nothing was compared; try again in a minute.")
        self.stdout.write(
            json.dumps(
                {
                    "digest": found.digest,
                    "rebuild_digest": found.rebuild_digest,
                    "equal": found.is_equal,
                    "people": found.people,
                    "seconds": found.seconds,
                }
            )
        )
        if not found.is_equal:
            raise SystemExit(1)
