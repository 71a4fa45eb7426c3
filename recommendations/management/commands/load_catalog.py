"""`manage.py load_catalog`: bring the practices of the repository into the database."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from recommendations.actions.practice import load_catalog
from recommendations.catalog import CatalogError, read_catalog


class Command(BaseCommand):
    help = "Create or update a practice for every file of recommendations/catalog/."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            count = load_catalog(read_catalog())
        except CatalogError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        if options["verbosity"]:
            self.stdout.write(f"{count} practices.")
