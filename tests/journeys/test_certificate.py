"""Forgotten, and able to show it: from the no to a file that verifies by itself."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from privacy_center.ledger import verify_receipt
from privacy_center.ledger.certificate import (
    CertifiedComparison,
    CertifiedRelease,
    make_certificate,
)
from privacy_center.ledger.verify_receipt import receipt_file
from privacy_center.models import Account
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.sequencer import sequence, signing_keys
from recommendations.models import ModelAudit, Practice, Release
from recommendations.tasks.training import audit_model
from recommendations.trainer import train
from tests.conftest import choose, listen, wait_for, worker
from tests.journeys.stage import enter
from tests.journeys.test_receipt import (
    Json,
    _changed,
    _faults,
    _flipped,
    _judged,
    _places,
    _reason,
    _resigned,
)

pytestmark = pytest.mark.journey


@pytest.fixture
def learned(live_site: str, alice: Account, bob: Account, catalog: list[Practice]) -> Account:
    """Alice, whom a release has learned from; and bob stays in it."""
    listen(choose(bob, "community", at=timezone.now()), *catalog[:3])
    listen(choose(alice, "community", at=timezone.now()), *catalog[:4])
    assert train(clock=timezone.now)
    return alice


def _withdraw(page: Page) -> None:
    """The switch on the privacy page; a worker makes the release without her, and compares."""
    with worker():
        page.goto("/privacy/")
        cell = page.locator('[data-cell="listening:train"]')
        cell.get_by_role("switch").click()
        wait_for(
            lambda: Release.objects.filter(is_forgetting=True, published_at__isnull=False),
            what="the release without her",
        )
        audit_model.apply_async(queue="training")
        wait_for(ModelAudit.objects.exists, what="the comparison")
    sequence(clock=timezone.now)


def _download(page: Page, folder: Path) -> Path:
    """From the timeline, over the page, to the file."""
    page.goto("/privacy/timeline/?kind=learning")
    page.get_by_role("link", name="Certificate: The first release without you").click()
    expect(page.get_by_role("heading", name="Forgetting certificate")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def _verify_alone(file: Path) -> subprocess.CompletedProcess[str]:
    """By the file of the verifier, in a process that finds nothing of ours."""
    script = file.parent / "verify_receipt.py"
    script.write_bytes(Path(verify_receipt.__file__).read_bytes())
    keys = [word for key in verifier_keys() for word in ("--key", key)]
    return subprocess.run(
        [sys.executable, "-I", script.name, file.name, *keys],
        cwd=file.parent, env={}, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _drop(page: Page, file: Path) -> None:
    page.goto("/privacy/verify/")
    page.locator("[data-verify-file]").set_input_files(file)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_whoever_leaves_downloads_a_certificate_that_verifies_with_the_file_alone(
    new_page: Callable[..., Page], learned: Account, tmp_path: Path, scripts: bool
) -> None:
    page = new_page(java_script_enabled=scripts)
    enter(page, learned)
    _withdraw(page)
    file = _download(page, tmp_path)
    done = _verify_alone(file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Genuine: listening:train ended at ")
    if not scripts:
        return
    assert not _faults(page)
    _drop(page, file)
    expect(page.get_by_role("heading", name="This certificate is genuine")).to_be_visible()
    expect(page.locator("[data-verdict=forgotten]")).to_contain_text(done.stdout.strip())
    assert not _faults(page)
    file.write_bytes(file.read_bytes().replace(b'"listening:train"', b'"mood:train"'))
    _drop(page, file)
    expect(page.get_by_text("The file was changed after it was signed.")).to_be_visible()
    expect(page.get_by_role("heading", name="This certificate is genuine")).to_be_hidden()
    assert _verify_alone(file).returncode == 1


@pytest.fixture
def certificate(alice: Account) -> Json:
    """One as the site would sign it, after the ledger has published its key."""
    choose(alice, "community")
    sequence(clock=timezone.now)
    return make_certificate(
        uuid4(),
        purpose="listening:train",
        ended_at="2026-11-24T09:00:05.000000Z",
        last_with=CertifiedRelease(uuid4(), "2026-11-24T09:00:00.000000Z", "a" * 64),
        first_without=CertifiedRelease(uuid4(), "2026-11-24T09:00:07.000000Z", "b" * 64),
        comparison=CertifiedComparison("2026-11-24T09:10:00.000000Z", "c" * 64, "c" * 64),
        statement=["It is our signed word."],
        key=signing_keys()[0],
    )


def _broken(certificate: Json) -> Iterator[bytes]:
    """Certificates in which one thing is wrong, as they are and as a liar would sign them."""
    yield receipt_file(certificate)
    yield receipt_file(_resigned(certificate | {"last_release_with": None}))
    late = "2026-11-24T09:11:00.000000Z"
    for place in _places(certificate):
        for value in (_flipped("x"), late, "d" * 64, "another.example/consent", None, 7):
            changed = _changed(certificate, place, value)
            yield receipt_file(changed)
            if place[0] != "signature":
                yield receipt_file(_resigned(changed))
    for name in certificate:
        rest = {key: value for key, value in certificate.items() if key != name}
        yield receipt_file(rest)
        if name != "signature":
            yield receipt_file(_resigned(rest | {"signature": certificate["signature"]}))


def test_program_and_page_judge_a_broken_certificate_alike_and_for_the_same_reason(
    page: Page, certificate: Json
) -> None:
    files = list(_broken(certificate))
    expected = [_reason(data) for data in files]
    assert len(set(expected)) > 20
    judged = _judged(page, files)
    differing = [pair for pair in zip(expected, judged, strict=True) if pair[0] != pair[1]]
    assert not differing, "\n".join(f"{python}  |  {browser}" for python, browser in differing)
    assert expected[0].startswith("Genuine: listening:train ended at ")
