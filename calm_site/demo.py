"""Loading the demo: a synthetic population and a few sign-ins, through the site's own actions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

import numpy as np
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction

from calm_site.population import DAYS, SEED, SyntheticPerson, population
from calm_site.roles import DATA_SCIENTIST, EDITOR, PRIVACY_OFFICER
from privacy_center.actions.consent import choose_preset, decide
from privacy_center.actions.subject import create_subject
from privacy_center.interface import Person, purposes_in_force
from privacy_center.models import Account, AgeBand, Method
from privacy_center.purposes import MOOD, PRESETS, Preset, Purpose
from recommendations.actions.listening import Heard, rate_practice, record_listens, set_favorite
from recommendations.actions.mood import Felt, check_in
from recommendations.models import Moment
from recommendations.selectors.mood import Words
from recommendations.selectors.practice import published

PEOPLE = 2000
CHECK_INS = 18
PASSWORD = "still-water-demo"  # noqa: S105 (printed by make run; the demo only)


@dataclass(frozen=True)
class SignIn:
    """An account of the demo, and what it is for."""

    email: str
    what: str
    preset: Preset | None = None
    role: str = ""


SIGN_INS: tuple[SignIn, ...] = (
    *(
        SignIn(f"{preset.key}@example.org", f"a person who chose “{preset.title}”", preset)
        for preset in PRESETS
    ),
    SignIn("editor@example.org", "staff: edits practices", role=EDITOR),
    SignIn("officer@example.org", "staff: privacy officer", role=PRIVACY_OFFICER),
    SignIn("scientist@example.org", "staff: data scientist", role=DATA_SCIENTIST),
)


def is_loaded() -> bool:
    return Account.objects.filter(email=SIGN_INS[-1].email).exists()


def has_other_accounts() -> bool:
    """Whether somebody uses this database: accounts with a known password do not belong there."""
    return Account.objects.exists()


def load_people(*, now: datetime, count: int = PEOPLE) -> Iterator[int]:
    """Make the population and the sign-ins, all or nothing; yields how many people are done.

    They choose their preset, listen, rate and mark favorites by the same actions as real people;
    whoever chose “Just listening” leaves no trace of listening here, because nothing stores it.
    """
    practices = list(published())
    people = population(count, practices=practices, now=now)
    with transaction.atomic():
        for done, person in enumerate(people, 1):
            _live(_join(None, PRESETS[person.preset], now), person)
            yield done
        characters = {
            person.preset: person
            for person in population(200, practices=practices, now=now, seed=1)
        }
        for sign_in in SIGN_INS:
            _add_sign_in(sign_in, characters, now)


def _join(account: Account | None, preset: Preset, now: datetime) -> UUID:
    """Before the first listen: nothing is stored that was not agreed to by then."""
    at = now - timedelta(days=DAYS + 2)
    subject = create_subject(account, region="ZZ", band=AgeBand.ADULT, at=at, is_synthetic=True)
    choose_preset(subject.id, preset, method=Method.DEMO, at=at)
    return subject.id


def _live(subject_id: UUID, made_up: SyntheticPerson) -> None:
    person = Person(subject_id, purposes_in_force(subject_id), is_synthetic=True)
    if not person.can_store:
        return
    record_listens(
        person,
        [Heard(uuid4(), x.practice, x.started_at, x.seconds, x.seconds) for x in made_up.listens],
    )
    for practice in made_up.favorites:
        set_favorite(person, practice, is_favorite=True)
    for practice, value in made_up.ratings:
        rate_practice(person, practice, value)


def _add_sign_in(sign_in: SignIn, characters: dict[int, SyntheticPerson], now: datetime) -> None:
    account = Account.objects.create_user(
        sign_in.email, PASSWORD, is_demo=True, is_staff=bool(sign_in.role)
    )
    EmailAddress.objects.create(user=account, email=sign_in.email, verified=True, primary=True)
    if sign_in.role:
        account.groups.add(Group.objects.get(name=sign_in.role))
    if sign_in.preset:
        subject_id = _join(account, sign_in.preset, now)
        _live(subject_id, characters[PRESETS.index(sign_in.preset)])
        if Purpose.LISTENING_TRAIN in sign_in.preset.purposes:
            _feel(subject_id, now)


def _feel(subject_id: UUID, now: datetime) -> None:
    """Who shares all of their listening here also keeps check-ins, lighter as the weeks go by."""
    wishes = dict.fromkeys(MOOD, True)
    decide(subject_id, wishes, method=Method.DEMO, at=now - timedelta(days=DAYS + 1))
    person = Person(subject_id, purposes_in_force(subject_id), is_synthetic=True)
    random = np.random.default_rng(SEED)
    for days_ago in range(CHECK_INS * 3, 0, -3):
        valence = round(random.normal(1.0 - days_ago / 25, 0.8))
        felt = Felt(
            id=uuid4(),
            practice=None,
            moment=Moment.NONE,
            valence=min(2, max(-2, valence)),
            energy=int(random.integers(-2, 2)),
            words=Words((), ""),
            at=now - timedelta(days=days_ago, hours=2),
        )
        check_in(person, felt)
