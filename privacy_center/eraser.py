"""Carrying out erasures: step by step, each safe to do twice, whoever dies in between.

A step is one transaction that holds the erasure's row: it happens with its progress, or not at
all. What is deleted, emptied or kept follows from the data map, and the order from the tables
themselves: whatever refers to a row goes before the row.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from graphlib import TopologicalSorter
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.core.mail import send_mail
from django.db import OperationalError, ProgrammingError, connection, models, transaction
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from privacy_center.data_map import DATA_MAP, Fate, Owner, Table
from privacy_center.erasure_certificate import make_erasure_certificate
from privacy_center.erasure_file import ErasedMark, append_mark, erased_marks
from privacy_center.holders import holders
from privacy_center.keys import new_key, seal_text, unseal_text, unwrap
from privacy_center.models import (
    Account,
    ConsentState,
    DataSubject,
    Decision,
    Erasure,
    LedgerEntry,
    Method,
    mark_of,
)
from privacy_center.purposes import Purpose
from privacy_center.recorder import Decided, record_decisions
from privacy_center.residue import look
from privacy_center.selectors.learning import TRAINING, forgetting, learning_times
from privacy_center.selectors.subject import hold_subject
from privacy_center.sequencer import sequence
from privacy_center.wake import wake_sequencer

logger = logging.getLogger(__name__)

State = Erasure.State
Clock = Callable[[], datetime]

OPEN = (State.WAITING, State.RUNNING)
CONTEXT = "erasure"
# A mail that cannot be handed over for so long is given up, and with it the address.
TELL_FOR = timedelta(days=1)
MAIL_SEPARATOR = b"\n" + b"-" * 79 + b"\n"


@dataclass(frozen=True)
class Whom:
    """Who is erased; `account_id` and `email` are empty where there is no account (any more)."""

    subject_id: UUID
    account_id: int | None
    email: str

    @property
    def tokens(self) -> list[str]:
        """What could name the person."""
        return [str(self.subject_id), *([self.email] if self.email else [])]


def open_erasure(
    subject: DataSubject,
    *,
    at: datetime,
    due_at: datetime,
    language: str,
    number: str = "",
    is_replay: bool = False,
) -> Erasure:
    """The erasure of a subject: the one that is open already, or a new one. Inside the caller's
    transaction, which holds the subject's row."""
    mark = mark_of(subject.pk)
    found = Erasure.objects.filter(mark=mark, state__in=OPEN).first()
    if found is not None:
        return found
    wrapped = new_key()
    key = unwrap(wrapped.data, wrapped.wrapping_key_id)
    text = json.dumps({**asdict(whom_of(subject)), "subject_id": str(subject.pk)})
    return Erasure.objects.create(
        number=number or uuid4().hex,
        mark=mark,
        state=State.WAITING,
        asked_at=at,
        due_at=due_at,
        is_replay=is_replay,
        language=language,
        sealed=seal_text(key, text, context=CONTEXT),
        wrapped_key=wrapped.data,
        wrapping_key_id=wrapped.wrapping_key_id,
    )


def whom_of(subject: DataSubject) -> Whom:
    """What there is to find somebody by."""
    account = subject.account
    return Whom(subject.pk, account.pk if account else None, account.email if account else "")


def whom(erasure: Erasure) -> Whom:
    """Who is erased. Raises `KeyUnavailable` once nobody may know any more."""
    key = unwrap(erasure.wrapped_key, erasure.wrapping_key_id)
    found = json.loads(unseal_text(key, bytes(erasure.sealed or b""), context=CONTEXT))
    return Whom(UUID(found["subject_id"]), found["account_id"], found["email"])


def erase(erasure_id: UUID, *, clock: Clock) -> bool:
    """Carry an erasure on as far as it goes; return whether it must be called again, because
    something else has to happen first. Another run of the same erasure, and one that is not due,
    are left alone."""
    while True:
        with transaction.atomic():
            rows = Erasure.objects.select_for_update(skip_locked=True)
            erasure = rows.filter(pk=erasure_id, state__in=OPEN, due_at__lte=clock()).first()
            if erasure is None:
                break
            if not STEPS[erasure.step](erasure, whom(erasure), clock):
                return True
            erasure.step += 1
            erasure.state = State.DONE if erasure.step == len(STEPS) else State.RUNNING
            erasure.save()
    _tell(erasure_id, clock())
    return False


def replay(*, clock: Clock) -> int:
    """Erase again whoever was erased before the database was put back to an older state; return how
    many. To the end, before anything is served."""
    missing = missing_marks()
    if not missing:
        return 0
    found = [
        (subject_id, missing[mark])
        for subject_id in DataSubject.objects.values_list("pk", flat=True).iterator()
        if (mark := mark_of(subject_id).hex()) in missing
    ]
    erasures = []
    for subject_id, number in found:
        with transaction.atomic():
            subject = hold_subject(subject_id)
            now = clock()
            erasures.append(
                open_erasure(
                    subject, at=now, due_at=now, language="en", number=number, is_replay=True
                )
            )
    for erasure in erasures:
        while erase(erasure.pk, clock=clock):
            for holder in holders():
                holder.forget_now()
            sequence(clock=clock)
    _remember_marks(clock())
    return len(erasures)


def missing_marks() -> dict[str, str]:
    """The erasures that were begun and that the database does not know: their numbers by mark.
    Empty unless it is older than they are."""
    # By number: of one person there may be another erasure, which was taken back.
    known = set(Erasure.objects.values_list("number", flat=True))
    return {e.mark: e.number for e in erased_marks() if e.number not in known}


def refuse_restored() -> None:
    """Do not serve people who were erased: exits when an older database is back. While the database
    is away nothing is served anyway."""
    try:
        missing = missing_marks()
    except (OperationalError, ProgrammingError):
        return
    finally:
        connection.close()
    if missing:
        raise SystemExit(
            f"{len(missing)} erasures are newer than this database: an old backup is back. Run"
            " `manage.py replay_erasures` first; until then nothing is served."
        )


def _close(erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Nobody signs in any more, nothing can be granted, and the mark is outside of the database."""
    append_mark(ErasedMark(bytes(erasure.mark).hex(), erasure.number))
    close(who)
    erasure.erased = counts(who)
    return True


def close(who: Whom) -> None:
    """End every session, and keep others from beginning. In the caller's transaction."""
    DataSubject.objects.filter(pk=who.subject_id).update(is_leaving=True)
    if who.account_id is not None:
        Account.objects.filter(pk=who.account_id).update(is_active=False)
    Session.objects.filter(pk__in=_sessions(who)).delete()


def _withdraw(_erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Every yes ends, in the ledger as well: holders delete what was kept because of it."""
    subject = hold_subject(who.subject_id)
    given = [
        state
        for state in ConsentState.objects.filter(subject=subject).select_related("record__notice")
        if state.is_yes
    ]
    if given:
        notices = {Purpose(state.purpose): state.record.notice for state in given}
        decisions = dict.fromkeys(notices, Decision.WITHDRAWN)
        how = Decided(clock(), Method.ERASURE, given[0].record.language)
        record_decisions(subject, decisions, notices, how)
    return True


def _unlearn(erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Wait until nothing is left of what was learned, and note what became of it."""
    if not all(holder.is_forgotten(who.subject_id) for holder in holders()):
        return False
    ended = (time for purpose in TRAINING for time in learning_times(who.subject_id, purpose))
    for time in ended:
        found = forgetting(time)
        if found.last_with and found.first_without:
            erasure.learned.append(
                {
                    "purpose": str(time.purpose),
                    "last_release_with": found.last_with.digest,
                    "first_release_without": found.first_without.digest,
                }
            )
    return True


def _number(_erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Wait until the ledger has every decision: an entry without an index keeps its record."""
    waiting = LedgerEntry.objects.filter(record__subject=who.subject_id, index=None)
    if waiting.exists():
        wake_sequencer()
        return False
    return True


def _outside(_erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """What names the person outside of the tables that are theirs."""
    LogEntry.objects.filter(object_id=str(who.subject_id)).delete()
    _delete_mail(who.email)
    return True


def _rows(_erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Every row goes, or what names somebody in it. With the key destroyed first: only then does
    the database let go of decisions."""
    DataSubject.objects.filter(pk=who.subject_id).update(wrapped_key=None, wrapping_key_id="")
    for table in order():
        rows = rows_of(table, who)
        if any(column.fate == Fate.ROW for column in table.columns.values()):
            rows.delete()
            continue
        emptied = {
            name: None if table.model._meta.get_field(name).null else ""
            for name, column in table.columns.items()
            if column.fate == Fate.CLEAR
        }
        rows.update(**emptied)
    return True


def _look(erasure: Erasure, who: Whom, clock: Clock) -> bool:
    """Search everything for the person, and certify only that there is nothing."""
    found = look(who.tokens)
    if found.hits:
        places = ", ".join(f"{hit.store} {hit.place}" for hit in found.hits)
        logger.critical("Erasure %s: something is left in %s.", erasure.number, places)
        return False
    erasure.done_at = clock()
    with translation.override(erasure.language):
        erasure.certificate = make_erasure_certificate(erasure, found)
    return True


STEPS: tuple[Callable[[Erasure, Whom, Clock], bool], ...] = (
    _close,
    _withdraw,
    _unlearn,
    _number,
    _outside,
    _rows,
    _look,
)


def order() -> list[Table]:
    """The tables of people's data, each before those that it refers to."""
    tables = {table.model: table for table in DATA_MAP.tables}
    sorter = TopologicalSorter[type[models.Model]]()
    for model in tables:
        sorter.add(model)
        for field in model._meta.local_fields:
            if field.related_model in tables and field.related_model is not model:
                sorter.add(field.related_model, model)
    return [tables[model] for model in sorter.static_order()]


def rows_of(table: Table, who: Whom) -> models.QuerySet[models.Model]:
    """The rows of a table that are about somebody."""
    rows: models.QuerySet[models.Model] = table.model._default_manager.all()
    if table.owner == Owner.SUBJECT:
        rows = rows.filter(**{table.path: who.subject_id})
    elif who.account_id is None:
        rows = rows.none()
    elif table.owner == Owner.ACCOUNT:
        rows = rows.filter(**{table.path: who.account_id})
    elif table.owner == Owner.ADDRESS:
        rows = rows.filter(**{f"{table.path}__iexact": who.email})
    else:
        rows = rows.filter(pk__in=_sessions(who))
    return rows


def counts(who: Whom) -> dict[str, int]:
    """How many rows are about somebody, for each table that has any."""
    return {table.label: count for table in order() if (count := rows_of(table, who).count())}


def _sessions(who: Whom) -> list[str]:
    """The keys of somebody's sessions, which say whose they are only when they are opened."""
    return [
        session.pk
        for session in Session.objects.iterator()
        if session.get_decoded().get(SESSION_KEY) == str(who.account_id)
    ]


def _delete_mail(email: str) -> None:
    """Where mail is kept in a folder: every message to or about this address."""
    folder = Path(settings.MAIL_DIR)
    if not email or not folder.exists():
        return
    address = email.encode().lower()
    for path in folder.glob("*.log"):
        mails = path.read_bytes().split(MAIL_SEPARATOR)
        kept = [mail for mail in mails if address not in mail.lower()]
        if len(kept) < len(mails):
            if any(mail.strip() for mail in kept):
                path.write_bytes(MAIL_SEPARATOR.join(kept))
            else:
                path.unlink()


def _tell(erasure_id: UUID, now: datetime) -> None:
    """Mail the certificate's number, then destroy the address with the key that it is under. The
    erasure is done whether or not a mail can be sent (fault 44)."""
    with transaction.atomic():
        rows = Erasure.objects.select_for_update(skip_locked=True)
        erasure = rows.filter(pk=erasure_id, state=State.DONE, sealed__isnull=False).first()
        if erasure is None:
            return
        address = whom(erasure).email
        try:
            if address:
                _mail(erasure, address)
                erasure.is_told = True
        except OSError:
            if erasure.done_at and now < erasure.done_at + TELL_FOR:
                return
            logger.error("The mail about erasure %s is given up.", erasure.number)
        erasure.forget_whom()
        erasure.save()


def _mail(erasure: Erasure, address: str) -> None:
    with translation.override(erasure.language):
        path = reverse("privacy_center:erasure", args=[erasure.number])
        send_mail(
            _("Your account is erased"),
            _(
                "Everything that we held about you is deleted. We looked for it everywhere"
                " afterwards, and found nothing.\n\n"
                "Your certificate has the number %(number)s. For 24 months you find it at:\n"
                "%(path)s\n\n"
                "This is the last mail. Your address is deleted now, too."
            )
            % {"number": erasure.number, "path": settings.SITE_URL + path},
            None,
            [address],
        )


def _remember_marks(now: datetime) -> None:
    """Of those whom the older database does not hold at all, that they were erased."""
    for mark, number in missing_marks().items():
        Erasure.objects.create(
            number=number,
            mark=bytes.fromhex(mark),
            state=State.CANCELLED,
            asked_at=now,
            due_at=now,
            is_replay=True,
            language="en",
        )
