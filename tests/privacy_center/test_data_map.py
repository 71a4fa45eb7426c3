"""Law 5: a column without an entry in the data map stops the site, and so does a wrong entry."""

import copy
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from celery import current_app, shared_task
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import models

from privacy_center.data_map import (
    DATA_MAP,
    WHILE_ACCOUNT,
    Category,
    Column,
    DataMap,
    Fate,
    Owner,
    PlaceKind,
    Retention,
    Source,
    Table,
)
from privacy_center.data_map_checks import faults
from recommendations.models import Listen, Practice
from tests.conftest import ROOT, site_env

SITE = Column(Category.LISTENING, "a reason", Source.SITE)


def found(data_map: DataMap = DATA_MAP) -> list[str]:
    return [str(fault.id) for fault in faults(data_map)]


def table(data_map: DataMap, label: str) -> Table:
    return next(each for each in data_map.tables if each.label == label)


def put(data_map: DataMap, label: str, **changes: object) -> None:
    """Change a declaration; `columns` are laid over those that are there."""
    index = next(i for i, each in enumerate(data_map.tables) if each.label == label)
    old = data_map.tables[index]
    if "columns" in changes:
        changes["columns"] = {**old.columns, **changes["columns"]}  # type: ignore[dict-item]
    data_map.tables[index] = replace(old, **changes)  # type: ignore[arg-type]


def without(data_map: DataMap, label: str, name: str) -> None:
    index = next(i for i, each in enumerate(data_map.tables) if each.label == label)
    old = data_map.tables[index]
    columns = {key: value for key, value in old.columns.items() if key != name}
    data_map.tables[index] = replace(old, columns=columns)


def changed(data_map: DataMap, label: str, name: str, **changes: object) -> None:
    put(
        data_map,
        label,
        columns={name: replace(table(data_map, label).columns[name], **changes)},  # type: ignore[arg-type]
    )


def drop(data_map: DataMap, label: str) -> None:
    data_map.tables = [each for each in data_map.tables if each.label != label]
    data_map.nobodys = [each for each in data_map.nobodys if each.label != label]


def drop_place(data_map: DataMap, name: str) -> None:
    data_map.places = [place for place in data_map.places if place.name != name]


def call_nobodys(data_map: DataMap, label: str) -> None:
    drop(data_map, label)
    data_map.nobody(label, " ".join(table(DATA_MAP, label).columns), because="x")


def argue(data_map: DataMap, task: str, arguments: str) -> None:
    drop_place(data_map, task)
    data_map.place(PlaceKind.TASK, task, arguments=arguments)


LISTEN, CHECK_IN = "recommendations.Listen", "recommendations.CheckIn"
ACCOUNT, RECORD = "privacy_center.Account", "privacy_center.ConsentRecord"
ENTRY = "privacy_center.LedgerEntry"

MUTATIONS: dict[str, tuple[str, Callable[[DataMap], None]]] = {
    "own table dropped": ("E001", lambda m: drop(m, LISTEN)),
    "library's table dropped": ("E001", lambda m: drop(m, "axes.AccessAttempt")),
    "joining table dropped": ("E001", lambda m: drop(m, "privacy_center.Account_groups")),
    "nobody's table dropped": ("E001", lambda m: drop(m, "recommendations.Practice")),
    "table that is gone": ("E002", lambda m: m.nobody("recommendations.Gone", "id", because="x")),
    "table declared twice": ("E003", lambda m: m.nobody(LISTEN, "id", because="x")),
    "column dropped": ("E004", lambda m: without(m, LISTEN, "seconds")),
    "sealed column dropped": ("E004", lambda m: without(m, CHECK_IN, "sealed")),
    "foreign key dropped": ("E004", lambda m: without(m, RECORD, "notice")),
    "library's column dropped": ("E004", lambda m: without(m, "mfa.Authenticator", "data")),
    "column that is gone": ("E005", lambda m: put(m, LISTEN, columns={"mood": SITE})),
    "path to nowhere": ("E006", lambda m: put(m, LISTEN, path="person_id")),
    "path to a practice": ("E006", lambda m: put(m, LISTEN, path="practice")),
    "path to a number": ("E006", lambda m: put(m, LISTEN, path="seconds")),
    "account called a subject": ("E006", lambda m: put(m, ACCOUNT, owner=Owner.SUBJECT)),
    "subject called an account": ("E006", lambda m: put(m, LISTEN, owner=Owner.ACCOUNT)),
    "address of a number": (
        "E006",
        lambda m: put(m, "axes.AccessAttempt", path="failures_since_start"),
    ),
    "one column outlives its row": (
        "E007",
        lambda m: changed(m, LISTEN, "seconds", fate=Fate.KEEP, because="x"),
    ),
    "row stays and names its person": (
        "E008",
        lambda m: changed(m, ENTRY, "record", fate=Fate.KEEP),
    ),
    "no purpose": ("E010", lambda m: changed(m, LISTEN, "seconds", purpose="")),
    "kept without a reason": ("E011", lambda m: changed(m, ENTRY, "leaf_hash", because="")),
    "erased with a reason to keep": ("E012", lambda m: changed(m, LISTEN, "seconds", because="x")),
    "emptied where it cannot be": (
        "E013",
        lambda m: changed(m, ENTRY, "leaf_hash", fate=Fate.CLEAR, because=""),
    ),
    "sealed where it is plain": ("E014", lambda m: changed(m, LISTEN, "seconds", is_sealed=True)),
    "health data in plain words": (
        "E015",
        lambda m: changed(m, "axes.AccessAttempt", "get_data", is_special=True),
    ),
    "mood that is not health data": (
        "E016",
        lambda m: changed(m, CHECK_IN, "valence", is_special=False),
    ),
    "days from nowhere": ("E017", lambda m: put(m, LISTEN, retention=Retention("x", days=3))),
    "a moment without days": (
        "E017",
        lambda m: put(m, LISTEN, retention=Retention("x", since="started_at")),
    ),
    "days counted from a number": (
        "E018",
        lambda m: put(m, LISTEN, retention=Retention("x", days=3, since="seconds")),
    ),
    "no days at all": (
        "E018",
        lambda m: put(m, LISTEN, retention=Retention("x", days=0, since="started_at")),
    ),
    "nobody's without a reason": (
        "E019",
        lambda m: m.nobodys.__setitem__(0, replace(m.nobodys[0], because="")),
    ),
    "somebody's called nobody's": (
        "E020",
        lambda m: call_nobodys(m, LISTEN),
    ),
    "files dropped": ("E021", lambda m: drop_place(m, "recommendations.Practice.audio")),
    "files that are gone": (
        "E022",
        lambda m: m.place(PlaceKind.FILES, "recommendations.Gone.file"),
    ),
    "task dropped": ("E023", lambda m: drop_place(m, "recommendations.train_model")),
    "task with another argument": (
        "E023",
        lambda m: argue(m, "recommendations.train_model", "email"),
    ),
    "task that is gone": ("E024", lambda m: m.place(PlaceKind.TASK, "recommendations.gone")),
    "cache key dropped": ("E025", lambda m: drop_place(m, "live-consents")),
    "cache key that is gone": ("E026", lambda m: m.place(PlaceKind.CACHE, "gone")),
    "place without an end": ("E027", lambda m: m.place(PlaceKind.LOG, "more", holds="names")),
}


def test_the_data_map_is_complete() -> None:
    assert found() == []


@pytest.mark.parametrize(("number", "mutate"), MUTATIONS.values(), ids=MUTATIONS)
def test_law_5_a_wrong_entry_is_found(number: str, mutate: Callable[[DataMap], None]) -> None:
    changed_map = copy.deepcopy(DATA_MAP)
    mutate(changed_map)
    assert f"data_map.{number}" in found(changed_map)


def test_law_5_there_are_at_least_thirty_mutations() -> None:
    assert len(MUTATIONS) >= 30


def stops(*says: str) -> None:
    """`manage.py check` refuses, and says what to write where."""
    with pytest.raises(SystemCheckError) as refused:
        call_command("check")
    for text in says:
        assert text in str(refused.value)


@contextmanager
def added(model: type[models.Model], name: str, field: models.Field) -> Iterator[None]:
    field.contribute_to_class(model, name)
    try:
        yield
    finally:
        model._meta.local_fields.remove(field)
        delattr(model, name)
        apps.clear_cache()


def test_law_5_a_new_field_stops_the_site() -> None:
    with added(Listen, "headphones", models.CharField(max_length=10, default="")):
        stops("recommendations.Listen.headphones", "recommendations/personal_data.py")


def test_law_5_a_new_field_of_a_table_about_nobody_stops_the_site() -> None:
    with added(Practice, "written_by", models.CharField(max_length=10, default="")):
        stops("recommendations.Practice.written_by", "recommendations/personal_data.py")


def test_law_5_a_new_file_field_stops_the_site() -> None:
    with added(Practice, "cover", models.FileField(default="")):
        stops("The files of recommendations.Practice.cover", "PlaceKind.FILES")


def test_law_5_a_new_model_stops_the_site() -> None:
    class Dream(models.Model):
        subject_id = models.UUIDField()

        class Meta:
            app_label = "recommendations"

        def __str__(self) -> str:
            return "dream"

    try:
        stops("recommendations.Dream has no entry", "`id subject_id`")
    finally:
        del apps.all_models["recommendations"]["dream"]
        apps.clear_cache()


def test_law_5_a_library_with_tables_stops_the_site(tmp_path: Path) -> None:
    """In a process of its own: an app is installed once."""
    (tmp_path / "with_sites.py").write_text(
        "from calm_site.settings import *\nINSTALLED_APPS.append('django.contrib.sites')\n"
    )
    env = site_env() | {"DJANGO_SETTINGS_MODULE": "with_sites", "PYTHONPATH": str(tmp_path)}
    checked = subprocess.run(
        [sys.executable, "manage.py", "check"], cwd=ROOT, env=env, capture_output=True, check=False
    )
    assert checked.returncode == 1
    assert b"sites.Site has no entry" in checked.stderr
    assert b"calm_site/personal_data.py" in checked.stderr


def test_law_5_a_new_task_stops_the_site() -> None:
    @shared_task(name="recommendations.mail_everything")
    def mail_everything(address: str) -> None:
        """Never run."""

    try:
        stops("recommendations.mail_everything", "arguments='address'")
    finally:
        current_app.tasks.pop("recommendations.mail_everything")


def test_law_5_a_new_cache_key_stops_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    helper = 'KEY = "moods-of-today"\n\ndef kept(cache):\n    return cache.get(KEY)\n'
    (tmp_path / "helper.py").write_text(helper)
    monkeypatch.setattr(apps.get_app_config("calm_site"), "path", str(tmp_path))
    stops("helper.py uses the cache key 'moods-of-today'", "calm_site/personal_data.py")


def test_the_retention_is_a_period() -> None:
    assert WHILE_ACCOUNT.period is None
    assert table(DATA_MAP, "admin.LogEntry").retention.period is not None
