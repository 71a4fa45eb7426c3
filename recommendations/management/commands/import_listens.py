"""`manage.py import_listens FILE`: listens from a file, all or nothing."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from privacy_center.interface import ConsentRefused, Purpose
from recommendations.actions.listen_import import import_listens
from recommendations.listen_file import ListenFileError


class Command(BaseCommand):
    help = (
        "Import listens for new people without accounts. FILE is CSV with the header "
        "person,practice,started_at,completion, or a line a person of the form 'user item item …'."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--create-practices", action="store_true")
        parser.add_argument(
            "--grant",
            default="",
            metavar="PURPOSES",
            help="What these people said yes to, with commas: "
            "listening:store,listening:personalize,listening:train. You vouch for it.",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        if not path.is_file():
            raise CommandError(f"There is no file {path}.")
        purposes = _purposes(options["grant"])
        size = path.stat().st_size
        with tqdm(total=size, unit="B", unit_scale=True, desc="Importing") as bar:
            try:
                done = import_listens(
                    path,
                    purposes=purposes,
                    creates_practices=options["create_practices"],
                    at=timezone.now(),
                    on_progress=lambda read: _show(bar, read),
                )
            except (ListenFileError, ConsentRefused) as error:
                raise CommandError(str(error)) from error
            _show(bar, size)
        self.stdout.write(
            f"Imported {done.listens:,} listens of {done.people:,} people; "
            f"{done.practices:,} practices were new."
        )


def _show(bar: "tqdm[NoReturn]", read: int) -> None:
    bar.update(read - bar.n)


def _purposes(text: str) -> frozenset[Purpose]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    unknown = [name for name in names if name not in set(Purpose)]
    if unknown:
        raise CommandError(f"There is no purpose {unknown[0]!r}.")
    purposes = frozenset(Purpose(name) for name in names)
    if Purpose.LISTENING_STORE not in purposes:
        raise CommandError(
            "Nothing may be stored without a yes to it: --grant listening:store says that these "
            "people gave one. Nothing was imported."
        )
    return purposes
