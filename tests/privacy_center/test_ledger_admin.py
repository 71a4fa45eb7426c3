"""The ledger and everybody's decisions in the admin: the day's questions, without names."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import redis
from django.conf import settings as django_settings
from django.contrib.auth.models import Group
from django.test import Client
from kombu.exceptions import OperationalError
from pytest_django import Settings

from calm_site.celery import app
from calm_site.roles import DATA_SCIENTIST, PRIVACY_OFFICER
from privacy_center.actions.ledger_audit import VERIFY_LEDGER
from privacy_center.admin.decision_picture import NO_LINE, TALLEST, YES_LINE, picture
from privacy_center.models import Account, LedgerAudit
from privacy_center.purposes import Purpose
from privacy_center.selectors.decision_months import Decisions, Month, decision_months, last_months
from privacy_center.sequencer import sequence
from tests.conftest import NOW, choose
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
CHECKPOINTS = "/admin/privacy_center/ledgercheckpoint/"
DECISIONS = "/admin/privacy_center/consentrecord/"
VERIFY = "/admin/privacy_center/ledgeraudit/verify/"
STORE = Purpose.LISTENING_STORE


def _staff(role: str) -> Account:
    account = Account.objects.create_user(f"{role.split()[0]}@example.org", is_staff=True)
    account.groups.add(Group.objects.get(name=role))
    return account


@pytest.fixture
def desk(db: None, signed_in: SignedIn) -> Client:
    """The privacy officer's client."""
    return signed_in(_staff(PRIVACY_OFFICER))


def _waiting_for_a_worker() -> int:
    path = django_settings.CELERY_BROKER_URL.removeprefix("redis+socket://")
    with redis.Redis(unix_socket_path=path) as broker:
        return sum(VERIFY_LEDGER.encode() in m for m in broker.lrange("default", 0, -1))


# The ledger.


def test_the_ledgers_lists_begin_with_how_it_is(desk: Client, alice: Account) -> None:
    choose(alice, "community")
    waiting = desk.get(CHECKPOINTS).context["health"]
    assert (waiting.checkpoint, waiting.waiting, waiting.oldest_waiting) == (None, 3, NOW)
    sequence(clock=lambda: NOW)
    done = desk.get(CHECKPOINTS).context["health"]
    assert (done.checkpoint.size, done.waiting, done.oldest_waiting) == (3, 0, None)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "not finished"),
        ({"finished_at": NOW, "entries": 7}, "all 7 entries agree"),
        (
            {"finished_at": NOW, "entries": 7, "findings": [{"where": "entry 3", "what": "gone"}]},
            "<strong>1 wrong</strong> in 7 entries",
        ),
    ],
)
def test_the_last_verification_says_what_came_of_it(
    desk: Client, fields: dict[str, object], said: str
) -> None:
    assert "none yet" in desk.get(CHECKPOINTS).content.decode()
    LedgerAudit.objects.create(started_at=NOW - timedelta(days=1), finished_at=NOW, entries=99)
    audit = LedgerAudit.objects.create(started_at=NOW, **fields)
    assert said in desk.get(CHECKPOINTS).content.decode()
    page = desk.get(f"/admin/privacy_center/ledgeraudit/{audit.pk}/change/").content.decode()
    assert ("entry 3: gone" in page) == bool(fields.get("findings"))


def test_verify_now_wakes_a_worker(desk: Client) -> None:
    before = _waiting_for_a_worker()
    assert desk.get(VERIFY).status_code == 405
    assert _waiting_for_a_worker() == before
    answer = desk.post(VERIFY, follow=True)
    assert "The ledger is being verified" in answer.content.decode()
    assert _waiting_for_a_worker() == before + 1


def test_fault_07_without_a_broker_it_is_said_that_nothing_was_started(
    desk: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: object, **kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr(app, "send_task", away)
    assert "nothing was started" in desk.post(VERIFY, follow=True).content.decode()


def test_input_50_who_may_not_verify_starts_nothing(
    desk: Client, signed_in: SignedIn, alice: Account
) -> None:
    clients = [signed_in(_staff(DATA_SCIENTIST)), signed_in(alice), Client()]
    before = _waiting_for_a_worker()
    with unchanged():
        assert [client.post(VERIFY).status_code for client in clients] == [403, 404, 302]
    assert _waiting_for_a_worker() == before


# Everybody's decisions.


def test_counts_of_a_few_people_are_withheld(
    desk: Client, alice: Account, bob: Account, charlie: Account, settings: Settings
) -> None:
    for account in (alice, bob, charlie):
        choose(account, "just-for-me", at=NOW - timedelta(days=40))
    for account in (alice, bob):
        choose(account, "just-listening", at=NOW)
    settings.SMALLEST_GROUP = 3
    found = {decisions.purpose: decisions for decisions in decision_months(now=NOW)}
    assert found[STORE].people is None
    months = {month.first: (month.yes, month.no) for month in found[STORE].months}
    assert months[date(2026, 1, 1)] == (3, 0)
    assert months[date(2026, 3, 1)] == (0, None)
    assert months[date(2026, 2, 1)] == (0, 0)
    settings.SMALLEST_GROUP = 20
    assert "“Few” is fewer than twenty people" in desk.get(DECISIONS).content.decode()


def test_who_changes_their_mind_often_is_one_person(alice: Account, settings: Settings) -> None:
    settings.SMALLEST_GROUP = 1
    for minute in range(6):
        preset = "just-for-me" if minute % 2 == 0 else "just-listening"
        choose(alice, preset, at=NOW + timedelta(minutes=minute))
    found = {decisions.purpose: decisions for decisions in decision_months(now=NOW)}
    assert (found[STORE].months[-1].yes, found[STORE].months[-1].no) == (1, 1)


def test_twelve_months_cross_the_year() -> None:
    months = last_months(date(2026, 3, 31), 12)
    assert (months[0], months[-1], len(months)) == (date(2025, 4, 1), date(2026, 3, 1), 12)
    assert months == sorted(set(months))


def test_bars_share_one_scale_and_a_withheld_month_has_none() -> None:
    firsts = last_months(date(2026, 3, 1), 3)
    counts = [(100, 50), (1, None), (0, 0)]
    months = [Month(f, yes, no) for f, (yes, no) in zip(firsts, counts, strict=True)]
    bars = picture(Decisions(STORE, "Keep my history", 100, months)).bars
    assert [bar.yes_height for bar in bars] == [TALLEST, 1, 0]
    assert [bar.no_height for bar in bars] == [TALLEST // 2, 0, 0]
    assert (bars[0].yes_top, bars[0].no_bottom) == (YES_LINE - TALLEST, NO_LINE + TALLEST // 2)
