"""`manage.py verify_ledger`: derive the ledger again; exit code 1 when something is wrong."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from privacy_center.ledger_audit import Finding, audit_ledger


class Command(BaseCommand):
    help = "Derive the whole ledger again from the records, and say what is wrong and where."

    def handle(self, *args: Any, **options: Any) -> None:
        started, entries, unopened, findings = time.monotonic(), 0, 0, 0
        for step in audit_ledger():
            if isinstance(step, Finding):
                findings += 1
                self.stdout.write(f"{step}")
            else:
                entries, unopened = step.entries, step.unopened
                if self.stderr.isatty():
                    self.stderr.write(f"\r{entries:,} entries", ending="")
        if self.stderr.isatty():
            self.stderr.write("")
        seconds = time.monotonic() - started
        if findings:
            raise CommandError(f"{findings:,} things are wrong in {entries:,} entries.")
        self.stdout.write(
            f"{entries:,} entries, the tree, and every checkpoint agree with the records "
            f"({seconds:.1f} s)."
        )
        if unopened:
            self.stdout.write(f"{unopened:,} of them are of people whose key is destroyed.")
