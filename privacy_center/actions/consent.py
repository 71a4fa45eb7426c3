"""Deciding: every change of consent goes through `decide`."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from django.db import transaction

from privacy_center.holders import holders
from privacy_center.models import (
    AgeBand,
    ConsentRecord,
    ConsentState,
    DataSubject,
    Decision,
    Method,
)
from privacy_center.purposes import OFFERED, WORDINGS, Preset, Purpose


class ConsentRefused(Exception):
    """A yes that cannot be recorded. The message says why, for the person."""


def decide(
    subject_id: UUID,
    wishes: Mapping[Purpose, bool],
    *,
    method: Method,
    at: datetime,
    words: str | None = None,
) -> list[ConsentRecord]:
    """Record what a person wants for some purposes; return the new records, oldest first.

    `words` is the digest of what the person read; without it, that of each purpose's wording.

    A yes to a use is a yes to storing what it uses, and a no to storing ends its uses: the
    records say so, one each. A wish that is already the current answer changes nothing. Holders
    act in the same transaction. Raises `ConsentRefused` when a yes is not possible.
    """
    with transaction.atomic():
        # One decision at a time per person; everybody else is untouched.
        subject = DataSubject.objects.select_for_update(no_key=True).get(pk=subject_id)
        states = {Purpose(s.purpose): s for s in ConsentState.objects.filter(subject_id=subject_id)}
        wanted = _with_consequences(wishes, states)
        _check_possible(subject, wanted)
        changes = [
            (purpose, is_yes)
            for purpose, is_yes in wanted.items()
            if _differs(states.get(purpose), is_yes=is_yes)
        ]
        records = [
            ConsentRecord(
                subject_id=subject_id,
                purpose=purpose,
                decision=_decision(states.get(purpose), is_yes=is_yes),
                method=method,
                wording_digest=words or WORDINGS[purpose].digest,
                recorded_at=at,
            )
            for purpose, is_yes in sorted(changes, key=_order)
        ]
        _write(records)
        _tell_holders(records)
        return records


def choose_preset(
    subject_id: UUID, preset: Preset, *, method: Method, at: datetime
) -> list[ConsentRecord]:
    """Exactly the preset's purposes on and every other offered purpose off."""
    wishes = {purpose: purpose in preset.purposes for purpose in Purpose if purpose in OFFERED}
    return decide(subject_id, wishes, method=method, at=at, words=preset.digest)


def grant_to_imported(
    subject_ids: Sequence[UUID], purposes: Collection[Purpose], *, at: datetime
) -> Mapping[UUID, UUID]:
    """Record imported grants for subjects that have no decision yet.

    Raises `IntegrityError` for a subject who decided already: an import overrides nobody.
    Returns the record id of `listening:store` by subject (empty if it was not granted). The
    importer asserts that these people said yes elsewhere; the records say `import`.
    """
    for purpose in purposes:
        if purpose not in OFFERED or (purpose.needs and purpose.needs not in purposes):
            raise ConsentRefused(f"{purpose} cannot be granted by an import.")
    ordered = sorted(purposes, key=lambda purpose: purpose.needs is not None)
    store_records: dict[UUID, UUID] = {}
    for start in range(0, len(subject_ids), 1000):
        records = [
            ConsentRecord(
                subject_id=subject_id,
                purpose=purpose,
                decision=Decision.GIVEN,
                method=Method.IMPORT,
                wording_digest=WORDINGS[purpose].digest,
                recorded_at=at,
            )
            for subject_id in subject_ids[start : start + 1000]
            for purpose in ordered
        ]
        ConsentRecord.objects.bulk_create(records)
        ConsentState.objects.bulk_create(_states(records))
        store_records.update(
            (r.subject_id, r.id) for r in records if r.purpose == Purpose.LISTENING_STORE
        )
    return store_records


def _with_consequences(
    wishes: Mapping[Purpose, bool], states: Mapping[Purpose, ConsentState]
) -> dict[Purpose, bool]:
    wanted = dict(wishes)
    for purpose, is_yes in wishes.items():
        if is_yes and purpose.needs:
            if wishes.get(purpose.needs) is False:
                raise ConsentRefused(
                    f"“{WORDINGS[purpose].title}” needs “{WORDINGS[purpose.needs].title}”."
                )
            wanted[purpose.needs] = True
    for purpose, is_yes in wishes.items():
        if not is_yes:
            for dependent in purpose.dependents:
                if dependent in states and states[dependent].decision == Decision.GIVEN:
                    wanted[dependent] = False
    return wanted


def _check_possible(subject: DataSubject, wanted: Mapping[Purpose, bool]) -> None:
    granted = [purpose for purpose, is_yes in wanted.items() if is_yes]
    if any(purpose not in OFFERED for purpose in granted):
        raise ConsentRefused("This cannot be switched on: nothing here would use it.")
    if granted and subject.age_band == AgeBand.BELOW_CONSENT:
        raise ConsentRefused(
            "Where you live, people of your age need a parent to say yes to this. "
            "Everything else here is open to you without it."
        )


def _differs(state: ConsentState | None, *, is_yes: bool) -> bool:
    if state is None:
        return True
    return (state.decision == Decision.GIVEN) != is_yes


def _order(change: tuple[Purpose, bool]) -> tuple[bool, bool]:
    """Ends before beginnings; uses end before storing does, storing begins before uses do."""
    purpose, is_yes = change
    return is_yes, (purpose.needs is None) != is_yes


def _decision(state: ConsentState | None, *, is_yes: bool) -> Decision:
    if is_yes:
        return Decision.GIVEN
    was_given = state is not None and state.decision == Decision.GIVEN
    return Decision.WITHDRAWN if was_given else Decision.REFUSED


def _write(records: Sequence[ConsentRecord]) -> None:
    """The records, and the states they make."""
    ConsentRecord.objects.bulk_create(records)
    ConsentState.objects.bulk_create(
        _states(records),
        update_conflicts=True,
        unique_fields=["subject", "purpose"],
        update_fields=["decision", "record", "since"],
    )


def _states(records: Sequence[ConsentRecord]) -> list[ConsentState]:
    return [
        ConsentState(
            subject_id=record.subject_id,
            purpose=record.purpose,
            decision=record.decision,
            record=record,
            since=record.recorded_at,
        )
        for record in records
    ]


def _tell_holders(records: Sequence[ConsentRecord]) -> None:
    for record in records:
        for holder in holders():
            if record.decision == Decision.GIVEN:
                holder.on_given(record.subject_id, Purpose(record.purpose))
            elif record.decision == Decision.WITHDRAWN:
                holder.on_ended(record.subject_id, Purpose(record.purpose))
