"""Staff and people's data: one person at a time, with a reason that the person reads."""

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calm_site.roles import EDITOR, PRIVACY_OFFICER
from privacy_center.actions.staff_access import record_access
from privacy_center.models import Account, ConsentRecord, ConsentState, DataSubject, StaffAccess
from privacy_center.selectors.staff_access import (
    ACCESS_LASTS,
    accesses_of,
    has_access,
    open_subjects,
)
from recommendations.actions.listening import rate_practice
from recommendations.models import CheckIn, Listen, Practice, Rating
from tests.answer import Answer
from tests.conftest import NOW, choose, listen
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
REASON = "She asked what we hold of her."
GIVE = "/admin/privacy_center/staffaccess/add/"


@pytest.fixture
def officer(db: None) -> Account:
    account = Account.objects.create_user("officer@example.org", is_staff=True)
    account.groups.add(Group.objects.get(name=PRIVACY_OFFICER))
    return account


@pytest.fixture
def root(db: None) -> Account:
    return Account.objects.create_superuser("root@example.org")


@pytest.fixture
def desk(officer: Account, signed_in: SignedIn) -> Client:
    return signed_in(officer)


@pytest.fixture
def history(alice: Account, bob: Account, practice: Practice) -> None:
    """Two people who did the same things."""
    for account in (alice, bob):
        person = choose(account, "just-for-me")
        listen(person, practice)
        rate_practice(person, practice, 4)


def _give(client: Client, subject: object, reason: str = REASON, **query: str) -> Answer:
    return client.post(GIVE, {"subject": str(subject), "reason": reason}, query_params=query)


def _row(name: str, pk: object) -> str:
    return reverse(f"admin:{name}_change", args=[pk])


def _pages(account: Account) -> list[str]:
    """Every page with something of one person on it."""
    subject = account.subject
    record = ConsentRecord.objects.filter(subject=subject)[0]
    state = ConsentState.objects.filter(subject=subject)[0]
    heard = Listen.objects.get(subject_id=subject.pk)
    rated = Rating.objects.get(subject_id=subject.pk)
    rows = [
        _row("privacy_center_datasubject", subject.pk),
        _row("privacy_center_consentrecord", record.pk),
        _row("privacy_center_consentstate", state.pk),
        _row("recommendations_listen", heard.pk),
        _row("recommendations_rating", rated.pk),
    ]
    lists = ["privacy_center/consentrecord", "privacy_center/consentstate"]
    lists += [f"recommendations/{name}" for name in ("listen", "rating", "favorite")]
    return [
        *rows,
        *(row.replace("/change/", "/history/") for row in rows),
        *(f"/admin/{name}/?subject_id={subject.pk}" for name in lists),
    ]


# A reason first.


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize("who", ["officer", "root"])
def test_every_page_about_a_person_asks_why_first_and_then_opens(
    request: pytest.FixtureRequest, signed_in: SignedIn, alice: Account, who: str
) -> None:
    client = signed_in(request.getfixturevalue(who))
    for page in _pages(alice):
        answer = client.get(page)
        assert answer.status_code == 302, page
        assert answer["Location"].startswith(f"{GIVE}?subject={alice.subject.pk}&next="), page
    assert StaffAccess.objects.count() == 0
    _give(client, alice.subject.pk)
    assert [client.get(page).status_code for page in _pages(alice)] == [200] * len(_pages(alice))


@pytest.mark.usefixtures("history")
def test_a_reason_opens_one_person_to_one_member_of_staff(
    desk: Client, root: Account, signed_in: SignedIn, alice: Account, bob: Account
) -> None:
    _give(desk, alice.subject.pk)
    assert {desk.get(page).status_code for page in _pages(bob)} == {302}
    assert {signed_in(root).get(page).status_code for page in _pages(alice)} == {302}


@pytest.mark.usefixtures("history")
def test_it_leads_on_to_the_page_that_was_asked_for(desk: Client, alice: Account) -> None:
    page = _pages(alice)[-1]
    asked = desk.get(page)["Location"]
    answer = desk.post(asked, {"subject": str(alice.subject.pk), "reason": REASON})
    assert answer["Location"] == page


@pytest.mark.parametrize("onward", ["//evil.example/", "https://evil.example/", "javascript:1", ""])
def test_input_39_it_leads_nowhere_else(desk: Client, alice: Account, onward: str) -> None:
    answer = _give(desk, alice.subject.pk, next=onward)
    assert answer["Location"] == _row("privacy_center_datasubject", alice.subject.pk)


def test_a_reason_lasts_half_an_hour(officer: Account, alice: Account) -> None:
    subject_id = alice.subject.pk
    record_access(subject_id, staff=officer, reason=REASON, at=NOW)
    last = NOW + ACCESS_LASTS - timedelta(microseconds=1)
    assert has_access(officer, subject_id, at=last)
    assert open_subjects(officer, at=last) == [subject_id]
    assert not has_access(officer, subject_id, at=NOW + ACCESS_LASTS)
    assert open_subjects(officer, at=NOW + ACCESS_LASTS) == []
    assert not has_access(officer, subject_id, at=NOW - timedelta(microseconds=1))
    assert timedelta(minutes=30) == ACCESS_LASTS


@pytest.mark.usefixtures("history")
def test_after_half_an_hour_the_pages_ask_again(
    desk: Client, officer: Account, alice: Account
) -> None:
    long_ago = timezone.now() - ACCESS_LASTS
    record_access(alice.subject.pk, staff=officer, reason=REASON, at=long_ago)
    assert {desk.get(page).status_code for page in _pages(alice)} == {302}


BAD_REASONS = ["", "   ", "\t\n", "too short", " " * 9 + "short" + " " * 9, "x" * 301,
               "looked\u202eup for her", "looked\u200bup for her", "looked\x07up for her",
               "\u2066looked up for her", "\u200b" * 12]  # fmt: skip


@pytest.mark.parametrize("reason", BAD_REASONS)
def test_input_19_a_reason_that_says_nothing_opens_nothing(
    desk: Client, officer: Account, alice: Account, reason: str
) -> None:
    with unchanged():
        answer = _give(desk, alice.subject.pk, reason)
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == {"reason"}
        with pytest.raises(ValidationError):
            record_access(alice.subject.pk, staff=officer, reason=reason, at=NOW)


def test_a_reason_is_kept_without_the_space_around_it(desk: Client, alice: Account) -> None:
    _give(desk, alice.subject.pk, f"   {REASON}\t ")
    assert StaffAccess.objects.get().reason == REASON


@pytest.mark.parametrize(
    "subject",
    ["", "alice", "f6c83fb1-9800-4a8c-a50c-b095bb3dc1de", "1", "0" * 5000, "alice@example.org"],
)
def test_nobody_is_opened_by_anything_but_a_pseudonym(desk: Client, subject: str) -> None:
    with unchanged():
        answer = _give(desk, subject)
        assert answer.status_code == 200
        assert set(answer.context["adminform"].form.errors) == {"subject"}


def test_input_29_a_reason_needs_the_forms_token(officer: Account, alice: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(officer, backend="privacy_center.backend.AccountBackend")
    with unchanged():
        assert _give(client, alice.subject.pk).status_code == 403


def test_a_page_that_is_only_opened_records_nothing(desk: Client, alice: Account) -> None:
    with unchanged():
        query = {"subject": str(alice.subject.pk), "reason": REASON}
        assert desk.get(GIVE, query).status_code == 200


def test_input_50_other_roles_give_no_reasons(signed_in: SignedIn, alice: Account) -> None:
    editor = Account.objects.create_user("editor@example.org", is_staff=True)
    editor.groups.add(Group.objects.get(name=EDITOR))
    clients = [signed_in(editor), signed_in(alice), Client()]
    with unchanged():
        answers = [_give(client, alice.subject.pk).status_code for client in clients]
    assert answers == [403, 404, 302]


# One person at a time.


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "query",
    ["subject_id={bob}", "subject_id={bob}&subject_id={alice}", "subject_id__in={alice},{bob}",
     "subject_id__isnull=0", "subject_id__gte=00000000-0000-0000-0000-000000000000"],
)  # fmt: skip
def test_no_filter_shows_somebody_else(
    desk: Client, alice: Account, bob: Account, query: str
) -> None:
    """One's own reason is for alice; whatever the address says, bob's rows do not come."""
    _give(desk, alice.subject.pk)
    asked = query.format(alice=alice.subject.pk, bob=bob.subject.pk)
    theirs = str(Listen.objects.get(subject_id=bob.subject.pk).pk)
    for list_ in ("recommendations/listen", "privacy_center/consentrecord"):
        answer = desk.get(f"/admin/{list_}/?{asked}")
        assert theirs not in answer.content.decode()
        assert not any(
            str(row.subject_id) == str(bob.subject.pk)
            for row in (answer.context["cl"].result_list if "cl" in (answer.context or {}) else [])
        )


@pytest.mark.parametrize("text", ["x", "1", "a" * 5000, "%00", "../"])
def test_input_02_a_pseudonym_that_cannot_be_one_is_refused(desk: Client, text: str) -> None:
    assert desk.get(f"/admin/recommendations/listen/?subject_id={text}").status_code == 400


@pytest.mark.usefixtures("history")
def test_no_address_leads_from_an_account_to_a_pseudonym_or_back(
    root: Account, signed_in: SignedIn, alice: Account
) -> None:
    client = signed_in(root)
    _give(client, alice.subject.pk)
    for path in (
        f"/admin/privacy_center/account/?subject={alice.subject.pk}",
        f"/admin/privacy_center/account/?subject__id={alice.subject.pk}",
        f"/admin/privacy_center/datasubject/?id={alice.subject.pk}&account={alice.pk}",
        f"/admin/privacy_center/datasubject/?id={alice.subject.pk}&account__email={alice.email}",
        f"/admin/privacy_center/ledgerentry/?record__subject={alice.subject.pk}",
    ):
        assert client.get(path).status_code == 400, path
    chosen = client.get(f"/admin/privacy_center/datasubject/?account={alice.pk}")
    assert "cl" not in chosen.context
    DataSubject.objects.update(created_at=NOW.replace(hour=5, minute=17))
    shown = client.get(_row("privacy_center_datasubject", alice.subject.pk)).content.decode()
    assert alice.email not in shown
    assert "5:17" not in shown


@pytest.mark.usefixtures("history")
def test_how_a_person_felt_is_a_count_and_nothing_else(desk: Client, alice: Account) -> None:
    _give(desk, alice.subject.pk)
    page = desk.get(_row("privacy_center_datasubject", alice.subject.pk))
    assert "of check-ins there is only the count" in page.content.decode()
    assert {line.purpose.value for line in page.context["held"]} >= {"listening:store"}
    assert [(r.title, r.count) for r in page.context["rows"] if r.title == "Listens"] == [
        ("Listens", 1)
    ]
    assert not any("check" in row.title.lower() for row in page.context["rows"])
    name = f"admin:recommendations_{CheckIn._meta.model_name}_changelist"
    with pytest.raises(Exception, match="Reverse for"):
        reverse(name)


# What remains of it.


def test_the_person_reads_the_role_the_reason_and_the_time(
    desk: Client, officer: Account, alice: Account
) -> None:
    _give(desk, alice.subject.pk)
    (access,) = accesses_of(alice.subject.pk)
    assert (access.role, access.reason) == (PRIVACY_OFFICER, REASON)
    assert officer.email not in str(access)
    assert accesses_of(uuid4()) == []


def test_a_superuser_is_told_of_as_an_administrator(
    root: Account, signed_in: SignedIn, alice: Account
) -> None:
    _give(signed_in(root), alice.subject.pk)
    assert accesses_of(alice.subject.pk)[0].role == "Administrator"


@pytest.mark.usefixtures("history")
def test_the_admins_own_log_holds_nothing_of_the_person(desk: Client, alice: Account) -> None:
    _give(desk, alice.subject.pk)
    for page in _pages(alice):
        desk.get(page)
    (entry,) = LogEntry.objects.all()
    said = f"{entry.object_repr} {entry.object_id} {entry.change_message}"
    assert REASON not in said
    assert str(alice.subject.pk) not in said
    assert alice.email not in said


def test_fault_27_a_reason_is_for_good(officer: Account, alice: Account) -> None:
    access = record_access(alice.subject.pk, staff=officer, reason=REASON, at=NOW)
    with connection.cursor() as cursor:
        # Checks that wait for the commit would stop TRUNCATE before the trigger does.
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for statement in (
        "UPDATE privacy_center_staffaccess SET reason = 'another reason'",
        "DELETE FROM privacy_center_staffaccess",
        "TRUNCATE privacy_center_staffaccess",
    ):
        with (
            pytest.raises(DatabaseError, match="append-only"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
    assert StaffAccess.objects.get() == access


@pytest.mark.parametrize("reason", ["", "too short", " padded on the left", "padded on the right "])
def test_the_database_itself_keeps_no_empty_reason(
    officer: Account, alice: Account, reason: str
) -> None:
    with pytest.raises(DatabaseError, match="access_has_a_reason"), transaction.atomic():
        StaffAccess.objects.create(
            subject=alice.subject, staff=officer, role="Staff", reason=reason, at=NOW
        )
