"""The cast and the stage: alice, bob and charlie; a real database, broker, worker and browser."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from urllib.request import urlopen
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings as django_settings
from django.contrib.auth.hashers import make_password
from django.core.cache import cache
from django.db import OperationalError, connection
from django.db.backends.postgresql.operations import DatabaseOperations
from django.test import Client
from django.utils import translation
from psycopg.errors import DeadlockDetected
from pytest_django import DjangoDbBlocker, Settings

from calm_site.prepare import collect_static
from privacy_center.actions.consent import choose_preset
from privacy_center.actions.subject import create_subject
from privacy_center.interface import Person, purposes_in_force
from privacy_center.models import Account, AgeBand, Method
from privacy_center.purposes import PRESETS, Preset
from privacy_center.selectors.notice import live_notices
from recommendations.actions.listening import Heard, record_listens
from recommendations.actions.practice import load_catalog
from recommendations.catalog import read_catalog
from recommendations.models import Practice, VectorChange
from recommendations.selectors import release as release_selector

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "a-quiet-shore"
PRESET = {preset.key: preset for preset in PRESETS}
NOW = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)
WAIT_SECONDS = 60.0
FLUSH_TRIES = 5


def wait_for(condition: Callable[[], object], *, what: str, seconds: float = WAIT_SECONDS) -> None:
    """Until the condition holds; an AssertionError says what did not happen."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:.0f} s"
        time.sleep(0.05)


@pytest.fixture(scope="session", autouse=True)
def _flush_gets_through() -> Iterator[None]:
    """Emptying the test database is the one TRUNCATE that the triggers must let pass. It takes its
    locks table by table, and a request that is still running takes its own in another order:
    when the two hold each other up and PostgreSQL ends the flush, the flush begins again."""
    original = DatabaseOperations.execute_sql_flush

    def execute_sql_flush(
        operations: DatabaseOperations, statements: list[str], tries: int = FLUSH_TRIES
    ) -> None:
        replica, reset = "SET session_replication_role = replica", "RESET session_replication_role"
        try:
            original(operations, [replica, *statements, reset])
        except OperationalError as error:
            if tries == 1 or not isinstance(error.__cause__, DeadlockDetected):
                raise
            execute_sql_flush(operations, statements, tries - 1)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(DatabaseOperations, "execute_sql_flush", execute_sql_flush)
        yield


@pytest.fixture(autouse=True)
def _clean_stage(settings: Settings, tmp_path: Path) -> None:
    """No model, no lock-outs, no rate limits and no language are left from the test before."""
    settings.RELEASE_DIR = tmp_path / "releases"
    settings.MODEL_DIR = tmp_path / "model"
    settings.LEDGER_CHECKPOINT_FILE = tmp_path / "checkpoints"
    settings.ERASURE_FILE = tmp_path / "erasures"
    settings.MAIL_DIR = tmp_path / "mail"
    settings.RESIDUE_DIRS = [settings.MAIL_DIR]
    release_selector._loaded = None
    cache.clear()
    translation.activate(django_settings.LANGUAGE_CODE)


def _load_catalog() -> None:
    """The catalog, and nothing that waits to be learned of it."""
    load_catalog(read_catalog())
    VectorChange.objects.all().delete()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database starts with the real catalog; static files are collected once."""
    with django_db_blocker.unblock():
        collect_static()
        _load_catalog()


@pytest.fixture
def catalog(db: None) -> list[Practice]:
    """The real catalog, in the database; a transactional test before may have emptied it."""
    if not Practice.objects.exists():
        _load_catalog()
    return list(Practice.objects.order_by("pk"))


@pytest.fixture
def practice(catalog: list[Practice]) -> Practice:
    return next(p for p in catalog if p.slug == "steady-rain")


@lru_cache
def _password() -> str:
    """Hashed once a run: the hash is slow on purpose."""
    return make_password(PASSWORD)


def make_account(name: str, *, band: AgeBand = AgeBand.ADULT) -> Account:
    """A verified account with a data subject, who was not asked for anything yet."""
    account = Account.objects.create(email=f"{name}@example.org", password=_password())
    EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
    create_subject(account, region="FI", band=band, at=NOW - timedelta(days=30))
    return account


@pytest.fixture
def alice(db: None) -> Account:
    return make_account("alice")


@pytest.fixture
def bob(db: None) -> Account:
    return make_account("bob")


@pytest.fixture
def charlie(db: None) -> Account:
    return make_account("charlie")


def person_of(account: Account) -> Person:
    """The person as the site sees them now."""
    subject = account.subject
    return Person(subject.id, purposes_in_force(subject.id), is_signed_in=True)


def choose(account: Account, preset: str | Preset, *, at: datetime = NOW) -> Person:
    """Choose a preset for somebody; the person as they are afterwards."""
    chosen = PRESET[preset] if isinstance(preset, str) else preset
    choose_preset(account.subject.id, chosen, method=Method.PRIVACY_PAGE, at=at)
    return person_of(account)


def shown() -> str:
    """The versions of all live notices, as a page sends them back."""
    return " ".join(f"{purpose}={notice.version}" for purpose, notice in live_notices().items())


def listen(person: Person, *practices: Practice, at: datetime = NOW) -> None:
    """The person hears these practices to the end, a day apart, the last one yesterday."""
    record_listens(
        person,
        [
            Heard(uuid4(), p, at - timedelta(days=len(practices) - i), p.seconds, p.seconds)
            for i, p in enumerate(practices)
        ],
    )


@pytest.fixture
def signed_in() -> Callable[[Account], Client]:
    """A test client that is signed in as somebody."""

    def client_of(account: Account) -> Client:
        client = Client()
        client.force_login(account, backend="privacy_center.backend.AccountBackend")
        return client

    return client_of


def site_env(release_dir: Path | None = None) -> dict[str, str]:
    """The environment for a process that works on the test database."""
    base, _slash, _name = os.environ["DATABASE_URL"].rpartition("/")
    name = connection.settings_dict["NAME"]
    # What is kept outside of the database belongs to a test as its database does.
    outside = {
        setting: str(getattr(django_settings, setting))
        for setting in ("LEDGER_CHECKPOINT_FILE", "ERASURE_FILE")
    }
    own = {"DATABASE_URL": f"{base}/{name}", "PYTHONPATH": str(ROOT)}
    return {**os.environ, **outside, **own}


@contextmanager
def worker(*, queues: str = "urgent,training,default", beat: bool = False) -> Iterator[int]:
    """A real Celery worker on the test database; yields its process id once it is ready."""
    log = Path(django_settings.VAR_DIR) / f"worker-{uuid4().hex[:6]}.log"
    command = [sys.executable, "-m", "celery", "-A", "calm_site", "worker", "-Q", queues]
    command += ["-c", "1", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    if beat:
        command += ["-B", "--schedule", str(log.with_suffix(".schedule"))]
        command += ["--scheduler", "celery.beat:PersistentScheduler"]
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=site_env(), stdout=file, stderr=file)
    try:
        wait_for(lambda: b" ready." in log.read_bytes(), what="the worker's start")
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def web_server(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[str]:
    """The real web server on the test database, with collected static files; its address."""
    with django_db_blocker.unblock():
        env = site_env()
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--no-ws"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--blocking-threads", "2", "calm_site.wsgi:application"]
    log = Path(django_settings.VAR_DIR) / "web.log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=file, stderr=file)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(lambda: _answers(address), what="the web server's start")
        yield address
    finally:
        process.terminate()
        process.wait(timeout=15)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"{address}/health/", timeout=2) as response:  # noqa: S310 (our own)
            return bool(response.status == 200)
    except OSError:
        return False
