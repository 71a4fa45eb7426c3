"""Importing listens of people who said yes elsewhere: streaming, all or nothing."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.text import slugify

from privacy_center.interface import (
    ConsentRefused,
    Purpose,
    create_imported_subjects,
    grant_to_imported,
)
from recommendations.actions.training import note_everybody
from recommendations.listen_file import BytesRead, ListenFileError, ListenRow, read_listens
from recommendations.models import Intention, Kind, Practice, VectorChange

BLOCK_ROWS = 20_000
CREATED_SECONDS = 600

_COPY = """
COPY recommendations_listen
    (id, subject_id, consent_id, practice_id, started_at, seconds, position, completion)
FROM STDIN (FORMAT BINARY)
"""
_TYPES = ["uuid", "uuid", "uuid", "int8", "timestamptz", "int4", "int4", "float8"]


@dataclass
class Imported:
    """What an import has made so far."""

    people: int = 0
    practices: int = 0
    listens: int = 0


@dataclass
class _Import:
    """People by the name the file gives them (never stored), practices by slug."""

    at: datetime
    purposes: Collection[Purpose]
    creates_practices: bool
    done: Imported = field(default_factory=Imported)
    people: dict[str, tuple[UUID, UUID]] = field(default_factory=dict)
    practices: dict[str, tuple[int, int]] = field(default_factory=dict)

    def add(self, rows: list[ListenRow]) -> None:
        self._add_people(rows)
        self._add_practices(rows)
        with connection.cursor() as cursor, cursor.copy(_COPY) as copy:
            copy.set_types(_TYPES)
            for row in rows:
                copy.write_row(self._listen(row))
        self.done.listens += len(rows)

    def _listen(self, row: ListenRow) -> tuple[object, ...]:
        subject_id, consent_id = self.people[row.person]
        practice_id, length = self.practices[row.practice]
        heard = round(length * row.completion)
        return (
            uuid4(), subject_id, consent_id, practice_id, row.started_at,
            heard, heard, row.completion,
        )  # fmt: skip

    def _add_people(self, rows: list[ListenRow]) -> None:
        new = list(dict.fromkeys(row.person for row in rows if row.person not in self.people))
        subjects = create_imported_subjects(len(new), at=self.at)
        consents = grant_to_imported(subjects, self.purposes, at=self.at)
        for name, subject_id in zip(new, subjects, strict=True):
            self.people[name] = (subject_id, consents[subject_id])
        self.done.people += len(new)

    def _add_practices(self, rows: list[ListenRow]) -> None:
        new = {row.practice: row.line for row in rows if row.practice not in self.practices}
        if not new:
            return
        known = self._known(new)
        missing = {name: line for name, line in new.items() if name not in known}
        if missing and not self.creates_practices:
            name, line = next(iter(missing.items()))
            raise ListenFileError(
                line, f"there is no practice {name!r} (--create-practices makes it)."
            )
        made = {_slug(name): _practice(name, line) for name, line in missing.items()}
        Practice.objects.bulk_create(made.values())
        self.practices |= self._known(new)
        self.done.practices += len(made)

    def _known(self, names: Collection[str]) -> dict[str, tuple[int, int]]:
        slugs = {name: _slug(name) for name in names}
        found = {p.slug: p for p in Practice.objects.filter(slug__in=set(slugs.values()))}
        return {
            name: (found[slug].pk, found[slug].seconds_to_complete)
            for name, slug in slugs.items()
            if slug in found
        }


def import_listens(
    path: Path,
    *,
    purposes: Collection[Purpose],
    creates_practices: bool,
    at: datetime,
    on_progress: Callable[[int], None],
) -> Imported:
    """Import a file (`recommendations/listen_file.py`) for new data subjects without accounts.

    Each person gets a random id; the names in the file are forgotten at the end. The importer
    vouches that they granted `purposes`. `on_progress` gets the bytes read so far. Raises
    `ListenFileError` (a line is wrong) or `ConsentRefused`; then nothing was imported.
    """
    if Purpose.LISTENING_STORE not in purposes:
        raise ConsentRefused("Nothing may be stored without a yes to it. Nothing was imported.")
    work = _Import(at, purposes, creates_practices)
    with transaction.atomic():
        for block in _blocks(path, at, on_progress):
            work.add(block)
        if Purpose.LISTENING_TRAIN in purposes and work.done.listens:
            note_everybody(VectorChange.Kind.LEARN)
    return work.done


def _blocks(
    path: Path, at: datetime, on_progress: Callable[[int], None]
) -> Iterator[list[ListenRow]]:
    block: list[ListenRow] = []
    for item in read_listens(path, at=at):
        if isinstance(item, BytesRead):
            on_progress(item.count)
            continue
        block.append(item)
        if len(block) >= BLOCK_ROWS:
            yield block
            block = []
    if block:
        yield block


def _slug(name: str) -> str:
    """A practice's slug for the name a file gives it: bare numbers get a prefix."""
    slug = slugify(name)
    return f"imported-{slug}" if slug.isdigit() else slug


def _practice(name: str, line: int) -> Practice:
    practice = Practice(
        slug=_slug(name),
        title=f"Imported {name}",
        summary="From imported data; an editor has not described it yet.",
        kind=Kind.GUIDED,
        intention=Intention.CALM,
        seconds=CREATED_SECONDS,
    )
    try:
        practice.clean_fields()
    except ValidationError:
        raise ListenFileError(
            line, f"no practice can be named {name!a}: use plain text with Latin letters or digits."
        ) from None
    return practice
