"""Version 1 of the notices; a key for everybody; and for decisions from before, a notice and a leaf.

Each keeps the digest of the words it was really made by; version 1 of the notice, which says the
same of what happens, is the one it is carried on under. There is no way back: keys and leaves that
were given out cannot be taken in again.
"""

from datetime import timedelta

from django.db import migrations
from django.utils import timezone

from privacy_center.first_notices import publish_first_notices
from privacy_center.keys import new_key, unwrap
from privacy_center.ledger.leaf import Leaf, Statement, commitment, opening, timestamp

YES = "given"


def fill(apps, schema_editor):
    get = lambda name: apps.get_model("privacy_center", name)
    publish_first_notices(timezone.now(), notices=get("Notice"), texts=get("NoticeText"))
    notices = {notice.purpose: notice for notice in get("Notice").objects.all()}
    for subject in get("DataSubject").objects.all():
        wrapped = new_key()
        subject.wrapped_key, subject.wrapping_key_id = wrapped.data, wrapped.wrapping_key_id
        subject.save()
        key = unwrap(wrapped.data, wrapped.wrapping_key_id)
        records = get("ConsentRecord").objects.filter(subject=subject)
        for record in records.order_by("recorded_at", "id"):
            _fill_record(record, notices[record.purpose], key)
            get("LedgerEntry").objects.create(record=record, leaf_hash=_leaf(record).hash)
        for state in get("ConsentState").objects.filter(subject=subject):
            state.valid_until = state.record.valid_until
            state.save()


def _fill_record(record, notice, key):
    record.notice = notice
    if record.decision == YES:
        record.valid_until = record.recorded_at + timedelta(days=notice.valid_days)
    statement = Statement(
        record_id=record.id,
        pii_principal_id=record.subject_id,
        purpose=record.purpose,
        decision=record.decision,
        notice=notice.digest,
        time=timestamp(record.recorded_at),
        valid_until=timestamp(record.valid_until) if record.valid_until else None,
        language=record.language,
        method=record.method,
        preset=record.preset,
    )
    record.commitment = commitment(opening(key, record.id), statement.data)
    record.save()


def _leaf(record):
    return Leaf(
        purpose=record.purpose,
        decision=record.decision,
        notice=record.notice.digest,
        time=timestamp(record.recorded_at),
        commitment=bytes(record.commitment),
    )


class Migration(migrations.Migration):
    dependencies = [("privacy_center", "0003_notices_keys_and_ledger")]

    operations = [migrations.RunPython(fill)]
