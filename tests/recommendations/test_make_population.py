"""`make_population`: the same people for a seed, all rules at work, never beside real people."""

from collections import Counter
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from psycopg.errors import CheckViolation

from privacy_center.interface import Purpose, purposes_in_force
from privacy_center.models import Account, ConsentRecord, DataSubject, LedgerEntry
from privacy_center.sequencer import sequence
from recommendations.actions import population as action
from recommendations.actions.population import PopulationRefused, make_population
from recommendations.models import Listen, Practice, VectorChange
from recommendations.population import PEOPLE_AT_ONCE, ascending_ids, population
from recommendations.trainer import train
from tests.conftest import NOW

PEOPLE, LISTENS = 25, 8


def _make(*, people: int = PEOPLE, seed: int = 1) -> None:
    make_population(
        people, practices=1, listens=LISTENS, seed=seed, at=NOW, on_progress=lambda _done: None
    )


def _facts() -> list[tuple[object, ...]]:
    return sorted(
        Listen.objects.values_list(
            "id", "subject_id", "consent_id", "practice_id", "started_at", "seconds", "completion"
        )
    )


def _facts_of_one(seed: int) -> list[tuple[object, ...]]:
    """Of a population that is gone again."""
    with transaction.atomic():
        _make(seed=seed)
        found = _facts()
        transaction.set_rollback(True)
    return found


def test_it_makes_what_it_was_asked_for(
    catalog: list[Practice], capsys: pytest.CaptureFixture[str]
) -> None:
    wanted = len(catalog) + 45
    call_command("make_population", people=PEOPLE, practices=wanted, listens=LISTENS)
    assert DataSubject.objects.filter(is_synthetic=True, account=None).count() == PEOPLE
    assert Practice.objects.filter(is_published=True).count() == wanted
    heard = Counter(Listen.objects.values_list("subject_id", flat=True))
    assert sorted(heard.values()) == [LISTENS] * PEOPLE
    assert "25 people with 200 listens; 45 practices were new." in capsys.readouterr().out


def test_practices_are_added_only_where_there_are_fewer(catalog: list[Practice]) -> None:
    _make()
    assert Practice.objects.count() == len(catalog)


def test_a_seed_makes_the_same_people_and_listens_and_another_one_others(
    catalog: list[Practice],
) -> None:
    first = _facts_of_one(seed=1)
    assert len(first) == PEOPLE * LISTENS
    assert _facts_of_one(seed=1) == first
    assert {row[0] for row in _facts_of_one(seed=2)}.isdisjoint({row[0] for row in first})


def test_listens_are_of_the_last_weeks_and_not_longer_than_there_is(
    catalog: list[Practice],
) -> None:
    _make()
    for listen in Listen.objects.select_related("practice"):
        assert 1 <= (NOW - listen.started_at).days < 60
        whole = listen.practice.seconds_to_complete
        assert listen.seconds == listen.position == round(whole * listen.completion) <= whole


def test_everybody_agreed_before_they_listened_and_every_row_names_the_record(
    catalog: list[Practice],
) -> None:
    _make()
    records = {record.id: record for record in ConsentRecord.objects.all()}
    for listen in Listen.objects.all():
        record = records[listen.consent_id]
        assert (record.subject_id, record.purpose) == (listen.subject_id, Purpose.LISTENING_STORE)
        assert record.recorded_at < listen.started_at
        assert set(purposes_in_force(listen.subject_id)) == set(action.PURPOSES)
    assert {record.preset for record in records.values()} == {"community"}


def test_the_ledger_is_whole(catalog: list[Practice]) -> None:
    _make()
    assert LedgerEntry.objects.count() == PEOPLE * len(action.PURPOSES)
    sequence(clock=timezone.now)
    assert not LedgerEntry.objects.filter(index=None).exists()
    call_command("verify_ledger")


def test_the_rules_of_the_database_are_at_work(
    catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action, "PURPOSES", (Purpose.LISTENING_TRAIN,))
    with pytest.raises(CheckViolation, match="train need store"):
        _make()


def test_law_1_is_at_work(catalog: list[Practice], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(action, "PURPOSES", ())
    monkeypatch.setattr(
        action, "add_synthetic_people", lambda ids, _purposes, at: {each: each for each in ids}
    )
    with pytest.raises(CheckViolation, match="no row without a live consent"):
        _make()


def test_no_rule_is_off_afterwards(catalog: list[Practice]) -> None:
    _make()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE tgenabled <> 'O'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW session_replication_role")
        assert cursor.fetchone() == ("origin",)


def test_the_model_is_asked_to_read_everybody_anew(catalog: list[Practice]) -> None:
    VectorChange.objects.all().delete()
    _make()
    assert VectorChange.objects.filter(subject_id=None).exists()


def test_people_who_are_there_already_are_refused_and_nothing_changes(
    catalog: list[Practice],
) -> None:
    _make()
    before = _facts()
    with pytest.raises(PopulationRefused, match="choose another seed"), transaction.atomic():
        _make()
    assert _facts() == before
    _make(seed=2)
    assert DataSubject.objects.count() == 2 * PEOPLE


def test_it_is_refused_where_data_of_real_people_is(
    alice: Account, catalog: list[Practice]
) -> None:
    with pytest.raises(CommandError, match="data of real people"):
        call_command("make_population", people=PEOPLE, practices=100, listens=LISTENS)
    assert DataSubject.objects.count() == 1
    assert Practice.objects.count() == len(catalog)


def test_what_ends_half_way_leaves_nothing(catalog: list[Practice]) -> None:
    def end(_done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_population(PEOPLE, practices=500, listens=1, seed=1, at=NOW, on_progress=end)
    assert not DataSubject.objects.exists()
    assert not Listen.objects.exists()
    assert Practice.objects.count() == len(catalog)


@pytest.mark.parametrize("count", ["0", "-3", "many", "1.5"])
def test_counts_are_whole_numbers_of_at_least_one(count: str) -> None:
    with pytest.raises(CommandError, match="whole number of at least 1"):
        call_command("make_population", f"--people={count}", "--practices=1", "--listens=1")


@pytest.mark.django_db(transaction=True)
def test_the_trainer_learns_from_all_of_them(catalog: list[Practice]) -> None:
    _make(people=60)
    release = train(clock=timezone.now)
    assert release is not None
    assert release.people == 60


def test_a_few_practices_are_popular_and_everybody_has_tastes() -> None:
    tastes = np.arange(400) % 16
    heard, first_taste = Counter[int](), list[float]()
    for batch in population(600, tastes=tastes, listens=40, seed=3):
        heard.update(batch.practices.tolist())
        for own in batch.practices.reshape(-1, 40):
            first_taste.append(np.bincount(tastes[own]).max() / 40)
    listens = np.sort(np.bincount(list(heard.elements()), minlength=400))[::-1]
    assert 0.25 < listens[:40].sum() / listens.sum() < 0.5
    assert (listens > 0).all()
    # Without tastes, about a sixth of somebody's listens would be to the commonest of sixteen.
    assert 0.5 < np.mean(first_taste) < 0.8


def test_batches_have_different_people_and_ids_ascend_over_all_of_them() -> None:
    people = 2 * PEOPLE_AT_ONCE + 100
    batches = list(population(people, tastes=np.zeros(50, dtype=np.int64), listens=3, seed=1))
    assert [len(batch.people) for batch in batches] == [PEOPLE_AT_ONCE, PEOPLE_AT_ONCE, 100]
    assert not np.array_equal(batches[0].practices, batches[1].practices)
    for halves in ([b.people for b in batches], [b.listens for b in batches]):
        upper = np.concatenate(halves)[:, 0]
        assert (upper[1:] > upper[:-1]).all()


def test_ids_are_random_uuids() -> None:
    ids = ascending_ids(np.random.default_rng(1), 0, 1000, of=1000)
    made = [UUID(bytes=bytes(halves)) for halves in ids.astype(">u8")]
    assert len(set(made)) == 1000
    assert {(each.version, each.variant) for each in made} == {(4, "specified in RFC 4122")}
