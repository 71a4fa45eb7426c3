"""Law 2, over time: whatever happens, in whatever order, the model is what a rebuild would give.

People come, listen, change their minds and leave; the trainer is woken twice, late or not at all,
and dies at any step. The oracle shares no code with any of it.
"""

from collections.abc import Callable
from types import ModuleType
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test
from pytest_django import Settings

from privacy_center.actions.consent import choose_preset, decide
from privacy_center.actions.subject import create_subject
from privacy_center.interface import Person, Purpose, purposes_in_force
from privacy_center.models import AgeBand, Method
from privacy_center.purposes import PRESETS, Preset
from recommendations import item_inverse, model_state, rebuild, trainer
from recommendations.actions.history import delete_listens, exclude_listens
from recommendations.actions.listening import Heard, NotConsented, record_listens, set_favorite
from recommendations.actions.mood import Felt, check_in
from recommendations.actions.taste import exclude_practice, reset_taste
from recommendations.audit import audit
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.release import read_model
from recommendations.model_files import release_dir, state_dir
from recommendations.models import Listen, Moment, Practice, Release, TrainingVector, VectorChange
from recommendations.selectors.mood import Words
from recommendations.tasks.training import reconcile, train_model
from recommendations.trainer import train
from tests.conftest import NOW
from tests.recommendations.from_scratch import digest_from_scratch

PEOPLE = 4
# Where a trainer may die: before the step is done, or right after.
STEPS: list[tuple[ModuleType, str]] = [
    (model_state, "_take_up"),
    (model_state, "_log"),
    (model_state, "rebuild"),
    (model_state, "write_state"),
    (model_state, "_save"),
    (rebuild, "build_shard"),
    (rebuild, "_keep"),
    (trainer, "_fit"),
    (trainer, "write_model"),
    (trainer, "_publish"),
]


class Killed(BaseException):
    """Nothing is tidied up after it, as after SIGKILL."""


class Living(RuleBasedStateMachine):
    """A site that goes on from one example to the next; each brings new people."""

    practices: list[Practice]

    def __init__(self) -> None:
        super().__init__()
        self.subjects: list[UUID] = []
        for _ in range(PEOPLE):
            subject = create_subject(None, region="FI", band=AgeBand.ADULT, at=NOW)
            self.subjects.append(subject.id)
            who = len(self.subjects) - 1
            self.choose(who=who, preset=PRESETS[-1], alone=False)
            self.hear(who=who, what=who, percent=95)

    @rule(who=st.integers(0, PEOPLE - 1), preset=st.sampled_from(PRESETS), alone=st.booleans())
    def choose(self, who: int, preset: Preset, alone: bool) -> None:
        self.settle(alone)
        choose_preset(self.subjects[who], preset, method=Method.PRIVACY_PAGE, at=NOW)

    @rule(
        who=st.integers(0, PEOPLE - 1),
        what=st.integers(0, 5),
        percent=st.sampled_from([40, 60, 95]),
    )
    def hear(self, who: int, what: int, percent: int) -> None:
        practice = self.practices[what]
        seconds = practice.seconds_to_complete * percent // 100
        self.act(who, lambda p: record_listens(p, [Heard(uuid4(), practice, NOW, seconds, 0)]))

    @rule(who=st.integers(0, PEOPLE - 1), what=st.integers(0, 5), is_favorite=st.booleans())
    def mark(self, who: int, what: int, is_favorite: bool) -> None:
        practice = self.practices[what]
        self.act(who, lambda p: set_favorite(p, practice, is_favorite=is_favorite))

    @rule(
        who=st.integers(0, PEOPLE - 1),
        what=st.integers(0, 5),
        is_deleted=st.booleans(),
        alone=st.booleans(),
    )
    def take_back(self, who: int, what: int, is_deleted: bool, alone: bool) -> None:
        self.settle(alone)
        listens = Listen.objects.filter(practice=self.practices[what])
        act = delete_listens if is_deleted else exclude_listens
        self.act(who, lambda p: act(p, listens))

    @rule(who=st.integers(0, PEOPLE - 1), what=st.integers(0, 5), alone=st.booleans())
    def leave_out(self, who: int, what: int, alone: bool) -> None:
        self.settle(alone)
        self.act(who, lambda p: exclude_practice(p, self.practices[what]))

    @rule(who=st.integers(0, PEOPLE - 1), alone=st.booleans())
    def begin_anew(self, who: int, alone: bool) -> None:
        self.settle(alone)
        self.act(who, reset_taste)

    @rule(
        who=st.integers(0, PEOPLE - 1), use=st.sampled_from(["store", "train"]), yes=st.booleans()
    )
    def decide_on_mood(self, who: int, use: str, yes: bool) -> None:
        wish = {Purpose(f"mood:{use}"): yes}
        decide(self.subjects[who], wish, method=Method.PRIVACY_PAGE, at=NOW)

    @rule(who=st.integers(0, PEOPLE - 1), valence=st.integers(-2, 2), energy=st.integers(-2, 2))
    def feel(self, who: int, valence: int, energy: int) -> None:
        felt = Felt(uuid4(), None, Moment.NONE, valence, energy, Words(), NOW)
        self.act(who, lambda p: check_in(p, felt))

    @rule(who=st.integers(0, PEOPLE - 1))
    def leave_for_good(self, who: int) -> None:
        """All that an erasure takes from this app."""
        nothing = dict.fromkeys(purposes_in_force(self.subjects[who]), False)
        decide(self.subjects[who], nothing, method=Method.PRIVACY_PAGE, at=NOW)

    @rule(what=st.integers(0, 5))
    def publish_or_not(self, what: int) -> None:
        practice = self.practices[what]
        Practice.objects.filter(pk=practice.pk).update(is_published=what % 2 == 0)

    @rule(times=st.integers(1, 3), is_late=st.booleans())
    def be_woken(self, times: int, is_late: bool) -> None:
        for _ in range(times):
            train_model()
            if is_late:
                reconcile()

    @rule(step=st.sampled_from(STEPS), is_after=st.booleans())
    def die(self, step: tuple[ModuleType, str], is_after: bool) -> None:
        module, name = step
        original = getattr(module, name)

        def killed(*args: object, **kwargs: object) -> None:
            if is_after:
                original(*args, **kwargs)
            raise Killed

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, name, killed)
            try:
                train(clock=timezone.now)
            except Killed:
                self.lose_memory()

    @rule()
    def lose_memory(self) -> None:
        """Another process goes on."""
        model_state._kept = None
        item_inverse._kept = None

    @rule()
    def lose_the_file(self) -> None:
        for file in state_dir().iterdir():
            file.unlink()
        self.lose_memory()

    @rule()
    def compare(self) -> None:
        found = audit(clock=timezone.now)
        assert found is not None
        assert found.digest == found.rebuild_digest == digest_from_scratch()

    @rule()
    def release(self) -> None:
        made = train(clock=timezone.now)
        assert made is not None
        assert made.gram_digest == digest_from_scratch()
        assert not VectorChange.objects.exists()
        sharing = {row.pk for row in TrainingVector.objects.all()}
        assert len(sharing) == made.people

    def settle(self, alone: bool) -> None:
        """So that what follows is the only change of the next release."""
        if alone:
            self.release()

    def teardown(self) -> None:
        self.release()
        served = _items()
        self.lose_memory()
        self.release()
        _assert_same(served, _items())

    def act(self, who: int, write: Callable[[Person], object]) -> None:
        person = Person(self.subjects[who], purposes_in_force(self.subjects[who]))
        try:
            write(person)
        except NotConsented:
            assert not (person.can_store and person.can_store_mood)


def _items() -> ItemWeights:
    release = Release.objects.get(state=Release.State.ACTIVE)
    return read_model(release_dir() / release.file_name, sha256=release.file_digest).items


def _assert_same(one: ItemWeights, other: ItemWeights) -> None:
    """Updated by updates or inverted anew: to the last bit."""
    for name in ("practice_ids", "neighbors", "weights", "people_per_practice", "context_ids"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def _run(practices: list[Practice], *, examples: int, steps: int) -> None:
    machine = type("Living", (Living,), {"practices": practices})
    quiet = hypothesis_settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        derandomize=True,
        # The site goes on, so an example cannot be run again as it was.
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=quiet)


@pytest.mark.django_db(transaction=True)
def test_whatever_happens_the_model_is_what_a_rebuild_gives(
    catalog: list[Practice], settings: Settings
) -> None:
    settings.SMALLEST_GROUP = 1
    _run(catalog[:6], examples=12, steps=15)


@pytest.mark.torture
@pytest.mark.django_db(transaction=True)
def test_whatever_happens_for_long_the_model_is_what_a_rebuild_gives(
    catalog: list[Practice], settings: Settings
) -> None:
    settings.SMALLEST_GROUP = 1
    _run(catalog[:6], examples=150, steps=30)
