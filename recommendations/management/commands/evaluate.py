"""`manage.py evaluate`: ranking quality of an algorithm on two files; needs no database."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.engine.ease import DEFAULT_REGULARIZATION
from recommendations.engine.evaluation import ALGORITHMS, evaluate


class Command(BaseCommand):
    help = "Fit on --train, rank for the people of --test, print one JSON object."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--train", type=Path, required=True)
        parser.add_argument("--test", type=Path, required=True)
        parser.add_argument("--algorithm", choices=sorted(ALGORITHMS), default="ease")
        parser.add_argument(
            "--regularization", type=float, default=DEFAULT_REGULARIZATION, metavar="λ"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self.stderr.write(f"Fitting {options['algorithm']} and ranking …")
        try:
            figures = evaluate(
                options["train"],
                test=options["test"],
                algorithm=options["algorithm"],
                regularization=options["regularization"],
            )
        except (OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(json.dumps(figures))
