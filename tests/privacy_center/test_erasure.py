"""Erasing an account: everything goes, in any order of deaths, and is looked for afterwards."""

import json
from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from django.conf import settings as django_settings
from django.core import mail
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from privacy_center import eraser
from privacy_center.actions.consent import ConsentRefused, decide
from privacy_center.actions.erasure import ErasureRefused, ask_erasure, cancel_erasure
from privacy_center.data_map import DATA_MAP
from privacy_center.eraser import STEPS, Whom, erase, missing_marks, order, replay, rows_of, whom
from privacy_center.erasure_file import erased_marks
from privacy_center.keys import KeyUnavailable
from privacy_center.ledger.verify_receipt import Erased, Invalid, check_file, receipt_file
from privacy_center.ledger_audit import Finding, audit_ledger
from privacy_center.models import (
    Account,
    ConsentRecord,
    ConsentState,
    DataSubject,
    Erasure,
    LedgerEntry,
    Method,
    StaffAccess,
)
from privacy_center.purposes import MOOD, Purpose
from privacy_center.residue import TokenTooShort, forms_of, look
from privacy_center.sequencer import sequence, signing_keys
from privacy_center.tasks.erasure import erase_one, reconcile_erasures
from recommendations.actions.mood import Felt, check_in
from recommendations.models import CheckIn, Listen, Practice
from recommendations.selectors.mood import Words
from recommendations.trainer import train
from tests.conftest import NOW, PASSWORD, choose, listen, make_account, person_of
from tests.recommendations.broker import lose_messages, waiting_messages
from tests.recommendations.from_scratch import digest_from_scratch

pytestmark = pytest.mark.django_db(transaction=True)

State = Erasure.State
AT_ONCE = timedelta(0)

CANARY = "canary-7f3a@example.org"
NOTE = "my note about the yellow canary 55102"


@pytest.fixture
def canary(
    alice: Account, catalog: list[Practice], signed_in: Callable[[Account], Client]
) -> Account:
    """Somebody with something in every store, beside Alice, who stays."""
    account = make_account("canary-7f3a")
    listen(choose(alice, "community"), *catalog[3:9])
    shared = choose(account, "community")
    listen(shared, *catalog[:5])
    decide(_subject(account), dict.fromkeys(MOOD, True), method=Method.API, at=NOW)
    check_in(
        person_of(Account.objects.get(pk=account.pk)),
        Felt(uuid4(), None, "none", -1, 1, Words((), NOTE), timezone.now()),
    )
    staff = Account.objects.create_user("officer@example.org", is_staff=True)
    StaffAccess.objects.create(
        subject_id=_subject(account), staff=staff, role="Privacy", reason="A long reason.", at=NOW
    )
    signed_in(account).get("/privacy/")
    train(clock=timezone.now)
    sequence(clock=timezone.now)
    return account


def _subject(account: Account) -> UUID:
    return DataSubject.objects.get(account=account).pk


def _ask(account: Account, grace: timedelta = AT_ONCE) -> Erasure:
    fresh = Account.objects.get(pk=account.pk)
    return ask_erasure(fresh, at=timezone.now(), grace=grace, language="en")


def _carry_out(erasure: Erasure) -> Erasure:
    """What workers do: the eraser, and between its tries the trainer and the sequencer."""
    tries = 0
    while erase(erasure.pk, clock=timezone.now):
        train(clock=timezone.now, if_needed=True)
        sequence(clock=timezone.now)
        tries += 1
        assert tries < 10, "the erasure goes on waiting"
    erasure.refresh_from_db()
    return erasure


def test_law_6_everything_goes_and_nothing_is_found_afterwards(canary: Account) -> None:
    subject_id = _subject(canary)
    tokens = [str(subject_id), CANARY]
    assert {hit.place for hit in look(tokens).hits} >= {
        "public.privacy_center_account",
        "public.account_emailaddress",
        "public.privacy_center_datasubject",
        "public.recommendations_listen",
        "public.recommendations_checkin",
        "public.recommendations_trainingvector",
    }
    who = Whom(subject_id, canary.pk, CANARY)
    before = {table.label: rows_of(table, who).count() for table in order()}
    assert all(before[label] for label in ("recommendations.Listen", "sessions.Session"))

    erasure = _carry_out(_ask(canary))

    assert erasure.state == State.DONE
    assert {table.label: rows_of(table, who).count() for table in order()} == dict.fromkeys(
        before, 0
    )
    assert not look(tokens).hits
    # Sessions had ended when it was asked for.
    del before["sessions.Session"]
    assert erasure.erased == {label: count for label, count in before.items() if count}
    assert not DataSubject.objects.filter(pk=subject_id).exists()


def test_law_2_the_model_is_what_it_is_without_the_person(canary: Account) -> None:
    erasure = _carry_out(_ask(canary))
    train(clock=timezone.now)
    assert erasure.learned
    assert {fact["first_release_without"] for fact in erasure.learned} == {digest_from_scratch()}
    assert all(
        fact["last_release_with"] != fact["first_release_without"] for fact in erasure.learned
    )


def test_law_4_the_ledger_stays_what_it_is(canary: Account) -> None:
    own = ConsentRecord.objects.filter(subject=_subject(canary)).count()
    hashes = list(LedgerEntry.objects.order_by("index").values_list("leaf_hash", flat=True))
    _carry_out(_ask(canary))
    after = list(LedgerEntry.objects.order_by("index").values_list("leaf_hash", flat=True))
    assert [bytes(h) for h in after[: len(hashes)]] == [bytes(h) for h in hashes]
    assert LedgerEntry.objects.filter(record=None).count() >= own
    assert [finding for finding in audit_ledger() if isinstance(finding, Finding)] == []


def test_law_4_nothing_lets_go_of_a_decision_while_its_person_has_a_key(canary: Account) -> None:
    records = ConsentRecord.objects.filter(subject=_subject(canary))
    entries = LedgerEntry.objects.filter(record__in=records)
    for change in (
        lambda: entries.update(record=None),
        lambda: records.delete(),
        lambda: StaffAccess.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_the_certificate_is_genuine_and_a_changed_one_is_not(canary: Account) -> None:
    erasure = _carry_out(_ask(canary))
    assert erasure.certificate is not None
    data = receipt_file(erasure.certificate)
    keys = [key.verifier_key for key in signing_keys()]
    proved = check_file(data, keys)
    assert isinstance(proved, Erased)
    assert (proved.number, proved.rows) == (erasure.number, sum(erasure.erased.values()))
    for place, value in (("done_at", "2020-01-01T00:00:00.000000Z"), ("number", "other")):
        with pytest.raises(Invalid):
            check_file(receipt_file({**erasure.certificate, place: value}), keys)
    assert CANARY not in data.decode()


@pytest.mark.parametrize("step", range(len(STEPS)))
def test_fault_01_a_death_at_any_step_leaves_one_erasure_and_one_certificate(
    step: int, canary: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    erasure = _ask(canary)
    original = STEPS[step]

    def dies(*args: object) -> bool:
        original(*args)  # type: ignore[arg-type]
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(eraser, "STEPS", (*STEPS[:step], dies, *STEPS[step + 1 :]))
        with pytest.raises(MemoryError):
            _carry_out(erasure)
    erasure.refresh_from_db()
    assert (erasure.step, erasure.certificate) == (step, None)
    done = _carry_out(erasure)
    assert done.state == State.DONE
    assert Erasure.objects.filter(certificate__isnull=False).count() == 1
    assert done.erased["recommendations.Listen"] == 5
    assert not look([CANARY]).hits


def test_fault_09_ten_runs_at_once_are_one_erasure(canary: Account) -> None:
    from tests.contracts.apart import apart

    erasure = _ask(canary)
    runs = [apart(lambda: erase(erasure.pk, clock=timezone.now)) for _run in range(10)]
    assert [run.error() for run in runs] == [None] * 10
    done = _carry_out(erasure)
    assert done.erased["recommendations.Listen"] == 5
    assert len(mail.outbox) == 1


def test_fault_08_while_an_erasure_waits_its_messages_do_not_multiply(canary: Account) -> None:
    erasure = _ask(canary)
    lose_messages()
    for _round in range(5):
        # As every ten seconds, while the trainer is away; a worker then takes each message.
        reconcile_erasures()
        assert waiting_messages("privacy_center.erase") == 1
        lose_messages()
        erase_one(str(erasure.pk))
        assert waiting_messages("privacy_center.erase") == 0


def test_whoever_asked_is_looked_after_every_second_for_a_while(canary: Account) -> None:
    lose_messages()
    erasure = _ask(canary)
    assert waiting_messages("privacy_center.erase") == 1
    lose_messages()
    erase_one(str(erasure.pk), looks=2)
    assert waiting_messages("privacy_center.erase") == 1


def test_fault_11_a_grant_after_the_erasure_was_asked_for_is_refused(canary: Account) -> None:
    subject_id = _subject(canary)
    erasure = _ask(canary)
    with pytest.raises(ConsentRefused):
        decide(subject_id, {Purpose.EMAIL: True}, method=Method.API, at=timezone.now())
    erase(erasure.pk, clock=timezone.now)
    with pytest.raises(ConsentRefused):
        decide(subject_id, {Purpose.LISTENING_STORE: True}, method=Method.API, at=timezone.now())
    assert not any(state.is_yes for state in ConsentState.objects.filter(subject=subject_id))


def test_fault_14_two_erasures_of_one_account_are_one(canary: Account) -> None:
    first, second = _ask(canary), _ask(canary)
    assert first == second
    _carry_out(first)
    assert Erasure.objects.count() == 1


def test_fault_17_sessions_end_when_it_is_asked_for(
    canary: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(canary)
    assert client.get("/api/v1/consent/").status_code == 200
    _ask(canary)
    assert client.get("/api/v1/consent/").status_code in (401, 403)


def test_fault_44_without_a_mail_server_it_is_done_and_the_address_goes_after_a_day(
    canary: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_args: object, **_kwargs: object) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr(eraser, "send_mail", away)
    erasure = _carry_out(_ask(canary))
    assert (erasure.state, erasure.is_told) == (State.DONE, False)
    assert whom(erasure).email == CANARY
    assert not look([CANARY]).hits, "it is kept under a key of its own"
    erase(erasure.pk, clock=lambda: timezone.now() + timedelta(days=2))
    erasure.refresh_from_db()
    with pytest.raises(KeyUnavailable):
        whom(erasure)


def test_what_is_left_somewhere_stops_the_certificate(canary: Account) -> None:
    erasure = _ask(canary)
    left = Path(django_settings.MAIL_DIR) / "left.txt"
    left.parent.mkdir(exist_ok=True)
    left.write_text(CANARY.upper())
    for _try in range(6):
        erase(erasure.pk, clock=timezone.now)
        train(clock=timezone.now, if_needed=True)
        sequence(clock=timezone.now)
    erasure.refresh_from_db()
    assert (erasure.state, erasure.certificate) == (State.RUNNING, None)
    left.unlink()
    assert _carry_out(erasure).state == State.DONE


def test_a_grace_waits_and_can_be_taken_back(canary: Account) -> None:
    erasure = _ask(canary, timedelta(days=7))
    assert erase(erasure.pk, clock=timezone.now) is False
    assert DataSubject.objects.filter(account=canary).exists()
    assert cancel_erasure(erasure.number, at=timezone.now())
    assert not cancel_erasure(erasure.number, at=timezone.now())
    later = timezone.now() + timedelta(days=8)
    erase(erasure.pk, clock=lambda: later)
    assert DataSubject.objects.filter(account=canary).exists()


def test_staff_do_not_erase_themselves(canary: Account) -> None:
    officer = Account.objects.get(is_staff=True)
    with pytest.raises(ErasureRefused):
        ask_erasure(officer, at=timezone.now(), grace=AT_ONCE, language="en")


def test_fault_28_after_an_old_backup_they_are_erased_again(canary: Account) -> None:
    subject_id = _subject(canary)
    erasure = _ask(canary)
    # The backup is of the moment before: the file outside of the database knows more.
    with transaction.atomic():
        eraser._close(Erasure.objects.get(pk=erasure.pk), whom(erasure), timezone.now)
    Erasure.objects.all().delete()
    DataSubject.objects.filter(pk=subject_id).update(is_leaving=False)
    Account.objects.filter(pk=canary.pk).update(is_active=True)
    assert len(list(erased_marks())) == 1
    assert missing_marks()
    with pytest.raises(SystemExit, match="replay_erasures"):
        eraser.refuse_restored()
    out = StringIO()
    call_command("replay_erasures", stdout=out)
    assert "1 people erased again" in out.getvalue()
    assert not look([CANARY, str(subject_id)]).hits
    assert not missing_marks()
    eraser.refuse_restored()
    assert replay(clock=timezone.now) == 0


def test_fault_28_an_erasure_that_was_taken_back_before_does_not_hide_a_later_one(
    canary: Account,
) -> None:
    subject_id = _subject(canary)
    first = _ask(canary, timedelta(days=7))
    assert cancel_erasure(first.number, at=timezone.now())
    second = _ask(canary)
    with transaction.atomic():
        eraser._close(second, whom(second), timezone.now)
    # The backup knows the first one only.
    second.delete()
    assert missing_marks()
    assert replay(clock=timezone.now) == 1
    assert not DataSubject.objects.filter(pk=subject_id).exists()
    assert not missing_marks()


def test_the_order_puts_what_refers_before_what_is_referred_to() -> None:
    places = {table.label: place for place, table in enumerate(order())}
    assert len(places) == len(DATA_MAP.tables)
    assert (
        places["privacy_center.LedgerEntry"]
        < places["privacy_center.ConsentRecord"]
        < places["privacy_center.DataSubject"]
        < places["privacy_center.Account"]
    )


@pytest.mark.parametrize("form", range(12))
def test_every_writing_is_found(form: int) -> None:
    import base64
    import hashlib

    token = "Ünïcode-canary+4711@example.org"
    raw = token.encode()
    writings = [
        raw,
        token.upper().encode(),
        json.dumps(token).encode(),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        base64.b64encode(b"x" + raw + b"yz"),
        base64.b64encode(b"xx" + raw),
        base64.urlsafe_b64encode(b"xxx" + raw + b"z"),
        hashlib.sha256(raw).hexdigest().encode(),
        hashlib.sha256(token.lower().encode()).digest(),
        base64.b64encode(hashlib.md5(raw, usedforsecurity=False).digest()),
        hashlib.sha1(raw, usedforsecurity=False).hexdigest().encode(),
    ]
    forms = forms_of([token])
    assert forms.are_in(b"before" + writings[form] + b"after")
    assert not forms.are_in(b"before and after")


def test_a_subject_is_found_as_bytes(canary: Account) -> None:
    subject_id = _subject(canary)
    assert forms_of([str(subject_id)]).are_in(b"\x00" + subject_id.bytes)


def test_scan_residue_says_where_and_exits_with_1(canary: Account) -> None:
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("scan_residue", CANARY, stdout=out)
    assert ended.value.code == 1
    said = json.loads(out.getvalue())
    assert {"store": "database", "place": "public.privacy_center_account"} in said["hits"]
    assert CANARY not in out.getvalue()
    out = StringIO()
    call_command("scan_residue", "nobody-has-this-token", stdout=out)
    assert json.loads(out.getvalue())["hits"] == []
    with pytest.raises(TokenTooShort):
        look(["abc"])


def test_the_pages_from_the_question_to_the_certificate(
    canary: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(canary)
    page = client.get("/privacy/leave/", follow=True)
    assert "reauthenticate" in page.request["PATH_INFO"]
    client.post(page.request["PATH_INFO"], {"password": PASSWORD})
    page = client.get("/privacy/leave/")
    assert page.status_code == 200
    wrong = client.post("/privacy/leave/", {"grace": "30", "word": "no"})
    assert wrong.status_code == 400
    assert "Please type the word as it stands there." in wrong.text
    assert wrong.context["form"]["grace"].value() == "30"
    assert not Erasure.objects.exists()
    asked = client.post("/privacy/leave/", {"grace": "0", "word": "Erase"})
    number = Erasure.objects.get().number
    assert asked["Location"] == f"/privacy/erasures/{number}/"
    stranger = Client()
    waiting = stranger.get(asked["Location"])
    assert waiting["Refresh"]
    assert stranger.get(f"{asked['Location']}file/").status_code == 404
    _carry_out(Erasure.objects.get())
    done = stranger.get(asked["Location"])
    assert "Erased" in done.text
    assert "Refresh" not in done
    assert stranger.get(f"{asked['Location']}file/").status_code == 200
    assert stranger.get("/privacy/erasures/unknown/").status_code == 404


def test_input_23_without_a_recent_sign_in_nothing_is_erased(
    canary: Account, signed_in: Callable[[Account], Client]
) -> None:
    answer = signed_in(canary).post("/privacy/leave/", {"grace": "0", "word": "erase"})
    assert answer.status_code in (302, 403)
    assert not Erasure.objects.exists()


def test_the_mail_box_of_a_demo_is_emptied_of_the_person(
    canary: Account, settings: Settings
) -> None:
    folder = Path(settings.MAIL_DIR)
    folder.mkdir(exist_ok=True)
    line = b"\n" + b"-" * 79 + b"\n"
    others = b"To: somebody@example.org\n\nhello"
    (folder / "both.log").write_bytes(others + line + b"To: " + CANARY.encode() + line)
    (folder / "own.log").write_bytes(b"To: " + CANARY.encode() + line)
    _carry_out(_ask(canary))
    assert (folder / "both.log").read_bytes().startswith(others)
    assert not (folder / "own.log").exists()


def test_a_listen_that_comes_after_is_refused(canary: Account, catalog: list[Practice]) -> None:
    """Fault 16: nothing is stored for whoever is being erased."""
    person = person_of(Account.objects.get(pk=canary.pk))
    erasure = _ask(canary)
    erase(erasure.pk, clock=timezone.now)
    from recommendations.actions.listening import NotConsented

    with pytest.raises(NotConsented):
        listen(person, catalog[9])
    assert person.subject_id is not None
    assert not Listen.objects.filter(subject_id=person.subject_id).exists()
    assert not CheckIn.objects.filter(subject_id=person.subject_id).exists()
