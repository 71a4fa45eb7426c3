"""When a person could be learned from, and what became of what was learned."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import zip_longest
from uuid import UUID

from privacy_center.holders import Forgetting, Learning, holders
from privacy_center.models import ConsentRecord, Notice
from privacy_center.purposes import Purpose

TRAINING = (Purpose.LISTENING_TRAIN, Purpose.MOOD_TRAIN)

_OPEN = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class _Yes:
    """When a purpose was in force, without what it needs; and which decision ended it."""

    begins: datetime
    ends: datetime
    record_id: UUID
    begin_entry: int
    end_entry: int | None = None


def learning_times(subject_id: UUID, purpose: Purpose) -> list[Learning]:
    """The times in which storing and training were both in force, for a purpose that trains. Oldest
    first; one that goes on has no end.

    A yes ends with the next record, or when a newer notice is published: it is then that holders
    are told. One whose time is over is learned from until that is recorded, a few seconds later.
    """
    trained, stored = (_in_force(subject_id, one) for one in (purpose, purpose.needs) if one)
    both = [
        _Yes(
            max(train.begins, store.begins),
            end.ends,
            end.record_id,
            max(train.begin_entry, store.begin_entry),
            end.end_entry,
        )
        for train in trained
        for store in stored
        for end in [min(train, store, key=lambda yes: yes.ends)]
    ]
    times = sorted((yes for yes in both if yes.begins < yes.ends), key=lambda yes: yes.begins)
    return [
        Learning(
            purpose,
            yes.begins,
            yes.ends,
            yes.record_id,
            after.begins if after else None,
            yes.begin_entry,
            yes.end_entry,
            after.begin_entry if after else None,
        )
        if yes.ends < _OPEN
        else Learning(purpose, yes.begins, begin_entry=yes.begin_entry)
        for yes, after in zip_longest(times, times[1:])
    ]


def learning_ended_by(subject_id: UUID, record_id: UUID) -> Learning | None:
    """The person's time of learning that this decision ended; None if it ended none."""
    times = (time for purpose in TRAINING for time in learning_times(subject_id, purpose))
    return next((time for time in times if time.record_id == record_id), None)


def forgetting(time: Learning) -> Forgetting:
    """What became of what was learned in a time of learning."""
    (found,) = (holder.forgetting(time) for holder in holders())
    return found


def _in_force(subject_id: UUID, purpose: Purpose) -> list[_Yes]:
    published = Notice.objects.filter(purpose=purpose, published_at__isnull=False)
    notices = list(published.values_list("version", "published_at"))
    records = list(
        ConsentRecord.objects.filter(subject_id=subject_id, purpose=purpose)
        .select_related("notice", "entry")
        .order_by("entry__id")
    )
    times: list[_Yes] = []
    for record, after in zip_longest(records, records[1:]):
        if record.valid_until is not None:
            _extend(times, _yes(record, after, notices))
    return times


def _yes(
    record: ConsentRecord,
    after: ConsentRecord | None,
    notices: Sequence[tuple[int, datetime | None]],
) -> _Yes:
    ends = [
        _Yes(record.recorded_at, published_at, record.id, record.entry.id)
        for version, published_at in notices
        if published_at and version > record.notice.version
    ]
    if after is not None:
        entries = record.entry.id, after.entry.id
        ends.append(_Yes(record.recorded_at, after.recorded_at, after.id, *entries))
    going_on = _Yes(record.recorded_at, _OPEN, record.id, record.entry.id)
    return min([*ends, going_on], key=lambda yes: yes.ends)


def _extend(times: list[_Yes], yes: _Yes) -> None:
    """Add a time; one that begins where the last one ends goes on with it."""
    if times and yes.begins <= times[-1].ends:
        first = times.pop()
        yes = replace(yes, begins=first.begins, begin_entry=first.begin_entry)
    if yes.begins < yes.ends:
        times.append(yes)
