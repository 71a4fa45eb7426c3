"""What is read from the data map: the public list of what is held, and the record of processing."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from privacy_center.data_map import DATA_MAP, Category, Column, Table, Words

# How a spreadsheet is kept from taking a cell for a formula (OWASP, CSV injection; input 20).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class HeldLine:
    """Some columns of a table with one purpose and one fate. `columns` are the database's names."""

    table: str
    columns: Sequence[str]
    purpose: Words
    source: Words
    kept: Words
    erased: Words
    because: Words
    withheld: Words
    is_special: bool
    is_sealed: bool


@dataclass(frozen=True)
class HeldCategory:
    """One kind of personal data, and all that is held of it."""

    category: Category
    lines: Sequence[HeldLine]


@dataclass(frozen=True)
class ErasedCategory:
    """Rows of somebody's, of one kind; `kept` says what stays of them and why, mostly nothing."""

    category: Category
    count: int
    kept: Sequence[Words]


@dataclass(frozen=True)
class Activity:
    """One line of the record of processing activities (GDPR 30(1))."""

    category: str
    data: str
    people: str
    purpose: str
    recipients: str
    transfers: str
    kept: str
    security: str


def held_categories() -> list[HeldCategory]:
    """Every column about people, by kind, in the order in which people are told."""
    lines = list(_lines())
    return [
        HeldCategory(category, [line for column, line in lines if column.category == category])
        for category in Category
        if any(column.category == category for column, _line in lines)
    ]


def erasure_preview(counts: Mapping[str, int]) -> list[ErasedCategory]:
    """What an erasure does, from the number of rows by table: one entry for each kind of data. A
    table is of the kind of its first column."""
    tables = [table for table in DATA_MAP.tables if counts.get(table.label)]
    own = {table.label: next(iter(table.columns.values())).category for table in tables}
    return [
        ErasedCategory(
            category,
            sum(counts[table.label] for table in tables if own[table.label] == category),
            [
                column.because
                for table in tables
                if own[table.label] == category
                for column in dict.fromkeys(table.columns.values())
                if column.because
            ],
        )
        for category in Category
        if category in own.values()
    ]


def activities() -> list[Activity]:
    """The record of processing activities: a line for every purpose of every table, then what is
    held outside of tables."""
    own = settings.CONTROLLER
    found = [
        Activity(
            category=str(column.category.label),
            data=f"{line.table}: {', '.join(line.columns)}",
            people=_("people with an account"),
            purpose=str(line.purpose),
            recipients=_("none besides %(controller)s") % {"controller": own},
            transfers=_("none"),
            kept=str(line.kept),
            security=_security(line),
        )
        for column, line in _lines()
    ]
    for place in DATA_MAP.places:
        if place.holds:
            found.append(
                Activity(
                    category=_("Outside of tables"),
                    data=f"{place.name}: {place.holds}",
                    people=_("people with an account"),
                    purpose=_("carries out what the tables are for"),
                    recipients=_("none besides %(controller)s") % {"controller": own},
                    transfers=_("none"),
                    kept=str(place.retention),
                    security=str(place.erasure),
                )
            )
    return found


def activities_csv() -> str:
    """The same as CSV (RFC 4180), with a line of titles."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(field for field in Activity.__dataclass_fields__)
    for activity in activities():
        writer.writerow(cell(value) for value in vars(activity).values())
    return out.getvalue()


def cell(text: str) -> str:
    """A text as no spreadsheet takes it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text


def _lines() -> Iterator[tuple[Column, HeldLine]]:
    for table in DATA_MAP.tables:
        entries: dict[int, list[str]] = {}
        for name, column in table.columns.items():
            # Columns that were declared together are one entry.
            entries.setdefault(id(column), []).append(name)
        for names in entries.values():
            column = table.columns[names[0]]
            yield column, _line(table, column, names)


def _line(table: Table, column: Column, names: Sequence[str]) -> HeldLine:
    return HeldLine(
        table=_table_title(table),
        columns=names,
        purpose=column.purpose,
        source=column.source.label,
        kept=table.retention.words,
        erased=column.fate.label,
        because=column.because,
        withheld=column.withheld,
        is_special=column.is_special,
        is_sealed=column.is_sealed,
    )


def _table_title(table: Table) -> str:
    return capfirst(str(table.model._meta.verbose_name_plural))


def _security(line: HeldLine) -> str:
    return (
        _("encrypted under the person’s own key; no page for staff shows it")
        if line.is_sealed
        else _("opened by staff with a role and a written reason only, which the person reads")
    )
