"""Serving releases: the database decides, damage is refused, and nobody notices a swap."""

import hashlib
import json
import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import psutil
import psycopg
import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone
from psycopg import sql
from pytest_django import DjangoAssertNumQueries, Settings

from privacy_center.models import Account
from recommendations.actions.listening import set_favorite
from recommendations.actions.taste import hide_practice
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import Facts, Model, read_model, write_model
from recommendations.model_files import release_dir
from recommendations.models import Label, Practice, Release, Topic
from recommendations.selectors import release as release_selector
from recommendations.selectors.catalog import catalog_of, current_edition
from recommendations.selectors.release import current_model, watch
from tests.conftest import ROOT, choose, free_port, listen, person_of, site_env, wait_for
from tests.recommendations.moods import PERSONALIZE, STORE, feel, share_mood

State = Release.State
SignedIn = Callable[[Account], Client]
PAGE, API = "/", "/api/v1/shelves/"
MOST_QUERIES = 5
HANDS = 4


def publish(*, is_forgetting: bool = False) -> Release:
    """A release of random weights; what was active is retired, and its file is deleted at once."""
    ids = np.array(Practice.objects.order_by("pk").values_list("pk", flat=True), dtype=np.int64)
    release = Release(started_at=timezone.now(), algorithm="ease", regularization=1.0)
    items = ItemWeights.from_matrix(
        np.random.default_rng(release.pk.int % 2**32).uniform(0.1, 1.0, size=(len(ids), len(ids))),
        practice_ids=ids,
        people_per_practice=np.full(len(ids), 100, dtype=np.int64),
    )
    path = release_dir() / release.file_name
    release.file_digest = write_model(path, Model(items, Facts("ease", 1.0, "", 1, 1)))
    with transaction.atomic():
        Release.objects.filter(state=State.ACTIVE).update(state=State.RETIRED)
        release.state, release.is_forgetting = State.ACTIVE, is_forgetting
        release.published_at = timezone.now()
        release.save()
    for file in release_dir().iterdir():
        if file != path:
            file.unlink()
    return release


def file_of(release: Release) -> Path:
    return release_dir() / release.file_name


def flip_a_bit(file: Path) -> None:
    """In the place where it is, as a disk does it."""
    file.chmod(0o644)
    with file.open("r+b") as opened:
        opened.seek(file.stat().st_size // 2)
        byte = opened.read(1)[0]
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte ^ 4]))


def served_model() -> ItemWeights | None:
    return current_model(timezone.now())


def alarms(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.CRITICAL]


@pytest.fixture
def listener(alice: Account, catalog: list[Practice]) -> Account:
    """Alice, who shares and has a history."""
    listen(choose(alice, "community"), *catalog[:6])
    return alice


def test_fault_25_a_flipped_bit_is_refused_and_the_release_before_goes_on_with_one_alarm(
    catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    publish()
    before = served_model()
    assert before is not None
    damaged = publish()
    flip_a_bit(file_of(damaged))
    for _request in range(3):
        assert served_model() is before
    (alarm,) = alarms(caplog)
    assert str(damaged.pk) in alarm
    assert "is not the file that was written" in alarm

    publish()
    after = served_model()
    assert after is not None
    assert after is not before


def test_fault_25_a_missing_file_is_treated_as_a_damaged_one(
    catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    publish()
    before = served_model()
    file_of(publish()).unlink()
    assert served_model() is before is not None
    assert len(alarms(caplog)) == 1


@pytest.mark.parametrize("forgetting", [0, 1])
def test_fault_25_the_release_before_is_not_served_once_somebody_was_forgotten_since(
    forgetting: int, listener: Account, signed_in: SignedIn, caplog: pytest.LogCaptureFixture
) -> None:
    publish()
    assert served_model() is not None
    # Either the release that is damaged let go of somebody, or one that this process never saw.
    releases = [publish(is_forgetting=number == forgetting) for number in range(2)]
    flip_a_bit(file_of(releases[1]))
    assert served_model() is None
    assert release_selector._loaded is not None
    assert release_selector._loaded.good is None
    assert len(alarms(caplog)) == 1
    page = signed_in(listener).get(PAGE)
    assert page.status_code == 200
    assert "A good place to begin" in page.content.decode()


def test_law_3_the_release_before_is_not_served_for_longer_than_a_withdrawal_may_wait(
    listener: Account,
) -> None:
    publish()
    served_model()
    flip_a_bit(file_of(publish()))
    assert served_model() is not None
    choose(listener, "just-listening", at=timezone.now())
    late = timezone.now() + django_settings.WITHDRAWAL_GRACE
    assert current_model(late + timedelta(seconds=1)) is None


class Trap:
    """Makes a folder when it is unpickled."""

    def __init__(self, sprung: Path) -> None:
        self.sprung = sprung

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.sprung),)


def test_input_44_a_pickled_model_file_is_refused_and_never_unpickled(
    catalog: list[Practice], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    release, sprung = publish(), tmp_path / "sprung"
    content = pickle.dumps(Trap(sprung))
    file_of(release).unlink()
    file_of(release).write_bytes(content)
    release.file_digest = hashlib.sha256(content).hexdigest()
    release.save()
    assert served_model() is None
    assert not sprung.exists()
    assert "is not in the form of a model" in alarms(caplog)[0]
    assert Client().get(PAGE).status_code == 200


def test_input_44_a_whole_model_that_is_not_the_one_in_the_database_is_refused(
    catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    other = publish()
    content = file_of(other).read_bytes()
    release = publish()
    file_of(release).unlink()
    file_of(release).write_bytes(content)
    assert served_model() is None
    assert "is not the file that was written" in alarms(caplog)[0]


def test_fault_42_with_the_cache_flushed_the_database_decides(
    listener: Account, signed_in: SignedIn
) -> None:
    publish()
    client = signed_in(listener)

    def is_personal() -> bool:
        cache.clear()
        return shelf(client.get(API).content, "for-you")["is_personal"] is True

    assert is_personal()
    choose(listener, "just-listening")
    assert not is_personal()
    choose(listener, "community")
    assert served_model() is not None
    Release.objects.update(state=State.RETIRED)
    assert served_model() is None, "although this process has it in memory"


def shelf(content: bytes, key: str) -> dict[str, object]:
    found: list[dict[str, object]] = json.loads(content)["shelves"]
    return next(each for each in found if each["key"] == key)


def until_each_has_more(answers: Sequence[Sequence[object]]) -> None:
    """Until everybody has asked and been answered once more since now."""
    before = [len(own) for own in answers]
    wait_for(
        lambda: all(len(own) > had + 1 for own, had in zip(answers, before, strict=True)),
        what="an answer to everybody",
    )


@pytest.mark.django_db(transaction=True)
def test_requests_that_run_while_releases_are_swapped_all_get_personal_shelves(
    listener: Account, signed_in: SignedIn
) -> None:
    publish()
    clients = [signed_in(listener) for _hand in range(HANDS)]
    stop, answers = threading.Event(), [list[tuple[int, object]]() for _hand in range(HANDS)]

    def asking(client: Client, own: list[tuple[int, object]]) -> None:
        try:
            while not stop.is_set():
                answer = client.get(API)
                own.append((answer.status_code, shelf(answer.content, "for-you")["is_personal"]))
        finally:
            connection.close()

    pairs = zip(clients, answers, strict=True)
    threads = [threading.Thread(target=asking, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    try:
        for _swap in range(8):
            publish()
            until_each_has_more(answers)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert {answer for own in answers for answer in own} == {(200, True)}


@contextmanager
def watching() -> Iterator[None]:
    """A thread that looks for releases, as every web process has one."""
    stop = threading.Event()
    thread = threading.Thread(target=watch, args=[stop], kwargs={"every": 0.02})
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def loaded() -> object:
    """The id of the release that this process has in memory."""
    found = release_selector._loaded
    return found.good.release_id if found and found.good else None


def until_loaded(release: Release) -> None:
    wait_for(lambda: loaded() == release.pk, what="the swap")


@pytest.mark.django_db(transaction=True)
def test_a_process_that_nobody_asks_takes_a_new_release_and_lets_go_of_a_retired_one(
    catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    with watching(), caplog.at_level(logging.INFO):
        for _swap in range(3):
            release = publish()
            until_loaded(release)
            assert f"Serving release {release.pk}." in caplog.messages
        Release.objects.update(state=State.RETIRED)
        wait_for(lambda: loaded() is None, what="letting go")
    maps = Path("/proc/self/maps").read_text()
    assert str(release_dir()) not in maps


@contextmanager
def away() -> Iterator[None]:
    """The database takes nobody in, and has put out everybody but this thread."""
    where = connection.settings_dict
    name = where["NAME"]
    login: dict[str, Any] = {key.lower(): where[key] or None for key in ("HOST", "PORT", "USER")}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        own = cursor.fetchone()[0]
    # From the database beside it: a session cannot shut its own.
    with psycopg.connect(dbname="postgres", autocommit=True, **login) as beside:
        allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
        beside.execute(allow.format(sql.Identifier(name), sql.Literal(False)))
        try:
            beside.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = %s AND pid <> %s",
                [name, own],
            )
            yield
        finally:
            beside.execute(allow.format(sql.Identifier(name), sql.Literal(True)))


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_does_not_end_the_look_for_releases(
    catalog: list[Practice], caplog: pytest.LogCaptureFixture
) -> None:
    with watching(), caplog.at_level(logging.INFO):
        before = publish()
        until_loaded(before)
        with away():
            wait_for(
                lambda: "Whether there is a new release cannot be asked just now." in caplog.text,
                what="a look in vain",
            )
        assert loaded() == before.pk
        until_loaded(publish())


def test_a_file_that_goes_while_it_is_looked_for_leads_to_the_newer_release_without_an_alarm(
    catalog: list[Practice], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    newer: list[Release] = []

    def read_too_late(path: Path, *, sha256: str) -> Model:
        if not newer:
            newer.append(publish())
        return read_model(path, sha256=sha256)

    publish()
    monkeypatch.setattr(release_selector, "read_model", read_too_late)
    assert served_model() is not None
    assert loaded() == newer[0].pk
    assert alarms(caplog) == []


def test_only_a_web_process_looks_for_releases(catalog: list[Practice]) -> None:
    Client().get(PAGE)
    assert release_selector._watcher is None


@dataclass(frozen=True)
class Web:
    """A real web server of two processes, and what they write."""

    port: int
    processes: Sequence[psutil.Process]
    log: Path

    def status(self, path: str) -> int:
        server = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            server.request("GET", path)
            return server.getresponse().status
        finally:
            server.close()

    def mapped(self) -> list[set[str]]:
        """The releases that each process has mapped, also those without a name by now."""
        return [
            {
                Path(mapped.path.removesuffix(" (deleted)")).stem
                for mapped in process.memory_maps()
                if mapped.path.startswith(str(release_dir()))
            }
            for process in self.processes
        ]

    def serves(self, release: Release) -> bool:
        """Whether every process has this release mapped, and no other."""
        return all(mapped == {str(release.pk)} for mapped in self.mapped())

    def until_served(self, release: Release) -> None:
        wait_for(lambda: self.serves(release), what="the release in every process")


@pytest.fixture
def web(transactional_db: None, catalog: list[Practice], settings: Settings) -> Iterator[Web]:
    """The first release is out, and both processes have answered once."""
    settings.RELEASE_DIR = Path(django_settings.VAR_DIR) / "releases"
    first, port = publish(), free_port()
    log = Path(django_settings.VAR_DIR) / "web-serving.log"
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "2"]
    command += ["--blocking-threads", "2", "calm_site.wsgi:application"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=site_env(), stdout=file, stderr=file)

    def workers() -> list[psutil.Process]:
        family = psutil.Process(process.pid).children(recursive=True)
        return [each for each in family if not each.children() and each.num_threads() > 1]

    def is_up() -> bool:
        try:
            web = Web(port, workers(), log)
            return web.status(PAGE) == 200 and len(web.processes) == 2 and web.serves(first)
        except OSError:
            return False

    try:
        wait_for(is_up, what="the web server's start")
        yield Web(port, workers(), log)
    finally:
        process.terminate()
        process.wait(timeout=15)


def test_idle_web_processes_serve_a_new_release_within_two_seconds_and_let_go_of_the_old_one(
    web: Web,
) -> None:
    waits = []
    for _swap in range(3):
        release, began = publish(), time.monotonic()
        web.until_served(release)
        waits.append(time.monotonic() - began)
        assert web.log.read_text().count(f"Serving release {release.pk}.") == 2
    assert median(waits) < 2.0


def test_no_request_to_a_real_server_fails_while_releases_are_swapped(web: Web) -> None:
    stop, statuses = threading.Event(), list[int]()

    def asking(path: str) -> None:
        while not stop.is_set():
            statuses.append(web.status(path))

    threads = [threading.Thread(target=asking, args=[path]) for path in (PAGE, API)]
    for thread in threads:
        thread.start()
    try:
        for _swap in range(4):
            release = publish()
            web.until_served(release)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert set(statuses) == {200}


def _nobody(_listener: Account, _signed_in: SignedIn) -> Client:
    return Client()


def _just_listening(listener: Account, signed_in: SignedIn) -> Client:
    choose(listener, "just-listening")
    return signed_in(listener)


def _with_everything(listener: Account, signed_in: SignedIn) -> Client:
    """A history, a favorite, something hidden, and a check-in of an hour ago."""
    catalog = list(Practice.objects.order_by("pk")[:20])
    set_favorite(person_of(listener), catalog[7], is_favorite=True)
    hide_practice(person_of(listener), catalog[11], is_hidden=True)
    person = share_mood(listener, STORE, PERSONALIZE)
    feel(person, -1, 1, Label.WORRIED, at=timezone.now() - timedelta(hours=1))
    return signed_in(listener)


def _in_german(listener: Account, signed_in: SignedIn) -> Client:
    client = _with_everything(listener, signed_in)
    client.cookies[django_settings.LANGUAGE_COOKIE_NAME] = "de"
    return client


@pytest.mark.parametrize("path", [PAGE, API])
@pytest.mark.parametrize("has_release", [True, False])
@pytest.mark.parametrize("who", [_nobody, _just_listening, _with_everything, _in_german])
def test_shelves_cost_at_most_five_queries_for_anybody(
    who: Callable[[Account, SignedIn], Client],
    has_release: bool,
    path: str,
    listener: Account,
    signed_in: SignedIn,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    if has_release:
        publish()
    client = who(listener, signed_in)
    # The first request reads the catalog and the release, and notes that there is no signal.
    client.get(path)
    with django_assert_max_num_queries(MOST_QUERIES):
        answer = client.get(path)
    assert answer.status_code == 200
    assert (b"Weil" in answer.content) == (who is _in_german)


def test_the_person_with_everything_gets_shelves_by_history_and_mood(
    listener: Account, signed_in: SignedIn
) -> None:
    publish()
    client = _with_everything(listener, signed_in)
    answer = client.get(API).content
    assert shelf(answer, "again")["is_personal"] is True
    assert b"Because you said you feel worried" in answer
    hidden = Practice.objects.order_by("pk")[11]
    assert f'"{hidden.slug}"'.encode() not in answer


@pytest.mark.parametrize(
    "change",
    [
        lambda practice: Practice.objects.filter(pk=practice.pk).update(title="Other"),
        lambda practice: Practice.objects.filter(pk=practice.pk).delete(),
        lambda practice: practice.topics.clear(),
        lambda practice: Topic.objects.create(slug="other", name="Other"),
    ],
)
def test_every_change_of_the_catalog_is_a_new_edition(
    change: Callable[[Practice], object], catalog: list[Practice]
) -> None:
    before = current_edition()
    assert before is not None
    change(catalog[0])
    assert current_edition() not in (before, None)


def test_a_changed_practice_is_on_the_next_page(catalog: list[Practice]) -> None:
    first = min(catalog, key=lambda practice: (practice.place, practice.slug))
    assert first.title in Client().get(PAGE).content.decode()
    Practice.objects.filter(pk=first.pk).update(title="Quite another name")
    assert "Quite another name" in Client().get(PAGE).content.decode()


class TakenBack(Exception):
    """Ends a transaction."""


def test_a_change_that_is_rolled_back_is_not_kept_in_memory(catalog: list[Practice]) -> None:
    practice, seen = catalog[0], list[str]()
    for title in ("One", "Two"):
        try:
            with transaction.atomic():
                Practice.objects.filter(pk=practice.pk).update(title=title)
                seen.append(catalog_of(current_edition()).practices[practice.pk].title)
                raise TakenBack
        except TakenBack:
            kept = catalog_of(current_edition())
        assert kept.practices[practice.pk].title == practice.title
    assert seen == ["One", "Two"]
