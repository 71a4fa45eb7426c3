"""Saying yes to mood, and checking in, in one line each."""

from datetime import datetime
from uuid import uuid4

from privacy_center.actions.consent import decide
from privacy_center.interface import Person, Purpose
from privacy_center.models import Account, Method
from recommendations.actions.mood import Felt, check_in
from recommendations.models import CheckIn, Label, Moment, Practice
from recommendations.selectors.mood import Words
from tests.conftest import NOW, person_of

STORE, PERSONALIZE, TRAIN = Purpose.MOOD_STORE, Purpose.MOOD_PERSONALIZE, Purpose.MOOD_TRAIN


def share_mood(account: Account, *purposes: Purpose, at: datetime = NOW) -> Person:
    """Say yes to these purposes of mood; the person as they are afterwards."""
    wishes = dict.fromkeys(purposes or (STORE,), True)
    decide(account.subject.id, wishes, method=Method.PRIVACY_PAGE, at=at)
    return person_of(account)


def keep_mood(account: Account, *purposes: Purpose, at: datetime = NOW) -> Person:
    """Say no to these purposes of mood."""
    wishes = dict.fromkeys(purposes or (STORE,), False)
    decide(account.subject.id, wishes, method=Method.PRIVACY_PAGE, at=at)
    return person_of(account)


def feel(
    person: Person,
    valence: int,
    energy: int,
    *labels: Label,
    note: str = "",
    practice: Practice | None = None,
    moment: Moment = Moment.NONE,
    at: datetime = NOW,
) -> CheckIn:
    """The person checks in."""
    felt = Felt(uuid4(), practice, moment, valence, energy, Words(labels, note), at)
    kept, _is_new = check_in(person, felt)
    return kept
