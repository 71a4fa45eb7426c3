"""`manage.py make_population`: synthetic people in great numbers, for measuring."""

from argparse import ArgumentParser, ArgumentTypeError
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from recommendations.actions.population import PopulationRefused, make_population

SEED = 20_260


class Command(BaseCommand):
    help = (
        "Make synthetic people who agreed to everything about listening, and their listens, for "
        "measuring: all or nothing, and only where no data of real people is. The same seed makes "
        "the same people and listens."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=_count, required=True, metavar="N")
        parser.add_argument(
            "--practices",
            type=_count,
            required=True,
            metavar="M",
            help="Practices are added where fewer than M are published.",
        )
        parser.add_argument(
            "--listens", type=_count, required=True, metavar="K", help="Listens of each person."
        )
        parser.add_argument("--seed", type=_count, default=SEED, metavar="S")

    def handle(self, *args: Any, **options: Any) -> None:
        people, listens = options["people"], options["listens"]
        with tqdm(total=people, unit=" people", desc="Making") as bar:
            try:
                new = make_population(
                    people,
                    practices=options["practices"],
                    listens=listens,
                    seed=options["seed"],
                    at=timezone.now(),
                    on_progress=lambda done: _show(bar, done),
                )
            except PopulationRefused as refusal:
                raise CommandError(str(refusal)) from refusal
        self.stdout.write(
            f"Made {people:,} people with {people * listens:,} listens; {new:,} practices were new."
        )


def _show(bar: "tqdm[NoReturn]", done: int) -> None:
    bar.update(done - bar.n)


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("use a whole number of at least 1")
    return int(text)
