"""Is anything left of somebody? Searches every store for some tokens."""

import json
from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from privacy_center.residue import TokenTooShort, look


class Command(BaseCommand):
    help = (
        "Search the database, the site's files, the broker and the cache for tokens, such as an"
        " e-mail address or a data subject's id, in every writing. Prints JSON; exits with 1 when"
        " something was found."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("tokens", nargs="+", metavar="TOKEN")

    def handle(self, *_args: object, **options: object) -> None:
        tokens = options["tokens"]
        if not isinstance(tokens, list):
            raise CommandError("Give at least one token.")
        try:
            found = look(tokens)
        except TokenTooShort:
            raise CommandError(
                "A token has at least 6 characters: less is found by chance."
            ) from None
        hits = [{"store": hit.store, "place": hit.place} for hit in found.hits]
        said = {"tables": found.tables, "files": found.files, "keys": found.keys, "hits": hits}
        self.stdout.write(json.dumps(said))
        if hits:
            raise SystemExit(1)
