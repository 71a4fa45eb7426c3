"""When a person could be learned from: from what they decided, and when words changed."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from privacy_center.actions.consent import decide
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.expiry import expire
from privacy_center.holders import Learning
from privacy_center.models import Account, ConsentRecord, Decision, Method, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.learning import learning_ended_by, learning_times
from tests.conftest import NOW

STORE, TRAIN = Purpose.LISTENING_STORE, Purpose.LISTENING_TRAIN
DAY = timedelta(days=1)


def _decide(account: Account, at: datetime, *, signal: str = "listening", **wishes: bool) -> None:
    named = {Purpose(f"{signal}:{use}"): is_yes for use, is_yes in wishes.items()}
    decide(account.subject.id, named, method=Method.PRIVACY_PAGE, at=at)


def _publish(purpose: Purpose, at: datetime) -> Notice:
    draft = draft_notice(purpose)
    for text in draft.texts.all():
        text.sentence += " And more."
        text.save()
    return publish_notice(draft, at=at)


def _times(account: Account, purpose: Purpose = TRAIN) -> list[Learning]:
    """By the clock; that the entries of the ledger say the same is asserted here."""
    times = learning_times(account.subject.id, purpose)
    records = ConsentRecord.objects.filter(subject=account.subject).select_related("entry")
    for time in times:
        began = {record.entry.id for record in records if record.recorded_at == time.begins}
        assert time.begin_entry in began
        ended = {
            r.entry.id for r in records if (r.id, r.recorded_at) == (time.record_id, time.ends)
        }
        assert time.end_entry == (ended.pop() if ended else None), "words end it without an entry"
    return [replace(time, begin_entry=None, end_entry=None, resume_entry=None) for time in times]


def _spans(account: Account) -> list[tuple[datetime, datetime | None]]:
    return [(time.begins, time.ends) for time in _times(account)]


def _record(account: Account, purpose: Purpose, decision: Decision) -> ConsentRecord:
    return ConsentRecord.objects.get(subject=account.subject, purpose=purpose, decision=decision)


def test_learning_lasts_from_yes_to_no_and_the_no_is_what_ended_it(alice: Account) -> None:
    _decide(alice, NOW, train=True)
    assert _times(alice) == [Learning(TRAIN, NOW)]
    _decide(alice, NOW + 2 * DAY, train=False)
    no = _record(alice, TRAIN, Decision.WITHDRAWN)
    assert _times(alice) == [Learning(TRAIN, NOW, NOW + 2 * DAY, no.id)]


def test_learning_needs_storing_as_well(alice: Account) -> None:
    _decide(alice, NOW, store=True)
    assert _times(alice) == []
    _decide(alice, NOW + DAY, train=True)
    _decide(alice, NOW + 2 * DAY, store=False)
    (time,) = _times(alice)
    assert (time.begins, time.ends) == (NOW + DAY, NOW + 2 * DAY)
    # A no to storing is a no to training; that one is what people look for.
    assert time.record_id == _record(alice, TRAIN, Decision.WITHDRAWN).id


def test_whose_time_is_over_is_learned_from_until_the_end_is_recorded(alice: Account) -> None:
    """Only then are the holders told: a release that was begun a moment before still knows them."""
    _decide(alice, NOW, train=True)
    end = _record(alice, TRAIN, Decision.GIVEN).valid_until
    assert end
    assert _spans(alice) == [(NOW, None)]
    expire(at=end + DAY)
    expired = _record(alice, TRAIN, Decision.EXPIRED)
    assert _times(alice) == [Learning(TRAIN, NOW, end + DAY, expired.id)]


@pytest.mark.parametrize("purpose", [STORE, TRAIN])
def test_a_new_notice_of_either_suspends_learning_and_the_yes_is_what_ended(
    alice: Account, purpose: Purpose
) -> None:
    published = Notice.objects.filter(purpose=purpose).latest("version").published_at
    assert published
    begin = published + DAY
    _decide(alice, begin, train=True)
    yes = _record(alice, purpose, Decision.GIVEN)
    _publish(purpose, begin + DAY)
    assert _times(alice) == [Learning(TRAIN, begin, begin + DAY, yes.id)]
    decide(alice.subject.id, {purpose: True}, method=Method.API, at=begin + 3 * DAY)
    assert _times(alice) == [
        Learning(TRAIN, begin, begin + DAY, yes.id, resumed_at=begin + 3 * DAY),
        Learning(TRAIN, begin + 3 * DAY),
    ]


def test_a_renewal_before_the_end_does_not_interrupt(alice: Account) -> None:
    _decide(alice, NOW, train=True)
    _decide(alice, NOW + timedelta(days=710), train=True, store=True)
    assert _spans(alice) == [(NOW, None)]


def test_each_signal_has_times_of_its_own(alice: Account) -> None:
    _decide(alice, NOW, train=True)
    _decide(alice, NOW + DAY, signal="mood", train=True)
    _decide(alice, NOW + 2 * DAY, train=False)
    assert _spans(alice) == [(NOW, NOW + 2 * DAY)]
    assert _times(alice, Purpose.MOOD_TRAIN) == [Learning(Purpose.MOOD_TRAIN, NOW + DAY)]


def test_a_decision_leads_to_what_it_ended_and_nobody_else_s_does(
    alice: Account, bob: Account
) -> None:
    _decide(alice, NOW, train=True)
    _decide(alice, NOW + DAY, train=False)
    no = _record(alice, TRAIN, Decision.WITHDRAWN)
    ended = learning_ended_by(alice.subject.id, no.id)
    assert ended == learning_times(alice.subject.id, TRAIN)[0]
    assert learning_ended_by(bob.subject.id, no.id) is None
    yes = _record(alice, TRAIN, Decision.GIVEN)
    assert learning_ended_by(alice.subject.id, yes.id) is None
