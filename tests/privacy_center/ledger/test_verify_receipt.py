"""The verifier as a stranger runs it: one file, an empty folder, nothing of ours."""

import importlib.util
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

from privacy_center.ledger import verify_receipt
from privacy_center.ledger.verify_receipt import receipt_file
from tests.privacy_center.ledger.ledger import KEY, NEXT_KEY, Ledger

OLD, NEW = str(KEY.verifier_key), str(NEXT_KEY.verifier_key)
RECEIPT = receipt_file(Ledger(13).receipt(3))


class Stranger:
    """A machine with Python and the `cryptography` package, and a folder with the verifier."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "python", symlinks=True)
        self._python = folder / "python" / "bin" / "python"
        (packages,) = (folder / "python" / "lib").glob("python*/site-packages")
        for name in ("cryptography", "_cffi_backend"):
            spec = importlib.util.find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            found = Path(spec.origin)
            target = found.parent if found.name == "__init__.py" else found
            (packages / target.name).symlink_to(target)
        self.folder = folder / "downloads"
        self.folder.mkdir()
        shutil.copy(verify_receipt.__file__, self.folder)

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the folder, isolated from the environment around it."""
        command = [str(self._python), "-I", *arguments]
        return subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, env={}
        )

    def verify(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.python("verify_receipt.py", *arguments)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Stranger:
    found = Stranger(tmp_path_factory.mktemp("stranger"))
    (found.folder / "receipt.json").write_bytes(RECEIPT)
    (found.folder / "forged.json").write_bytes(RECEIPT.replace(b"withdrawn", b"renewed"))
    return found


def test_the_stranger_has_nothing_of_ours(stranger: Stranger) -> None:
    for name in ("privacy_center", "django", "hypothesis"):
        assert "ModuleNotFoundError" in stranger.python("-c", f"import {name}").stderr
    assert stranger.python("-c", "import cryptography").returncode == 0


def test_a_genuine_receipt_takes_one_line_and_status_0(stranger: Stranger) -> None:
    run = stranger.verify("receipt.json", "--key", OLD)

    assert run.stdout == (
        "Genuine: listening:train withdrawn at 2026-11-24T09:03:00.000000Z, "
        "entry 3 of the 13 in the ledger stillwater.example/consent.\n"
    )
    assert (run.returncode, run.stderr) == (0, "")


def test_fault_30_several_keys_may_be_given(stranger: Stranger) -> None:
    assert stranger.verify("receipt.json", "--key", NEW, "--key", OLD).returncode == 0


@pytest.mark.parametrize(
    ("file", "key", "reason"),
    [
        ("receipt.json", NEW, "NOT GENUINE: The file is not signed by a key that you gave."),
        ("forged.json", OLD, "NOT GENUINE: The file was changed after it was signed."),
        ("receipt.json", OLD[:-1], "NOT GENUINE: The key is not in base64."),
        ("receipt.json", "key", "NOT GENUINE: A key has three parts: name+id+base64."),
        ("missing.json", OLD, "NOT CHECKED: the file cannot be read"),
        (".", OLD, "NOT CHECKED: the file cannot be read"),
        ("verify_receipt.py", OLD, "NOT GENUINE: The file is not a receipt"),
    ],
)
def test_any_other_takes_one_line_that_says_why_and_status_1(
    stranger: Stranger, file: str, key: str, reason: str
) -> None:
    run = stranger.verify(file, "--key", key)

    assert run.stdout.startswith(reason)
    assert run.stdout.count("\n") == 1
    assert (run.returncode, run.stderr) == (1, "")


def test_without_a_key_it_explains_itself(stranger: Stranger) -> None:
    run = stranger.verify("receipt.json")

    assert run.returncode == 2
    assert "--key" in run.stderr


def test_an_endless_file_is_not_read_to_its_end(stranger: Stranger) -> None:
    run = stranger.verify("/dev/zero", "--key", OLD)

    assert (run.returncode, run.stdout) == (
        1,
        "NOT GENUINE: The file is too large to be a receipt.\n",
    )
