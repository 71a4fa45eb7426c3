"""A receipt's way: out of the site, to a machine without the project, and into any browser."""

import json
import os
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from privacy_center.ledger import verify_receipt
from privacy_center.ledger.verify_receipt import (
    Invalid,
    VerifierKey,
    canonical,
    check_file,
    check_receipt,
    receipt_file,
)
from privacy_center.models import Account, ConsentRecord, DataSubject
from privacy_center.selectors.ledger import verifier_keys
from privacy_center.sequencer import sequence, signing_keys
from tests.conftest import NOW, choose
from tests.journeys.conftest import sign_in
from tests.journeys.test_pages import DESK, PHONE, RULES, SMALL_TARGETS, SMALLEST_TARGET

pytestmark = pytest.mark.journey

SCRIPT = Path(verify_receipt.__file__)
Json = dict[str, Any]
# The page's own module, asked about many receipts at once.
JUDGE = """async ([url, receipts, keys]) => {
  const { checkFile } = await import(url);
  const judged = [];
  for (const text of receipts) {
    const data = Uint8Array.from(atob(text), (byte) => byte.charCodeAt());
    try {
      judged.push((await checkFile(data, keys)).line);
    } catch (error) {
      judged.push(`${error.constructor.name}: ${error.message}`);
    }
  }
  return judged;
}"""


def _sequence() -> None:
    sequence(clock=timezone.now)


def _records(account: Account) -> list[ConsentRecord]:
    return list(ConsentRecord.objects.filter(subject=account.subject).order_by("entry__id"))


@pytest.fixture
def decided(alice: Account) -> Account:
    """Alice, after some decisions that are in the ledger."""
    choose(alice, "community")
    choose(alice, "just-for-me", at=NOW + timedelta(days=1))
    _sequence()
    return alice


def _download(page: Page, folder: Path) -> Path:
    """The newest receipt, by the button on the list."""
    page.goto("/privacy/receipts/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download: ").first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.fixture
def receipt(page: Page, decided: Account, tmp_path: Path) -> Path:
    """A receipt that alice downloaded."""
    sign_in(page, decided)
    return _download(page, tmp_path)


@pytest.fixture
def bare_python(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the offline verifier in an empty folder by a Python that knows `cryptography` alone."""
    packages = tmp_path / "packages"
    packages.mkdir()
    installed = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        for found in installed.glob(f"{name}*"):
            if "dist-info" not in found.name:
                (packages / found.name).symlink_to(found)
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / SCRIPT.name).write_bytes(SCRIPT.read_bytes())
    start = (
        f"import runpy, sys; sys.path.append({str(packages)!r}); sys.argv.pop(0); "
        f"runpy.run_path({SCRIPT.name!r}, run_name='__main__')"
    )

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [os.path.realpath(sys.executable), "-I", "-S", "-c", start, SCRIPT.name]
        return subprocess.run(
            [*command, *arguments], cwd=folder, env={}, capture_output=True, text=True, check=False
        )

    project = run("--help").stdout
    assert "RECEIPT" in project
    return run


def _choose(page: Page, file: Path) -> None:
    """Choose a file as a person does."""
    with page.expect_file_chooser() as chooser:
        page.locator("[data-verify-file]").click()
    chooser.value.set_files(file)


def _with_keys(*keys: str) -> Iterator[str]:
    for key in keys:
        yield from ("--key", key)


def test_a_downloaded_receipt_verifies_on_a_machine_without_the_project(
    receipt: Path, bare_python: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done = bare_python(str(receipt), *_with_keys(*verifier_keys()))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("Genuine: listening:")
    assert done.stdout.count("\n") == 1
    receipt.write_bytes(receipt.read_bytes().replace(b'"en"', b'"de"', 1))
    done = bare_python(str(receipt), *_with_keys(*verifier_keys()))
    assert done.returncode == 1
    assert done.stdout.startswith("NOT GENUINE")


def test_fault_30_it_still_verifies_after_the_keys_were_rotated_and_the_person_s_was_destroyed(
    page: Page,
    receipt: Path,
    decided: Account,
    settings: Settings,
    bob: Account,
    bare_python: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    settings.LEDGER_SIGNING_SEEDS = [b"n" * 32, *settings.LEDGER_SIGNING_SEEDS]
    choose(bob, "community")
    _sequence()
    settings.LEDGER_SIGNING_SEEDS = settings.LEDGER_SIGNING_SEEDS[:1]
    choose(bob, "just-listening", at=NOW + timedelta(days=2))
    _sequence()
    DataSubject.objects.filter(account=decided).update(wrapped_key=None, wrapping_key_id="")
    keys = page.request.get("/.well-known/consent-ledger-keys").text().split()
    assert keys == verifier_keys()
    assert len(keys) == 2
    done = bare_python(str(receipt), *_with_keys(*keys))
    assert done.returncode == 0, done.stdout + done.stderr
    page.goto("/privacy/verify/")
    _choose(page, receipt)
    expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()
    # And there is no way to make another.
    page.goto("/privacy/receipts/")
    expect(page.get_by_text("key was destroyed")).to_be_visible()
    expect(page.get_by_role("link", name="Download")).to_have_count(0)


def test_the_archive_of_all_receipts_is_downloaded_from_the_list(
    page: Page, decided: Account
) -> None:
    sign_in(page, decided)
    page.goto("/privacy/receipts/")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download all").click()
    assert download.value.suggested_filename == "receipts.zip"


def test_a_receipt_is_checked_in_the_browser_and_nothing_is_sent(
    page: Page, receipt: Path, new_page: Callable[..., Page]
) -> None:
    stranger = new_page(locale="en-GB", timezone_id="UTC")
    stranger.goto("/privacy/verify/", wait_until="networkidle")
    sent: list[str] = []
    stranger.on("request", lambda request: sent.append(request.url))
    _choose(stranger, receipt)
    heading = stranger.get_by_role("heading", name="This receipt is genuine")
    expect(heading).to_be_visible()
    shown = stranger.locator("[data-verdict=genuine]").inner_text()
    assert "Help everyone's shelves" in shown
    assert "Withdrawn" in shown
    assert "It holds until" not in shown
    assert "3 March 2026" in shown
    assert str(check_receipt(receipt.read_bytes(), _published())) in shown
    document = json.loads(receipt.read_bytes())
    document["ledger"]["leaf"]["time"] = "2026-03-02T00:00:00.000000Z"
    receipt.write_bytes(receipt_file(document))
    _choose(stranger, receipt)
    expect(stranger.get_by_role("heading", name="not genuine")).to_be_visible()
    expect(heading).to_be_hidden()
    expect(stranger.get_by_text("The file was changed after it was signed.")).to_be_visible()
    assert not sent, "the browser sent something"


def test_a_receipt_that_is_dropped_on_the_page_is_checked(page: Page, receipt: Path) -> None:
    page.goto("/privacy/verify/")
    page.evaluate(
        """([name, text]) => {
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(new File([text], name));
          for (const type of ["dragover", "drop"]) {
            document.querySelector(".drop-title").dispatchEvent(
              new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
          }
        }""",
        [receipt.name, receipt.read_text()],
    )
    expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()


def test_with_another_key_the_same_receipt_is_refused(page: Page, receipt: Path) -> None:
    page.goto("/privacy/verify/")
    _choose(page, receipt)
    expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()
    page.get_by_text("The keys it is checked with").click()
    keys = page.get_by_label("Keys, one a line")
    ours = keys.input_value()
    other = VerifierKey("stillwater.example/consent", b"o" * 32)
    keys.fill(str(other))
    keys.blur()
    expect(page.get_by_text("not signed by a key that you gave")).to_be_visible()
    keys.fill("no key at all")
    keys.blur()
    expect(page.get_by_text("A key has three parts")).to_be_visible()
    keys.fill(ours)
    keys.blur()
    expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()


def test_a_browser_without_ed25519_says_so_and_points_to_the_program(
    page: Page, receipt: Path
) -> None:
    page.add_init_script(
        """const imported = crypto.subtle.importKey.bind(crypto.subtle);
        crypto.subtle.importKey = (format, key, algorithm, ...rest) =>
          algorithm === "Ed25519"
            ? Promise.reject(new DOMException("no", "NotSupportedError"))
            : imported(format, key, algorithm, ...rest);"""
    )
    page.goto("/privacy/verify/")
    _choose(page, receipt)
    expect(page.get_by_role("heading", name="This browser cannot check it")).to_be_visible()
    expect(page.get_by_role("link", name="Download the program")).to_be_visible()


def test_the_page_works_when_it_was_reached_by_a_link(page: Page, receipt: Path) -> None:
    page.goto("/privacy/receipts/", wait_until="networkidle")
    for _visit in range(2):
        page.get_by_role("link", name="Check a receipt").first.click()
        expect(page).to_have_url(re.compile("/privacy/verify/$"))
        _choose(page, receipt)
        expect(page.get_by_role("heading", name="This receipt is genuine")).to_be_visible()
        page.go_back()


def test_without_scripts_the_page_explains_the_program(
    new_page: Callable[..., Page], decided: Account
) -> None:
    page = new_page(java_script_enabled=False)
    page.goto("/privacy/verify/")
    expect(page.locator("[data-verify-file]")).to_be_hidden()
    expect(page.get_by_text("python verify_receipt.py RECEIPT")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the program").click()
    assert Path(download.value.path()).read_bytes() == SCRIPT.read_bytes()


def test_by_keyboard_alone_a_receipt_is_found_read_and_downloaded(
    page: Page, decided: Account
) -> None:
    sign_in(page, decided)
    page.goto("/privacy/receipts/")
    _tab_to(page, "receipt-link")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="What it says")).to_be_visible()
    page.goto("/privacy/receipts/")
    _tab_to(page, "receipt-link")
    page.keyboard.press("Tab")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    assert download.value.suggested_filename.startswith("receipt-")


def _tab_to(page: Page, name: str) -> None:
    for _step in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("name => document.activeElement.classList.contains(name)", name):
            return
    raise AssertionError(f"no tab leads to {name}")


def _published() -> list[VerifierKey]:
    return [VerifierKey.parse(key) for key in verifier_keys()]


def _places(value: object, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every place in the receipt where something simple stands."""
    items: list[tuple[str | int, object]] = []
    if isinstance(value, Mapping):
        items = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    for name, item in items:
        if isinstance(item, Mapping | list):
            yield from _places(item, (*place, name))
        else:
            yield (*place, name)


def _flipped(value: object) -> object:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, str) and value:
        return chr(ord(value[0]) ^ 1) + value[1:]
    return "something"


def _changed(receipt: Json, place: tuple[str | int, ...], value: object) -> Json:
    copy: Json = json.loads(json.dumps(receipt))
    inside: Any = copy
    for name in place[:-1]:
        inside = inside[name]
    inside[place[-1]] = value
    return copy


def _resigned(receipt: Json) -> Json:
    """The receipt as an issuer who lies would sign it."""
    signed = {name: value for name, value in receipt.items() if name != "signature"}
    signature = signing_keys()[0].private.sign(canonical(signed))
    value = b64encode(signature).decode()
    return signed | {"signature": receipt["signature"] | {"value": value}}


def _broken(receipt: Json) -> Iterator[bytes]:
    """Receipts in which one thing is wrong, and a few that are hardly receipts."""
    whole = receipt_file(receipt)
    yield whole
    for place in _places(receipt):
        inside: Any = receipt
        for name in place:
            inside = inside[name]
        for value in (_flipped(inside), None, 7):
            changed = _changed(receipt, place, value)
            yield receipt_file(changed)
            if place[0] != "signature" and value != inside:
                yield receipt_file(_resigned(changed))
    proof = receipt["ledger"]["proof"]
    for text in _broken_proofs(proof):
        yield receipt_file(_resigned(_changed(receipt, ("ledger", "proof"), text)))
    for name in receipt:
        yield receipt_file({n: v for n, v in receipt.items() if n != name})
        yield receipt_file({**receipt, "signature": receipt["signature"] | {name: "more"}})
    yield receipt_file(
        _resigned({**receipt, "a": "😀", "ﬀ": "é\u007f\u2028", "__proto__": [{}, []]})
    )
    text = whole.decode()
    for odd in (
        "",
        "[]",
        "7",
        "nul",
        "\ufeff" + text,
        text.rstrip("\n"),
        text + " ",
        text.replace("  ", " "),
        text.replace('"version": 1', '"version": 1.0'),
        text.replace('"version": 1', '"version": 1e0'),
        text.replace('"version": 1', '"version": NaN'),
        text.replace('"version": 1', '"version": -0'),
        text.replace('"version": 1', '"version": 01'),
        text.replace('"version": 1', f'"version": {2**53}'),
        text.replace('"version": 1', '"version": 1' + "0" * 5000),
        text.replace('"version": 1', '"version": 1,\n        "version": 1', 1),
        text.replace('"en"', '"\\u0065n"', 1),
        text.replace('"en"', '"\\ud800"', 1),
        text.replace('"en"', '"\t"', 1),
        text[: len(text) // 2],
        text + "x" * 1_000_000,
    ):
        yield odd.encode()
    yield whole.replace(b'"en"', b'"\xff"', 1)


def _broken_proofs(proof: str) -> Iterator[str]:
    head, _separator, note = proof.partition("\n\n")
    lines = head.split("\n")
    yield "\n".join([lines[0], lines[1].replace("index ", "index 0"), *lines[2:]]) + "\n\n" + note
    yield "\n".join([lines[0], "index 999", *lines[2:]]) + "\n\n" + note
    yield "\n".join([lines[0], f"index {2**63}", *lines[2:]]) + "\n\n" + note
    yield "\n".join(lines[:-1]) + "\n\n" + note
    yield "\n".join([*lines, lines[-1]]) + "\n\n" + note
    yield "\n".join([*lines, *[lines[-1]] * 70]) + "\n\n" + note
    yield "\n".join([*lines[:-1], lines[-1].replace("=", "")]) + "\n\n" + note
    yield "\n".join([*lines[:-1], lines[-1][:-2] + "9="]) + "\n\n" + note
    yield proof.replace("tlog-proof@v1", "tlog-proof@v2")
    yield proof.replace("\n\n", "\n", 1)
    yield proof.replace("\n\n— ", "\n\n- ")
    yield proof.rstrip("\n")
    yield proof + note.splitlines()[-1] + "\n"
    yield proof + "— another.example AAAAAAAA\n"
    yield proof + "— another.example AAA=\n"
    yield head + "\n\n" + note.replace("\n", "\n0", 1)
    yield head + "\n\n" + note.replace("stillwater", "stillwaters", 1)


def _judged(page: Page, files: Sequence[bytes]) -> list[str]:
    """What the page's own module says of each of them."""
    encoded = [b64encode(data).decode() for data in files]
    page.goto("/privacy/verify/")
    script = page.locator("script[src*='privacy_center/verify']").get_attribute("src")
    source = page.evaluate("url => fetch(url).then((answer) => answer.text())", script)
    module = source.split(' from "./', 1)[1].split('"', 1)[0]
    url = f"{script}".rpartition("/")[0] + "/" + module
    judged: list[str] = page.evaluate(JUDGE, [url, encoded, verifier_keys()])
    return judged


def _reason(data: bytes) -> str:
    try:
        return str(check_file(data, _published()))
    except Invalid as error:
        return f"Invalid: {error}"


def test_program_and_page_judge_a_broken_receipt_alike_and_for_the_same_reason(
    page: Page, receipt: Path
) -> None:
    document: Json = json.loads(receipt.read_bytes())
    receipts = list(_broken(document))
    expected = [_reason(data) for data in receipts]
    assert len(receipts) > 300
    assert len(set(expected)) > 25
    judged = _judged(page, receipts)
    differing = [pair for pair in zip(expected, judged, strict=True) if pair[0] != pair[1]]
    assert not differing, "\n".join(f"{python}  |  {browser}" for python, browser in differing)
    genuine = [line for line in expected if line.startswith("Genuine")]
    # The one as it was issued, and those that an issuer signed who may say more than he must.
    assert expected[0] == genuine[0]


def test_the_pages_are_accessible_by_day_and_night_on_a_phone_and_a_desk(
    page: Page, decided: Account, receipt: Path
) -> None:
    record = _records(decided)[0]
    faults: list[str] = []
    for path in (
        "/privacy/receipts/",
        f"/privacy/receipts/{record.id}/",
        "/privacy/verify/",
        "/privacy/evidence/",
        "/privacy/notices/listening:store/",
    ):
        for size, scheme in ((PHONE, "light"), (DESK, "dark")):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
            page.goto(path, wait_until="networkidle")
            if path == "/privacy/verify/":
                _choose(page, receipt)
                page.get_by_role("heading", name="This receipt is genuine").wait_for()
            for summary in page.locator("main summary").all():
                summary.click()
            faults += [f"{path}: {fault}" for fault in _faults(page)]
    assert not faults, "\n".join(faults)


def _faults(page: Page) -> list[str]:
    found = Axe().run(page, options=RULES).response["violations"]
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return [
        *[f"{one['id']}: {one['nodes'][0]['html'][:110]}" for one in found],
        *([f"{wide} px wider than the window"] if wide > 0 else []),
        *[f"small: {html}" for html in page.evaluate(SMALL_TARGETS, SMALLEST_TARGET)],
    ]
