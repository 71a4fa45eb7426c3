"""`manage.py train`: make and publish a release now."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from recommendations.trainer import train


class Command(BaseCommand):
    help = "Train on today's consenting people and publish the release; prints it as JSON."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stderr.write("Training …")
        release = train(clock=timezone.now)
        if release is None:
            raise CommandError(
                "No release was made: another trainer is at work, or the last three runs died."
            )
        self.stdout.write(
            json.dumps(
                {
                    "release": str(release.pk),
                    "state": release.state,
                    "people": release.people,
                    "practices": release.practices,
                    "interactions": release.interactions,
                    "gram_digest": release.gram_digest,
                    **release.metrics,
                }
            )
        )
