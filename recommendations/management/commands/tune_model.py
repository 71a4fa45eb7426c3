"""`manage.py tune_model`: which settings of the model rank best on what is new to people."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.conf import settings as site
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.engine.diversity import BALANCE
from recommendations.engine.metrics import Estimate
from recommendations.engine.tuning import (
    Outcome,
    Settings,
    ShelfOutcome,
    Tuning,
    shelf_outcomes,
    tune,
)
from recommendations.tuning import WEIGHTING, measured

PEOPLE = 5000
BALANCES = (1.0, 0.9, 0.8, BALANCE, 0.6, 0.5)


class Command(BaseCommand):
    help = "Measure settings of the model on consenting people and recommend some; changes nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=int, default=PEOPLE, help="measure on so many at most")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        found = measured(at_most=options["people"])
        if found is None:
            raise CommandError(
                "Too few people share a history that goes on after the split. Nothing was measured."
            )
        current = Settings(site.EASE_REGULARIZATION, site.CONTENT_WEIGHT, WEIGHTING)
        self.stderr.write(_HEAD)
        tuning = tune(
            found.split,
            current=current,
            on_outcome=lambda outcome: self.stderr.write(_line(outcome)),
        )
        shelves = list(shelf_outcomes(found.split, tuning.recommended, balances=BALANCES))
        if options["json"]:
            self.stdout.write(json.dumps(_facts(tuning, shelves, found.again)))
        else:
            self.stdout.write(_text(tuning, current, shelves, found.again))


_HEAD = f"{'settings':<52} {'nDCG@10':<22} {'recall@20':<10} {'cover@12':<9} against those in use"


def _line(outcome: Outcome) -> str:
    return (
        f"{_named(outcome.settings):<52} {_interval(outcome.ndcg):<22}"
        f" {outcome.recall.value:<10.4f} {outcome.coverage:<9.3f}"
        f" {outcome.gain:+.4f} ± {1.96 * outcome.gain_error:.4f}"
    )


def _named(settings: Settings) -> str:
    return (
        f"λ {settings.regularization:g}, α {settings.content_weight},"
        f" {settings.weighting}, dropout {settings.dropout:g}"
    )


def _interval(estimate: Estimate) -> str:
    return f"{estimate.value:.4f} [{estimate.low:.4f}, {estimate.high:.4f}]"


def _text(
    tuning: Tuning, current: Settings, shelves: list[ShelfOutcome], again: Estimate | None
) -> str:
    best = tuning.confirmed
    lines = [
        f"{tuning.people} people were ranked for. The best settings, on the half that had no say:",
        _line(best),
        "",
        "Shelves of 12 by score and likeness (balance 1 is the score alone):",
        *(
            f"  balance {shelf.balance:g}: nDCG@12 {_interval(shelf.ndcg)},"
            f" {shelf.near:.2f} pairs of near-duplicates a shelf, coverage {shelf.coverage:.3f}"
            for shelf in shelves
        ),
    ]
    if again:
        lines += ["", f"Listen again: last returns among its first 12: {_interval(again)}"]
    verdict = "keep those in use" if tuning.recommended == current else "clearly better"
    chosen = tuning.recommended
    lines += [
        "",
        f"Recommended ({verdict}): EASE_REGULARIZATION={chosen.regularization:g}"
        f" CONTENT_WEIGHT={chosen.content_weight}, weights: {chosen.weighting},"
        f" dropout: {chosen.dropout:g}",
    ]
    return "\n".join(lines)


def _facts(
    tuning: Tuning, shelves: list[ShelfOutcome], again: Estimate | None
) -> dict[str, object]:
    return {
        "at": timezone.now().isoformat(),
        "people": tuning.people,
        "outcomes": [asdict(outcome) for outcome in tuning.outcomes],
        "confirmed": asdict(tuning.confirmed),
        "recommended": asdict(tuning.recommended),
        "shelves": [asdict(shelf) for shelf in shelves],
        "listen_again": asdict(again) if again else None,
    }
