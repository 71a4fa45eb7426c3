"""The timeline: what one person decided, what was learned and who looked, in a stable order."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.test import Client

from privacy_center.actions.consent import decide
from privacy_center.models import Account, ConsentRecord, Decision, Method, StaffAccess
from privacy_center.purposes import Purpose
from privacy_center.selectors.timeline import Entry, Kind, timeline
from recommendations.models import Release
from tests.conftest import NOW, choose

DAY = timedelta(days=1)
SignedIn = Callable[[Account], Client]


def _decide(account: Account, at: datetime, **wishes: bool) -> None:
    named = {Purpose(f"listening:{use}"): is_yes for use, is_yes in wishes.items()}
    decide(account.subject.id, named, method=Method.PRIVACY_PAGE, at=at)


def _entries(
    account: Account, *, kind: Kind | None = None, page: int = 1, size: int = 50
) -> list[Entry]:
    found = timeline(
        account.subject.id,
        kind=kind,
        page=page,
        size=size,
        language="en",
    )
    return list(found.entries)


def _release(began: datetime, published: datetime) -> None:
    Release.objects.create(
        state=Release.State.RETIRED,
        started_at=began,
        published_at=published,
        algorithm="ease",
        regularization=1.0,
    )


def test_decisions_keep_the_ledger_s_order_whatever_their_clocks_said(alice: Account) -> None:
    for number, seconds in enumerate((0, 5, 3, 3, 4)):
        _decide(alice, NOW + timedelta(seconds=seconds), store=number % 2 == 0)
    shown = [entry.record_id for entry in _entries(alice, kind=Kind.DECISION)]
    ledger = ConsentRecord.objects.order_by("-entry__id").values_list("id", flat=True)
    assert shown == list(ledger)


def test_every_source_is_there_and_the_newest_comes_first(alice: Account, bob: Account) -> None:
    _decide(alice, NOW, train=True)
    _release(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    StaffAccess.objects.create(
        subject=alice.subject, staff=bob, role="privacy officer", reason="She asked us for help.",
        at=NOW + timedelta(hours=3),
    )  # fmt: skip
    _decide(alice, NOW + timedelta(hours=4), train=False)
    _release(NOW + timedelta(hours=5), NOW + timedelta(hours=6))
    entries = _entries(alice)
    assert [entry.kind for entry in entries] == [
        Kind.LEARNING, Kind.DECISION, Kind.ACCESS, Kind.LEARNING, Kind.LEARNING, Kind.DECISION,
        Kind.DECISION, Kind.JOINING,
    ]  # fmt: skip
    assert entries[0].title == "The first release without you"
    assert entries[3].title == "The last release that knew you"
    assert "She asked us for help." in entries[2].detail
    assert "privacy officer" in entries[2].title
    assert bob.email not in " ".join(f"{entry.title} {entry.detail}" for entry in entries)


def test_the_first_release_without_the_person_leads_to_its_certificate(
    alice: Account, signed_in: SignedIn
) -> None:
    _decide(alice, NOW, train=True)
    _release(NOW + timedelta(hours=1), NOW + timedelta(hours=2))
    _decide(alice, NOW + timedelta(hours=4), train=False)
    page = signed_in(alice).get("/privacy/timeline/").content.decode()
    assert "The last release that knew you" in page
    assert "/privacy/certificates/" not in page
    _release(NOW + timedelta(hours=5), NOW + timedelta(hours=6))
    page = signed_in(alice).get("/privacy/timeline/").content.decode()
    withdrawn = ConsentRecord.objects.get(decision=Decision.WITHDRAWN)
    assert re.findall(r"/privacy/certificates/([0-9a-f-]+)/", page) == [str(withdrawn.id)]


def test_pages_show_every_entry_once(alice: Account) -> None:
    for number in range(9):
        _decide(alice, NOW + number * DAY, store=number % 2 == 0)
    everything = _entries(alice)
    assert len(everything) == 10
    by_page = [entry for page in range(1, 6) for entry in _entries(alice, page=page, size=3)]
    assert by_page == everything
    for kind in Kind:
        assert _entries(alice, kind=kind) == [e for e in everything if e.kind == kind]


def test_the_page_filters_and_leads_to_the_receipt_of_a_decision(
    alice: Account, signed_in: SignedIn
) -> None:
    choose(alice, "just-for-me")
    client = signed_in(alice)
    page = client.get("/privacy/timeline/?kind=decisions").content.decode()
    assert re.findall(r'data-kind="(\w+)"', page) == ["decisions"] * 3
    for record in ConsentRecord.objects.all():
        assert f"/privacy/receipts/{record.id}/" in page
    joining = client.get("/privacy/timeline/?kind=joining").content.decode()
    assert re.findall(r'data-kind="(\w+)"', joining) == ["joining"]


@pytest.mark.parametrize("query", ["kind=secrets", "page=0", "page=x", "page=99999999999999999999"])
def test_input_02_a_part_that_is_not_there_is_400(
    alice: Account, signed_in: SignedIn, query: str
) -> None:
    assert signed_in(alice).get(f"/privacy/timeline/?{query}").status_code == 400


def test_input_21_nobody_sees_another_person_s_timeline(
    alice: Account, bob: Account, signed_in: SignedIn
) -> None:
    choose(alice, "community")
    page = signed_in(bob).get("/privacy/timeline/", {"subject_id": str(alice.subject.id)})
    assert re.findall(r'data-kind="(\w+)"', page.content.decode()) == ["joining"]
    assert Client().get("/privacy/timeline/").status_code == 302
