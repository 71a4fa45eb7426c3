"""`manage.py rotate_person_keys`: every person's key under the current wrapping key."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from privacy_center.keys import current_wrapping_key_id
from privacy_center.rewrapping import keys_left, rewrap_keys


class Command(BaseCommand):
    help = "Wrap every person's key by the first of KEY_ENCRYPTION_KEYS. It can be run at any time."

    def handle(self, *args: Any, **options: Any) -> None:
        current = current_wrapping_key_id()
        done = 0
        with tqdm(total=sum(keys_left().values()), desc="Keys", disable=None) as progress:
            for batch in rewrap_keys():
                done += batch.done
                progress.update(batch.done)
        self.stdout.write(f"{done:,} keys are wrapped by “{current}” now.")
        left = keys_left()
        if not left:
            self.stdout.write(
                "No key is wrapped by another one. Once no process uses the older settings, run "
                "this again; when it says the same, the others may be removed."
            )
            return
        for key_id, people in sorted(left.items()):
            self.stdout.write(f"{people:,} are wrapped by “{key_id}” still.")
        raise CommandError(
            "Those keys could not be unwrapped: put their wrapping key back into "
            "KEY_ENCRYPTION_KEYS and run this again. Nothing was lost."
        )
