"""`manage.py tune_model`: on whom it measures, what it prints, and that it changes nothing."""

import json
import random
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings

from calm_site.population import population
from privacy_center.actions.consent import decide
from privacy_center.models import Method
from privacy_center.purposes import Purpose
from recommendations.models import Listen, Practice
from recommendations.selectors.practice import published
from recommendations.tuning import WEIGHTING, measured
from tests.conftest import NOW
from tests.recommendations.sharing import Sitting, share_sittings

PEOPLE = 250


@pytest.fixture
def demo(catalog: list[Practice], monkeypatch: pytest.MonkeyPatch) -> None:
    """People of the demo's population who all share: the same every time, down to the ids by which
    they are drawn."""
    numbers = random.Random(5)
    monkeypatch.setattr(
        "privacy_center.actions.subject.uuid4",
        lambda: UUID(int=numbers.getrandbits(128), version=4),
    )
    people = population(PEOPLE, practices=list(published()), now=NOW)
    share_sittings(
        [
            [
                Sitting(
                    x.practice, x.started_at, min(1.0, x.seconds / x.practice.seconds_to_complete)
                )
                for x in person.listens
            ]
            for person in people
        ]
    )


def _tuned(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("tune_model", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def _facts() -> dict[str, Any]:
    facts: dict[str, Any] = json.loads(_tuned("--json")[0])
    return facts


def test_it_prints_every_outcome_with_its_interval_and_one_recommendation(demo: None) -> None:
    out, progress = _tuned()
    assert len(progress.strip().splitlines()) > 10
    assert out.count("Recommended") == 1
    assert "EASE_REGULARIZATION=" in out
    assert "balance 0.7" in out
    assert "Listen again" in out


def test_as_json_it_says_the_same_every_time(demo: None) -> None:
    first, second = _facts(), _facts()
    first.pop("at"), second.pop("at")
    assert first == second
    assert first["people"] > 40
    tried = [outcome["settings"] for outcome in first["outcomes"]]
    assert tried[0] == {
        "regularization": 300.0,
        "content_weight": 2,
        "weighting": WEIGHTING,
        "dropout": 0.0,
    }
    assert first["recommended"] in tried
    for outcome in first["outcomes"]:
        assert 0 < outcome["ndcg"]["low"] < outcome["ndcg"]["value"] < outcome["ndcg"]["high"] < 1
    assert first["outcomes"][0]["gain"] == 0.0


def test_settings_that_are_clearly_bad_are_replaced(demo: None, settings: Settings) -> None:
    settings.EASE_REGULARIZATION = 1e-3
    settings.CONTENT_WEIGHT = 0
    facts = _facts()
    assert facts["confirmed"]["gain"] > 1.96 * facts["confirmed"]["gain_error"]
    assert facts["recommended"] == facts["confirmed"]["settings"]
    assert facts["recommended"]["regularization"] > 1e-3


def test_what_is_tested_on_is_new_after_the_split_and_nothing_of_it_is_learned(
    demo: None, catalog: list[Practice]
) -> None:
    found = measured(at_most=1000)
    assert found is not None
    rows = Listen.objects.filter(completion__gte=0.5)
    times = sorted(rows.values_list("started_at", flat=True))
    moment = np.quantile([at.timestamp() for at in times], 0.8)
    ids = sorted(practice.pk for practice in catalog)
    before: set[tuple[int, int]] = set()
    after: set[tuple[int, int]] = set()
    order = {
        s: i for i, s in enumerate(sorted(set(Listen.objects.values_list("subject_id", flat=True))))
    }
    for subject_id, practice_id, at in rows.values_list("subject_id", "practice_id", "started_at"):
        cell = order[subject_id], ids.index(practice_id)
        (before if at.timestamp() < moment else after).add(cell)
    train, test = found.split.train[WEIGHTING], found.split.test
    people = {person for person, _practice in before}
    assert set(zip(train.people.tolist(), train.practices.tolist(), strict=True)) == before
    assert set(zip(test.people.tolist(), test.practices.tolist(), strict=True)) == {
        cell for cell in after - before if cell[0] in people
    }


def test_law_2_only_consenting_people_are_measured_on(demo: None) -> None:
    found = measured(at_most=1000)
    assert found is not None
    subject_ids = sorted(set(Listen.objects.values_list("subject_id", flat=True)))
    wishes = {Purpose.LISTENING_TRAIN: False}
    decide(subject_ids[0], wishes, method=Method.PRIVACY_PAGE, at=timezone.now())
    after = measured(at_most=1000)
    assert after is not None
    assert after.split.test.n_people == found.split.test.n_people - 1


def test_too_few_people_are_an_error_that_says_so(catalog: list[Practice]) -> None:
    with pytest.raises(CommandError, match="Too few people share"):
        _tuned()
    now = timezone.now() - timedelta(days=1)
    share_sittings([[Sitting(catalog[0], now)]] * 3)
    with pytest.raises(CommandError, match="Too few people share"):
        _tuned()
