"""The data map: for every column of every table, what it is, why, until when, and what becomes of
it when its person leaves.

Apps declare their tables in `personal_data.py`, which is found like `admin.py`; the tables of
libraries are declared in `calm_site/personal_data.py`. There is no second list: the export, the
erasure, the retention, the page "What we hold" and the record of processing activities (GDPR 30)
are made from this one, and `data_map_checks` stops the site while it is not complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from django.apps import apps
from django.db import models
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = Promise | str


class Category(models.TextChoices):
    """Kinds of personal data, as people are told of them, in the order of the page."""

    ACCOUNT = "account", _("Your account")
    SECURITY = "security", _("Signing in")
    CONSENT = "consent", _("Your decisions")
    LISTENING = "listening", _("Your listening")
    MOOD = "mood", _("Your check-ins")
    LEARNED = "learned", _("What was learned from you")
    STAFF = "staff", _("Who looked")


class Source(models.TextChoices):
    """Where the data came from (GDPR 15(1)(g))."""

    PERSON = "person", _("you told us")
    USE = "use", _("it came about as you used the site")
    DERIVED = "derived", _("worked out from other data of yours")
    SITE = "site", _("made by the site")


class Fate(models.TextChoices):
    """What becomes of a column when its person is erased: it goes with its row; it is emptied, and
    the row stays and names nobody any more; or it stays, for the reason that is given."""

    ROW = "row", _("deleted")
    CLEAR = "clear", _("emptied")
    KEEP = "keep", _("kept")


class Owner(StrEnum):
    """How a row is tied to its person."""

    SUBJECT = "subject"  # a path to the data subject's id
    ACCOUNT = "account"  # a path to the account
    ADDRESS = "address"  # the e-mail address, in whatever case
    SESSION = "session"  # a session's content, which names the account


@dataclass(frozen=True)
class Retention:
    """How long a row is kept, in words; where that is a number of `days`, they count from the
    moment in column `since`."""

    words: Words
    days: int | None = None
    since: str = ""

    @property
    def period(self) -> timedelta | None:
        return None if self.days is None else timedelta(days=self.days)


WHILE_ACCOUNT = Retention(_("as long as you have an account"))
WHILE_CONSENT = Retention(_("until you switch it off, or the yes ends"))


@dataclass(frozen=True)
class Column:
    """What columns are about. `withheld` says why they are not in an export, `because` why they are
    kept after an erasure; both are empty where they are exported and erased.

    `is_special`: health data (GDPR 9). `is_sealed`: encrypted under the person's own key, and
    exported as text.
    """

    category: Category
    purpose: Words
    source: Source
    is_special: bool = False
    is_sealed: bool = False
    withheld: Words = ""
    fate: Fate = Fate.ROW
    because: Words = ""


@dataclass(frozen=True)
class Table:
    """A table that holds people's data. `path` leads from a row to its person, as `owner` says."""

    label: str
    owner: Owner
    path: str
    retention: Retention
    columns: Mapping[str, Column]

    @property
    def model(self) -> type[models.Model]:
        return apps.get_model(self.label)


@dataclass(frozen=True)
class NobodysTable:
    """A table that says nothing about anybody; `because` says why not."""

    label: str
    columns: frozenset[str]
    because: str


class PlaceKind(StrEnum):
    FILES = "files"
    CACHE = "cache"
    TASK = "task"
    LOG = "log"
    MAIL = "mail"


@dataclass(frozen=True)
class Place:
    """Something outside of tables: a file, a cache key, a task's argument, a line in a log.

    `name` is the field, the folder, the key, or the task. `holds` says what of a person is in it,
    and is empty for nothing; `retention` when it goes, and `erasure` what an erasure does about it.
    """

    kind: PlaceKind
    name: str
    holds: Words
    retention: Words
    erasure: Words = ""
    arguments: frozenset[str] = frozenset()


@dataclass
class DataMap:
    """All declarations. A second one of the same thing is kept, for the check to complain of."""

    tables: list[Table] = field(default_factory=list)
    nobodys: list[NobodysTable] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    def table(
        self,
        label: str,
        owner: Owner,
        path: str,
        *,
        retention: Retention,
        columns: Mapping[str, Column],
    ) -> None:
        """Declare a table of people's data. A key of `columns` names one column or several, with
        spaces between."""
        spread = {name: what for names, what in columns.items() for name in names.split()}
        self.tables.append(Table(label, owner, path, retention, spread))

    def nobody(self, label: str, columns: str, *, because: str) -> None:
        """Declare a table that says nothing about anybody."""
        self.nobodys.append(NobodysTable(label, frozenset(columns.split()), because))

    def place(
        self,
        kind: PlaceKind,
        name: str,
        *,
        holds: Words = "",
        retention: Words = "",
        erasure: Words = "",
        arguments: str = "",
    ) -> None:
        """Declare something outside of tables."""
        named = frozenset(arguments.split())
        self.places.append(Place(kind, name, holds, retention, erasure, named))


DATA_MAP = DataMap()
