"""Law 2: the model is, bit for bit, what today's consenting people would give from scratch."""

from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from privacy_center.actions.consent import choose_preset, decide
from privacy_center.actions.subject import create_subject
from privacy_center.interface import Person, Purpose, purposes_in_force
from privacy_center.models import Account, AgeBand, Method
from privacy_center.purposes import PRESETS, Preset
from recommendations.actions.listening import Heard, NotConsented, record_listens, set_favorite
from recommendations.actions.mood import Felt, check_in
from recommendations.actions.taste import exclude_practice, include_practice, reset_taste
from recommendations.models import Moment, Practice, Release
from recommendations.selectors.mood import Words
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen
from tests.recommendations.from_scratch import digest_from_scratch, gram_from_scratch
from tests.recommendations.learned import learned


def _release() -> Release:
    release = train(clock=timezone.now)
    assert release is not None
    return release


@pytest.mark.django_db(transaction=True)
def test_a_release_is_what_training_from_scratch_gives(
    alice: Account, bob: Account, charlie: Account, catalog: list[Practice]
) -> None:
    everything = catalog[:9]
    for account, preset in ((alice, "community"), (bob, "just-for-me"), (charlie, "community")):
        person = choose(account, preset)
        listen(person, *everything, *everything[:2], *everything[:2])
        set_favorite(person, everything[1], is_favorite=True)
        set_favorite(person, catalog[20], is_favorite=True)
    release = _release()
    assert release.people == 2
    assert gram_from_scratch().sum() > 0
    assert release.gram_digest == digest_from_scratch()


@pytest.mark.django_db(transaction=True)
def test_after_a_withdrawal_the_digest_is_that_of_a_database_that_never_had_the_person(
    alice: Account, bob: Account, charlie: Account, catalog: list[Practice]
) -> None:
    for account in (bob, charlie):
        listen(choose(account, "community"), *catalog[:5])
    never_had_alice = _release().gram_digest
    listen(choose(alice, "community"), *catalog[3:9])
    assert _release().gram_digest != never_had_alice
    choose(alice, "just-listening")
    assert _release().gram_digest == never_had_alice


@pytest.mark.django_db(transaction=True)
def test_whoever_withdraws_training_alone_keeps_the_history_and_leaves_the_model(
    alice: Account, bob: Account, catalog: list[Practice]
) -> None:
    listen(choose(bob, "community"), *catalog[:5])
    never_had_alice = _release().gram_digest
    listen(choose(alice, "community"), *catalog[3:9])
    assert choose(alice, "just-for-me").can_personalize
    assert _release().gram_digest == never_had_alice


class Sharing(RuleBasedStateMachine):
    """People come, share, listen, mark and leave; what would be learned is compared each time."""

    practices: list[Practice]

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = transaction.atomic()
        self.sandbox.__enter__()
        self.subjects: list[UUID] = []
        for _ in range(3):
            subject = create_subject(None, region="FI", band=AgeBand.ADULT, at=NOW)
            self.subjects.append(subject.id)
            who = len(self.subjects) - 1
            self.choose(who=who, preset=PRESETS[-1])
            self.decide_on_mood(who=who, use="train", is_yes=True)
            self.feel(who=who, valence=who - 1, energy=1)

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.sandbox.__exit__(None, None, None)

    @rule(who=st.integers(0, 2), preset=st.sampled_from(PRESETS))
    def choose(self, who: int, preset: Preset) -> None:
        choose_preset(self.subjects[who], preset, method=Method.PRIVACY_PAGE, at=NOW)

    @rule(who=st.integers(0, 2), what=st.integers(0, 3), percent=st.sampled_from([20, 60, 95]))
    def hear(self, who: int, what: int, percent: int) -> None:
        practice = self.practices[what]
        seconds = practice.seconds_to_complete * percent // 100
        self.store(who, lambda p: record_listens(p, [Heard(uuid4(), practice, NOW, seconds, 0)]))

    @rule(who=st.integers(0, 2), what=st.integers(0, 3), is_favorite=st.booleans())
    def mark(self, who: int, what: int, is_favorite: bool) -> None:
        practice = self.practices[what]
        self.store(who, lambda p: set_favorite(p, practice, is_favorite=is_favorite))

    @rule(who=st.integers(0, 2), what=st.integers(0, 3), is_counted=st.booleans())
    def count(self, who: int, what: int, is_counted: bool) -> None:
        act, practice = include_practice if is_counted else exclude_practice, self.practices[what]
        self.store(who, lambda p: act(p, practice))

    @rule(who=st.integers(0, 2))
    def begin_anew(self, who: int) -> None:
        self.store(who, reset_taste)

    @rule(who=st.integers(0, 2), use=st.sampled_from(["store", "train"]), is_yes=st.booleans())
    def decide_on_mood(self, who: int, use: str, is_yes: bool) -> None:
        wish = {Purpose(f"mood:{use}"): is_yes}
        decide(self.subjects[who], wish, method=Method.PRIVACY_PAGE, at=NOW)

    @rule(who=st.integers(0, 2), valence=st.integers(-2, 2), energy=st.integers(-2, 2))
    def feel(self, who: int, valence: int, energy: int) -> None:
        felt = Felt(uuid4(), None, Moment.NONE, valence, energy, Words(), NOW)
        person = Person(self.subjects[who], purposes_in_force(self.subjects[who]))
        try:
            check_in(person, felt)
        except NotConsented:
            assert not person.can_store_mood

    def store(self, who: int, write: Callable[[Person], object]) -> None:
        person = Person(self.subjects[who], purposes_in_force(self.subjects[who]))
        try:
            write(person)
        except NotConsented:
            assert not person.can_store

    @invariant()
    def what_would_be_learned_is_what_consenting_people_did(self) -> None:
        assert learned().digest == digest_from_scratch()


def test_at_any_moment_only_consenting_people_would_be_learned_from(
    catalog: list[Practice],
) -> None:
    machine = type("Sharing", (Sharing,), {"practices": catalog[:4]})
    quiet = settings(
        max_examples=12,
        stateful_step_count=12,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quiet)
