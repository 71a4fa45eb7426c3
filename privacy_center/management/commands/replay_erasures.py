"""After an old backup is back: erase again whoever was erased since."""

from django.core.management.base import BaseCommand
from django.utils import timezone

from privacy_center.eraser import missing_marks, replay


class Command(BaseCommand):
    help = (
        "Erase again everybody who was erased after this database's backup was made. The site does"
        " not start before that is done."
    )

    def handle(self, *_args: object, **_options: object) -> None:
        if missing := missing_marks():
            self.stdout.write(f"{len(missing)} erasures are newer than this database …")
        count = replay(clock=timezone.now)
        self.stdout.write(f"{count} people erased again.")
