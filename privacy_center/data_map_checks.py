"""Law 5: every column is accounted for. These system checks stop the site while the data map has a
gap, an entry for something that is gone, or an entry that contradicts itself or the table."""

import ast
import inspect
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from celery import Task, current_app
from django.apps import apps
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.utils.module_loading import autodiscover_modules

from privacy_center.data_map import (
    DATA_MAP,
    Column,
    DataMap,
    Fate,
    NobodysTable,
    Owner,
    Place,
    PlaceKind,
    Table,
)

# Who writes declarations: these apps their own, and the site those of libraries.
OWN_APPS = ("privacy_center", "recommendations")
SITE = "calm_site/personal_data.py"
NAMES_A_PERSON = ("subject", "subject_id", "account", "account_id", "user", "user_id", "email")
CACHE_METHODS = frozenset(
    ("get", "set", "add", "delete", "get_or_set", "incr", "decr", "touch", "get_many", "set_many")
)


@register("data_map")
def check_data_map(app_configs: object = None, **_: object) -> list[CheckMessage]:
    """All that is wrong with the data map. `manage.py check` runs it, and so does every start."""
    return list(faults(DATA_MAP))


def faults(data_map: DataMap) -> Iterator[CheckMessage]:
    declared = {table.label: table for table in _all(data_map)}
    yield from _twice(data_map)
    found = {model._meta.label: model for model in _models()}
    for label, model in found.items():
        if label not in declared:
            yield _undeclared(model)
    for label, table in declared.items():
        if label not in found:
            yield _fault(
                f"{label} is declared in the data map, and there is no such table.",
                f"Take its entry out of {_file_of(label)}.",
                "E002",
            )
            continue
        yield from _columns(table, found[label])
        if isinstance(table, Table):
            yield from _table(table, found[label])
        else:
            yield from _nobodys(table, found[label])
    yield from _files(data_map, found.values())
    yield from _tasks(data_map)
    yield from _cache_keys(data_map)
    for place in data_map.places:
        yield from _place(place)


def _all(data_map: DataMap) -> list[Table | NobodysTable]:
    return [*data_map.tables, *data_map.nobodys]


def _models() -> Iterable[type[models.Model]]:
    """Every table; a view is none."""
    return [m for m in apps.get_models(include_auto_created=True) if m._meta.managed]


def _file_of(label: str) -> str:
    app = label.partition(".")[0]
    return f"{app}/personal_data.py" if app in OWN_APPS else SITE


def _undeclared(model: type[models.Model]) -> CheckMessage:
    names = " ".join(sorted(_names(model)))
    label = model._meta.label
    return _fault(
        f"{label} has no entry in the data map: nobody could say what it holds of people.",
        f"In {_file_of(label)}, write DATA_MAP.table({label!r}, …) with a column entry for each of"
        f" `{names}`; or, if no row is about anybody, DATA_MAP.nobody({label!r}, {names!r},"
        " because=…).",
        "E001",
    )


def _twice(data_map: DataMap) -> Iterator[CheckMessage]:
    labels = Counter(table.label for table in _all(data_map))
    for label, times in labels.items():
        if times > 1:
            yield _fault(
                f"{label} is declared {times} times in the data map.",
                f"Keep one of its entries in {_file_of(label)}.",
                "E003",
            )


def _columns(table: Table | NobodysTable, model: type[models.Model]) -> Iterator[CheckMessage]:
    names, declared = _names(model), set(table.columns)
    for name in sorted(names - declared):
        yield _fault(
            f"{table.label}.{name} has no entry in the data map.",
            f"In {_file_of(table.label)}, add {name!r} to the entry of {table.label}: what it"
            " holds, what for, where it comes from, and what an export and an erasure do with it.",
            "E004",
        )
    for name in sorted(declared - names):
        yield _fault(
            f"{table.label}.{name} is declared in the data map, and there is no such column.",
            f"Take {name!r} out of the entry of {table.label} in {_file_of(table.label)}.",
            "E005",
        )


def _names(model: type[models.Model]) -> set[str]:
    own = (*model._meta.local_fields, *model._meta.local_many_to_many)
    inherited = [] if not model._meta.parents else model._meta.fields
    return {
        field.name
        for field in (*own, *inherited)
        if not isinstance(field, models.CompositePrimaryKey) and not _is_joined(field)
    }


def _is_joined(field: object) -> bool:
    """Whether it is declared by its joining table, which is a table of its own."""
    return isinstance(field, models.ManyToManyField)


def _table(table: Table, model: type[models.Model]) -> Iterator[CheckMessage]:
    where = _file_of(table.label)
    if error := _path_error(table, model):
        yield _fault(
            f"{table.label}: its path {table.path!r} does not lead to a person: {error}",
            f"In {where}, name the columns that lead to the {table.owner}, with `__` between.",
            "E006",
        )
    strategies = {column.fate for column in table.columns.values()}
    if Fate.ROW in strategies and len(strategies) > 1:
        yield _fault(
            f"{table.label}: some of its columns go with the row, and others are to stay.",
            f"In {where}, give all of them Fate.ROW, or none.",
            "E007",
        )
    if Fate.ROW not in strategies and _is_still_somebodys(table):
        yield _fault(
            f"{table.label}: its rows stay after an erasure and still name their person"
            f" ({table.path}).",
            f"In {where}, empty that column (Fate.CLEAR), or say in `because` why the law wants"
            " it kept.",
            "E008",
        )
    for name, column in table.columns.items():
        yield from _column(table, name, column, model)
    yield from _retention(table, model)


def _is_still_somebodys(table: Table) -> bool:
    column = table.columns.get(table.path.partition("__")[0])
    return column is not None and column.fate == Fate.KEEP and not column.because


def _path_error(table: Table, model: type[models.Model]) -> str:
    """What is wrong with the path; empty when it leads to where it says."""
    current, last = model, None
    for step in table.path.split("__"):
        try:
            last = current._meta.get_field(step)
        except FieldDoesNotExist:
            return f"{current._meta.label} has no column {step!r}."
        if last.is_relation and last.related_model and not isinstance(last.related_model, str):
            current = last.related_model
    if table.owner == Owner.SUBJECT:
        is_right = isinstance(last, models.UUIDField) or (
            current._meta.label == "privacy_center.DataSubject"
        )
    elif table.owner == Owner.ACCOUNT:
        is_right = current._meta.label == "privacy_center.Account"
    else:
        is_right = isinstance(last, models.CharField | models.TextField)
    return "" if is_right else f"it ends at {current._meta.label}."


def _column(
    table: Table, name: str, column: Column, model: type[models.Model]
) -> Iterator[CheckMessage]:
    where, of = _file_of(table.label), f"{table.label}.{name}"
    try:
        found = model._meta.get_field(name)
    except FieldDoesNotExist:
        return
    if not column.purpose:
        yield _fault(f"{of} says no purpose.", f"In {where}, say what it is for.", "E010")
    if column.fate == Fate.KEEP and not column.because:
        yield _fault(
            f"{of} is kept after an erasure, and no reason is given.",
            f"In {where}, say `because` which law or right of others wants it kept; or erase it.",
            "E011",
        )
    if column.fate != Fate.KEEP and column.because:
        yield _fault(
            f"{of} is erased, and a reason for keeping it is given.",
            f"In {where}, take `because` away, or keep it with Fate.KEEP.",
            "E012",
        )
    if column.fate == Fate.CLEAR and not _can_be_emptied(found):
        yield _fault(
            f"{of} is to be emptied, and the table does not allow it to be empty.",
            f"In {where}, use Fate.ROW; or let the column be null.",
            "E013",
        )
    if column.is_sealed and not isinstance(found, models.BinaryField):
        yield _fault(
            f"{of} is declared as encrypted, and holds plain values.",
            f"In {where}, take `is_sealed` away; or encrypt it with privacy_center.interface.seal.",
            "E014",
        )
    is_text = isinstance(found, models.TextField)
    if column.is_special and is_text and not column.is_sealed:
        yield _fault(
            f"{of} is health data in words, and is not encrypted.",
            "Store it in a BinaryField, sealed with privacy_center.interface.seal, and say"
            f" `is_sealed` in {where}.",
            "E015",
        )
    if column.category == "mood" and not column.is_special:
        yield _fault(
            f"{of} is about moods, and is not declared as health data.",
            f"In {where}, say `is_special=True`.",
            "E016",
        )


def _can_be_emptied(found: object) -> bool:
    if not isinstance(found, models.Field):
        return False
    return bool(found.null or (found.blank and isinstance(found, models.CharField)))


def _retention(table: Table, model: type[models.Model]) -> Iterator[CheckMessage]:
    rule, where = table.retention, _file_of(table.label)
    if (rule.days is None) != (not rule.since):
        yield _fault(
            f"{table.label}: its retention has a number of days, or a moment they count from, and"
            " not the other.",
            f"In {where}, give `days` and `since` both, or neither.",
            "E017",
        )
    if rule.since:
        try:
            is_moment = isinstance(model._meta.get_field(rule.since), models.DateTimeField)
        except FieldDoesNotExist:
            is_moment = False
        if not is_moment or (rule.days is not None and rule.days <= 0):
            yield _fault(
                f"{table.label}: its retention cannot be counted from {rule.since!r}.",
                f"In {where}, name a column with a moment in `since`, and a number of days over 0.",
                "E018",
            )


def _nobodys(table: NobodysTable, model: type[models.Model]) -> Iterator[CheckMessage]:
    if not table.because:
        yield _fault(
            f"{table.label} is declared to be about nobody, and no reason is given.",
            f"In {_file_of(table.label)}, say in `because` why no row is about anybody.",
            "E019",
        )
    for found in model._meta.local_fields:
        related = found.related_model
        is_person = (
            related is not None
            and not isinstance(related, str)
            and (related._meta.label in ("privacy_center.Account", "privacy_center.DataSubject"))
        )
        if is_person or found.name in NAMES_A_PERSON:
            yield _fault(
                f"{table.label} is declared to be about nobody, and its column {found.name!r}"
                " leads to a person.",
                f"In {_file_of(table.label)}, declare it with DATA_MAP.table.",
                "E020",
            )


def _files(data_map: DataMap, found: Iterable[type[models.Model]]) -> Iterator[CheckMessage]:
    declared = set(_named(data_map, PlaceKind.FILES))
    existing = {
        f"{model._meta.label}.{field.name}"
        for model in found
        for field in model._meta.local_fields
        if isinstance(field, models.FileField)
    }
    for name in sorted(existing - declared):
        yield _fault(
            f"The files of {name} have no entry in the data map.",
            f"In {_file_of(name)}, write DATA_MAP.place(PlaceKind.FILES, {name!r}, …): what is in"
            " them, until when, and what an erasure does with them.",
            "E021",
        )
    for name in sorted(name for name in declared - existing if "/" not in name):
        yield _fault(
            f"Files of {name} are declared, and there is no such column.",
            f"Take the entry out of {_file_of(name)}; a folder's name ends with `/`.",
            "E022",
        )


def _tasks(data_map: DataMap) -> Iterator[CheckMessage]:
    """A message in the queue may hold what is declared and nothing more."""
    autodiscover_modules("tasks")
    declared = {place.name: place for place in data_map.places if place.kind == PlaceKind.TASK}
    own = {
        name: task
        for name, task in current_app.tasks.items()
        if name.partition(".")[0] in (*OWN_APPS, "calm_site")
    }
    for name, task in sorted(own.items()):
        arguments = _arguments(task)
        if name not in declared or declared[name].arguments != arguments:
            yield _fault(
                f"The task {name} takes {' '.join(sorted(arguments)) or 'no arguments'}; the data"
                " map says something else.",
                f"In {_file_of(name)}, write DATA_MAP.place(PlaceKind.TASK, {name!r},"
                f" arguments={' '.join(sorted(arguments))!r}, …). A task names rows by their ids;"
                " nothing else of a person goes through the queue.",
                "E023",
            )
    for name in sorted(set(declared) - set(own)):
        yield _fault(
            f"The task {name} is declared in the data map, and there is no such task.",
            f"Take its entry out of {_file_of(name)}.",
            "E024",
        )


def _arguments(task: Task) -> frozenset[str]:
    return frozenset(inspect.signature(task.run).parameters)


def _cache_keys(data_map: DataMap) -> Iterator[CheckMessage]:
    declared = set(_named(data_map, PlaceKind.CACHE))
    used: set[str] = set()
    for app in (*OWN_APPS, "calm_site"):
        for path in sorted(Path(apps.get_app_config(app).path).rglob("*.py")):
            for key in _keys_in(path):
                used.add(key)
                if key not in declared:
                    yield _fault(
                        f"{path.name} uses the cache key {key!r}, which has no entry in the data"
                        " map.",
                        f"In {app}/personal_data.py, write DATA_MAP.place(PlaceKind.CACHE, {key!r},"
                        " …): what it holds, and for how long.",
                        "E025",
                    )
    for key in sorted(key for key in declared - used if not key.startswith("library ")):
        yield _fault(
            f"The cache key {key!r} is declared in the data map, and nothing uses it.",
            "Take its entry out of personal_data.py.",
            "E026",
        )


def _keys_in(path: Path) -> Sequence[str]:
    """The keys that a module gives to the cache: texts, and names of texts in the module."""
    source = path.read_text()
    if "cache" not in source:
        return ()
    tree = ast.parse(source)
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    return [
        _key_of(call.args[0], constants)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in CACHE_METHODS
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("cache", "caches")
        and call.args
    ]


def _key_of(argument: ast.expr, constants: Mapping[str, object]) -> str:
    if isinstance(argument, ast.Constant):
        return str(argument.value)
    if isinstance(argument, ast.Name):
        return str(constants.get(argument.id, argument.id))
    return ast.unparse(argument)


def _place(place: Place) -> Iterator[CheckMessage]:
    if place.holds and not (place.retention and place.erasure):
        yield _fault(
            f"{place.name} holds something of people, and its entry says not until when, or not"
            " what an erasure does about it.",
            "In personal_data.py, give `retention` and `erasure` with `holds`.",
            "E027",
        )


def _named(data_map: DataMap, kind: PlaceKind) -> Collection[str]:
    return {place.name for place in data_map.places if place.kind == kind}


def _fault(message: str, hint: str, number: str) -> CheckMessage:
    return Error(message, hint=hint, id=f"data_map.{number}")
