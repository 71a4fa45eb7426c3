"""Law 4, and what is shown: grants, refusals, withdrawals, expiries, new notices, signals, presets
in any order; the answer is always the last decision of the ledger, and every yes is a live one.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, Phase
from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from pytest_django import Settings

from privacy_center.actions.consent import choose_preset, decide
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.actions.subject import create_subject
from privacy_center.expiry import expire, expire_unanswered
from privacy_center.ledger.tree import verify_consistency
from privacy_center.ledger_audit import Finding, audit_ledger
from privacy_center.models import (
    AgeBand,
    ConsentRecord,
    ConsentState,
    Decision,
    LedgerCheckpoint,
    LedgerEntry,
    Method,
)
from privacy_center.purposes import GPC_COVERS, LISTENING, MOOD, OFFERED, PRESETS, Preset, Purpose
from privacy_center.selectors.consent import RENEW_WITHIN, purposes_in_force
from privacy_center.selectors.ledger import consistency
from privacy_center.selectors.matrix import matrix
from privacy_center.sequencer import sequence
from tests.conftest import NOW, make_account

PEOPLE = st.integers(0, 2)
PURPOSES = st.sampled_from(sorted(OFFERED))
YEARS = st.sampled_from([0, 0, 0, 3])
VALID = timedelta(days=730)
Yes = tuple[int, datetime]


class Deciding(RuleBasedStateMachine):
    """Three people. `said` is what each wants, kept by rules of its own: for every purpose that the
    last word on was a yes, the version it was said to and when."""

    def __init__(self) -> None:
        super().__init__()
        self.sandbox = transaction.atomic()
        self.sandbox.__enter__()
        self.now = timezone.now()
        self.people = [
            create_subject(None, region="FI", band=AgeBand.ADULT, at=self.now).id for _ in range(3)
        ]
        self.said: list[dict[Purpose, Yes]] = [{} for _ in range(3)]
        self.versions = dict.fromkeys(Purpose, 1)
        self.published: dict[tuple[Purpose, int], datetime] = {}
        self.asked_for_mood: set[tuple[int, Purpose]] = set()
        self.drafts = 0

    def teardown(self) -> None:
        findings = [str(step) for step in audit_ledger() if isinstance(step, Finding)]
        transaction.set_rollback(True)
        self.sandbox.__exit__(None, None, None)
        assert [f for f in findings if not f.startswith("published checkpoint")] == []

    @rule(who=PEOPLE, preset=st.sampled_from(PRESETS), years=YEARS)
    def choose_preset(self, who: int, preset: Preset, years: int) -> None:
        at = self.now - timedelta(days=365 * years)
        choose_preset(self.people[who], preset, method=Method.PRIVACY_PAGE, at=at)
        for purpose in LISTENING:
            self._say(who, purpose, purpose in preset.purposes, at)

    @rule(who=PEOPLE, purpose=PURPOSES, is_yes=st.booleans(), years=YEARS)
    def flip(self, who: int, purpose: Purpose, is_yes: bool, years: int) -> None:
        at = self.now - timedelta(days=365 * years)
        decide(self.people[who], {purpose: is_yes}, method=Method.API, at=at)
        if is_yes and purpose.needs:
            self._say(who, purpose.needs, True, at)
        for dependent in () if is_yes else purpose.dependents:
            self._say(who, dependent, False, at)
        self._say(who, purpose, is_yes, at)
        if is_yes and purpose in MOOD:
            self.asked_for_mood |= {(who, purpose), (who, Purpose.MOOD_STORE)}

    @rule(who=PEOPLE)
    def send_gpc(self, who: int) -> None:
        on = {p: False for p in GPC_COVERS if p in self.said[who]} | {Purpose.SALE: False}
        decide(self.people[who], on, method=Method.GPC, at=self.now)
        for purpose in on:
            self.said[who].pop(purpose, None)

    @rule(purpose=PURPOSES, is_long_ago=st.booleans())
    def publish(self, purpose: Purpose, is_long_ago: bool) -> None:
        draft = draft_notice(purpose)
        self.drafts += 1
        draft.texts.filter(language="en").update(sentence=f"In other words, {self.drafts}.")
        at = self.now - (RENEW_WITHIN if is_long_ago else timedelta())
        publish_notice(draft, at=at)
        self.versions[purpose] += 1
        self.published[purpose, self.versions[purpose]] = at

    @rule()
    def time_passes(self) -> None:
        expire(at=self.now)
        self._end(lambda yes, _p: yes[1] + VALID <= self.now)

    @rule()
    def a_night_passes(self) -> None:
        expire_unanswered(at=self.now)
        self._end(
            lambda yes, p: (
                yes[0] != self.versions[p]
                and self.published[p, yes[0] + 1] <= self.now - RENEW_WITHIN
            ),
        )

    @rule()
    def sequence(self) -> None:
        sequence(clock=lambda: self.now)

    def _say(self, who: int, purpose: Purpose, is_yes: bool, at: datetime) -> None:
        said = self.said[who]
        if not is_yes:
            said.pop(purpose, None)
            return
        before = said.get(purpose)
        is_answered = before is not None and before[0] == self.versions[purpose]
        # A yes that holds for more than another month is not recorded again.
        if not (is_answered and before and before[1] + VALID - at > timedelta(days=30)):
            said[purpose] = (self.versions[purpose], at)

    def _end(self, is_over: Callable[[Yes, Purpose], bool]) -> None:
        for said in self.said:
            over = {purpose for purpose in said if is_over(said[purpose], purpose)}
            for purpose in over | {p for p in said if p.needs in over}:
                said.pop(purpose, None)

    def _is_live(self, who: int, purpose: Purpose) -> bool:
        version, at = self.said[who].get(purpose, (0, self.now))
        return version == self.versions[purpose] and at + VALID > self.now

    @invariant()
    def what_is_in_force_is_what_they_said_and_still_holds(self) -> None:
        for who, subject_id in enumerate(self.people):
            live = {p for p in OFFERED if self._is_live(who, p)}
            expected = {p for p in live if p.needs is None or p.needs in live}
            assert set(purposes_in_force(subject_id)) == expected
            shown = matrix(subject_id, language="en", at=self.now)
            cells = [*shown.singles, *(cell for row in shown.rows for cell in row.cells)]
            assert {cell.purpose for cell in cells if cell.is_on} == expected

    @invariant()
    def the_state_is_the_last_decision_of_the_ledger(self) -> None:
        for state in ConsentState.objects.select_related("record"):
            entries = LedgerEntry.objects.filter(
                record__subject_id=state.subject_id, record__purpose=state.purpose
            )
            last = entries.order_by("-id").select_related("record")[0].record
            assert last is not None
            assert (last.pk, last.decision) == (state.record_id, state.decision)

    @invariant()
    def the_last_word_on_each_purpose_is_what_they_said(self) -> None:
        for said, subject_id in zip(self.said, self.people, strict=True):
            states = ConsentState.objects.filter(subject_id=subject_id)
            assert {state.purpose for state in states if state.is_yes} == set(said)

    @invariant()
    def mood_is_on_only_for_who_asked_for_it_by_name(self) -> None:
        for record in ConsentRecord.objects.filter(purpose__in=MOOD, decision__in=_yes()):
            who = self.people.index(record.subject_id)
            assert (who, Purpose(record.purpose)) in self.asked_for_mood
            assert record.preset == ""

    @invariant()
    def every_checkpoint_adds_to_the_one_before(self) -> None:
        for first, second in pairwise(LedgerCheckpoint.objects.order_by("size")):
            proof = consistency(first.size, second.size)
            roots = bytes(first.root), bytes(second.root)
            assert verify_consistency(first.size, second.size, *roots, proof)


def _yes() -> list[Decision]:
    return [decision for decision in Decision if decision.is_yes]


def test_any_order_of_decisions_keeps_the_law(
    db: None, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> None:
    class Machine(Deciding):
        def __init__(self) -> None:
            # Each life has a database of its own, by rollback; and so a file of its own.
            settings.LEDGER_CHECKPOINT_FILE = tmp_path_factory.mktemp("life") / "checkpoints"
            super().__init__()

    run_state_machine_as_test(Machine, settings=QUIET)


QUIET = effort(
    max_examples=25,
    stateful_step_count=20,
    deadline=None,
    derandomize=True,
    # What fails is long enough to read as it is; making it shorter takes many minutes.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.django_db(transaction=True)
def test_concurrent_decisions_and_sequencers_keep_the_order_of_each_person() -> None:
    """Six at once: three people, each from two places, while two sequencers are at work."""
    people = [make_account(name).subject.id for name in ("ada", "bea", "cleo")]

    def flips(number: int) -> None:
        try:
            for turn in range(25):
                purpose = (Purpose.LISTENING_TRAIN, Purpose.MOOD_STORE)[(turn + number) % 2]
                is_yes = turn % 3 != number // 3
                decide(people[number % 3], {purpose: is_yes}, method=Method.API, at=NOW)
                if number < 2:
                    sequence(clock=lambda: NOW)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(flips, range(6)))
    sequence(clock=lambda: NOW)
    assert not LedgerEntry.objects.filter(index=None).exists()
    assert [str(step) for step in audit_ledger() if isinstance(step, Finding)] == []
    for state in ConsentState.objects.select_related("record"):
        entries = LedgerEntry.objects.filter(
            record__subject_id=state.subject_id, record__purpose=state.purpose
        )
        assert entries.latest("index").record_id == state.record_id
