"""`manage.py load_demo`: a synthetic population, a trained model, and a few sign-ins."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from calm_site import demo
from recommendations.trainer import train


class Command(BaseCommand):
    help = "Load the demo if it is not there yet, and print its sign-ins."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--people", type=int, default=demo.PEOPLE)

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError("This site is not a demo (DEMO=0). Nothing was changed.")
        if not demo.is_loaded():
            if demo.has_other_accounts():
                self.stdout.write("\n  This database has accounts of its own: no demo is loaded.")
                return
            call_command("load_catalog", verbosity=0)
            people = demo.load_people(now=timezone.now(), count=options["people"])
            for _done in tqdm(people, total=options["people"], desc="  Synthetic people"):
                pass
            train(clock=timezone.now)
        self.stdout.write(f"\n  Sign-ins of the demo, all with the password {demo.PASSWORD}")
        for sign_in in demo.SIGN_INS:
            self.stdout.write(f"    {sign_in.email:<28} {sign_in.what}")
