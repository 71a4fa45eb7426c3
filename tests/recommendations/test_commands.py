"""`train` and `evaluate`: one JSON object each; `evaluate` needs no server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from privacy_center.models import Account
from recommendations.models import Practice, Release
from recommendations.turn import TRAINER_LOCK
from tests.calm_site.test_embedded import serving
from tests.conftest import ROOT, choose, listen
from tests.contracts.apart import apart
from tests.recommendations.from_scratch import digest_from_scratch

FIGURES = {"ndcg@10", "recall@20", "fit_seconds", "people", "practices", "interactions"}


def _pairs(path: Path, lines: list[str]) -> str:
    path.write_text("\n".join(lines) + "\n")
    return str(path)


def _evaluate(folder: Path, *extra: str) -> "subprocess.CompletedProcess[str]":
    """The command as a person runs it, with no servers in the environment."""
    train = _pairs(folder / "train", [f"{u} {u % 5} {(u + 1) % 5} 9" for u in range(30)])
    test = _pairs(folder / "test", [f"{u} {(u + 2) % 5}" for u in range(30)])
    env = {k: v for k, v in os.environ.items() if k not in ("DATABASE_URL", "REDIS_URL")}
    return subprocess.run(
        [sys.executable, "manage.py", "evaluate", "--train", train, "--test", test, *extra],
        cwd=ROOT,
        env=env | {"STILLWATER_VAR": str(folder / "var")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_evaluate_prints_one_json_object_and_starts_no_server(tmp_path: Path) -> None:
    done = _evaluate(tmp_path)
    figures = json.loads(done.stdout)
    assert set(figures) >= FIGURES
    assert (figures["people"], figures["practices"], figures["interactions"]) == (30, 6, 90)
    assert 0 < figures["ndcg@10"] <= 1
    assert not (tmp_path / "var" / "run").exists()
    assert serving(tmp_path / "var") == []


def test_evaluate_knows_its_algorithms_and_names_a_missing_file(tmp_path: Path) -> None:
    unknown = _evaluate(tmp_path, "--algorithm", "oracle")
    assert unknown.returncode == 2
    assert "invalid choice: 'oracle'" in unknown.stderr
    missing = _evaluate(tmp_path, "--test", str(tmp_path / "gone"))
    assert missing.returncode == 1
    assert str(tmp_path / "gone") in missing.stderr
    assert "Traceback" not in missing.stderr


@pytest.mark.django_db(transaction=True)
def test_train_prints_the_release_it_published(
    alice: Account, catalog: list[Practice], capsys: pytest.CaptureFixture[str]
) -> None:
    listen(choose(alice, "community"), *catalog[:4])
    call_command("train")
    printed = json.loads(capsys.readouterr().out)
    release = Release.objects.get(state=Release.State.ACTIVE)
    assert printed["release"] == str(release.pk)
    assert printed["gram_digest"] == digest_from_scratch()
    assert (printed["people"], printed["interactions"]) == (1, 4)
    assert printed["practices"] == len(catalog)
    assert printed["fit_seconds"] >= 0


@pytest.mark.django_db(transaction=True)
def test_train_says_so_when_another_trainer_is_at_work(catalog: list[Practice]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", [TRAINER_LOCK])
    try:
        error = apart(lambda: call_command("train")).error()
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [TRAINER_LOCK])
    assert isinstance(error, CommandError)
    assert "another trainer is at work" in str(error)
    assert not Release.objects.exists()
