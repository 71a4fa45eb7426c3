"""Deciding: every change of consent that a person makes goes through `decide`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from privacy_center.keys import KeyUnavailable
from privacy_center.models import (
    AgeBand,
    ConsentRecord,
    ConsentState,
    DataSubject,
    Decision,
    Method,
    Notice,
)
from privacy_center.purposes import LISTENING, OFFERED, Preset, Purpose
from privacy_center.recorder import Decided, record_decisions, record_first_decisions
from privacy_center.selectors.consent import ASK_BEFORE
from privacy_center.selectors.notice import live_notices
from privacy_center.selectors.subject import hold_subject

SUBJECTS_AT_ONCE = 1000


class ConsentRefused(Exception):
    """A yes that cannot be recorded. The message says why, for the person."""


class NoticeOutdated(Exception):
    """The person read an older notice than the live one; nothing was changed."""


def decide(
    subject_id: UUID,
    wishes: Mapping[Purpose, bool],
    *,
    method: Method,
    at: datetime,
    language: str = "en",
    preset: str = "",
    shown: Mapping[Purpose, int] | None = None,
) -> list[ConsentRecord]:
    """Record what a person wants for some purposes; return the new records, oldest first.

    `shown` are the versions of the notices that the person read; every new yes needs the live one.
    Without `shown`, the caller vouches for it.

    A yes to a use is a yes to storing what it uses, and a no to storing ends its uses: the
    records say so, one each. A yes to what is suspended or about to end renews it. A wish that is
    already the current answer changes nothing. Holders act in the same transaction. Raises
    `ConsentRefused` when a yes is not possible, `NoticeOutdated` when it is to older words.
    """
    how = Decided(at, method, language, preset)
    with transaction.atomic():
        subject = hold_subject(subject_id)
        states = _answers(subject_id)
        wanted = _with_consequences(wishes, states)
        notices = live_notices(wanted)
        _check_possible(subject, wanted)
        decisions = {
            purpose: decision
            for purpose, is_yes in wanted.items()
            if (decision := _decision(states.get(purpose), notices[purpose], at, is_yes=is_yes))
        }
        _check_shown(decisions, notices, shown)
        return _record(subject, decisions, notices, how)


def choose_preset(
    subject_id: UUID,
    preset: Preset,
    *,
    method: Method,
    at: datetime,
    language: str = "en",
    shown: Mapping[Purpose, int] | None = None,
) -> list[ConsentRecord]:
    """Exactly the preset's purposes of listening on, and every other purpose of it off."""
    wishes = {purpose: purpose in preset.purposes for purpose in LISTENING}
    return decide(
        subject_id,
        wishes,
        method=method,
        at=at,
        language=language,
        preset=preset.key,
        shown=shown,
    )


def take_back_opt_out(subject_id: UUID, *, method: Method, at: datetime) -> list[ConsentRecord]:
    """Take back a no to sale and sharing. Nothing is sold either way; the record says what was."""
    with transaction.atomic():
        subject = hold_subject(subject_id)
        state = _answers(subject_id).get(Purpose.SALE)
        if state is None or state.decision != Decision.REFUSED:
            return []
        decisions = {Purpose.SALE: Decision.INVALIDATED}
        return _record(subject, decisions, live_notices(decisions), Decided(at, method))


def grant_to_imported(
    subject_ids: Sequence[UUID], purposes: Collection[Purpose], *, at: datetime
) -> Mapping[UUID, UUID]:
    """Record imported grants for subjects that have no decision yet.

    Raises `IntegrityError` for a subject who decided already: an import overrides nobody.
    Returns the record id of `listening:store` by subject (empty if it was not granted). The
    importer asserts that these people said yes elsewhere; the records say `import`.
    """
    for purpose in purposes:
        # Mood is agreed to by its own person, one statement at a time.
        if purpose not in LISTENING or (purpose.needs and purpose.needs not in purposes):
            raise ConsentRefused(f"{purpose} cannot be granted by an import.")
    decisions = dict.fromkeys(sorted(purposes, key=lambda p: p.needs is not None), Decision.GIVEN)
    notices, how = live_notices(purposes), Decided(at, Method.IMPORT)
    store_records: dict[UUID, UUID] = {}
    for start in range(0, len(subject_ids), SUBJECTS_AT_ONCE):
        subjects = DataSubject.objects.filter(pk__in=subject_ids[start : start + SUBJECTS_AT_ONCE])
        records = record_first_decisions(subjects, decisions, notices, how)
        store_records.update(
            (r.subject_id, r.id) for r in records if r.purpose == Purpose.LISTENING_STORE
        )
    return store_records


def _answers(subject_id: UUID) -> dict[Purpose, ConsentState]:
    states = ConsentState.objects.filter(subject_id=subject_id).select_related("record")
    return {Purpose(state.purpose): state for state in states}


def _with_consequences(
    wishes: Mapping[Purpose, bool], states: Mapping[Purpose, ConsentState]
) -> dict[Purpose, bool]:
    wanted = dict(wishes)
    for purpose, is_yes in wishes.items():
        if is_yes and purpose.needs:
            if wishes.get(purpose.needs) is False:
                raise ConsentRefused(_("This needs its history to be kept. Nothing was changed."))
            wanted[purpose.needs] = True
    for purpose, is_yes in wishes.items():
        if not is_yes:
            for dependent in purpose.dependents:
                if dependent in states and states[dependent].is_yes:
                    wanted[dependent] = False
    return wanted


def _check_possible(subject: DataSubject, wanted: Mapping[Purpose, bool]) -> None:
    granted = [purpose for purpose, is_yes in wanted.items() if is_yes]
    if any(purpose not in OFFERED for purpose in granted):
        raise ConsentRefused(_("This cannot be switched on: nothing here would use it."))
    if granted and subject.is_leaving:
        raise ConsentRefused(_("This account is being erased. Nothing was changed."))
    if granted and subject.age_band == AgeBand.BELOW_CONSENT:
        raise ConsentRefused(
            _(
                "Where you live, people of your age need a parent to say yes to this. "
                "Everything else here is open to you without it."
            )
        )


def _check_shown(
    decisions: Mapping[Purpose, Decision],
    notices: Mapping[Purpose, Notice],
    shown: Mapping[Purpose, int] | None,
) -> None:
    if shown is None:
        return
    if any(
        shown.get(purpose) != notices[purpose].version
        for purpose, decision in decisions.items()
        if decision.is_yes
    ):
        raise NoticeOutdated


def _decision(
    state: ConsentState | None, notice: Notice, at: datetime, *, is_yes: bool
) -> Decision | None:
    """What there is to record; None when the wish is already the current answer."""
    was_yes = state is not None and state.is_yes
    if is_yes:
        if not was_yes:
            return Decision.GIVEN
        return None if _holds(state, notice, at) else Decision.RENEWED
    if was_yes:
        return Decision.WITHDRAWN
    return None if state and state.decision in _NO else Decision.REFUSED


_NO = (Decision.REFUSED, Decision.WITHDRAWN)


def _holds(state: ConsentState | None, notice: Notice, at: datetime) -> bool:
    """Whether a yes is to the live notice, and not about to end."""
    return (
        state is not None
        and state.record.notice_id == notice.pk
        and state.valid_until is not None
        and state.valid_until - at > ASK_BEFORE
    )


def _record(
    subject: DataSubject,
    decisions: Mapping[Purpose, Decision],
    notices: Mapping[Purpose, Notice],
    how: Decided,
) -> list[ConsentRecord]:
    try:
        return record_decisions(subject, decisions, notices, how)
    except KeyUnavailable:
        raise ConsentRefused(
            _("The key of this account is gone, so nothing can be decided. Nothing was changed.")
        ) from None
