"""Importing listens: both forms, all or nothing, and never without a yes to storing."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command

from privacy_center.interface import ConsentRefused, Purpose, purposes_in_force
from privacy_center.models import ConsentRecord, DataSubject, Decision, Method
from recommendations.actions import listen_import
from recommendations.actions.listen_import import Imported, import_listens
from recommendations.listen_file import ListenFileError
from recommendations.models import Listen, Practice, VectorChange
from tests.conftest import NOW

EVERYTHING = frozenset(
    {Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN}
)
STORE = frozenset({Purpose.LISTENING_STORE})
CSV = """person,practice,started_at,completion
ann,steady-rain,2026-01-05T21:00:00Z,1
ann,brown-noise,2026-01-06T21:00:00+02:00,0.25
bo,steady-rain,2026-01-07T00:30:00-05:00,0.9
"""
PAIRS = "ann steady-rain brown-noise\nbo steady-rain\n"

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(content: str | bytes) -> Path:
        path = tmp_path / "listens"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


def _import(
    path: Path, *, purposes: frozenset[Purpose] = EVERYTHING, creates_practices: bool = False
) -> Imported:
    return import_listens(
        path,
        purposes=purposes,
        creates_practices=creates_practices,
        at=NOW,
        on_progress=lambda _read: None,
    )


def _nothing_was_imported() -> None:
    assert not Listen.objects.exists()
    assert not DataSubject.objects.exists()
    assert not ConsentRecord.objects.exists()
    assert not Practice.objects.filter(title__startswith="Imported").exists()
    assert not VectorChange.objects.exists()


@pytest.mark.parametrize("text", [CSV, PAIRS], ids=["csv", "pairs"])
def test_both_forms_are_imported(text: str, catalog: list[Practice], write: Write) -> None:
    assert _import(write(text)) == Imported(people=2, practices=0, listens=3)
    by_person: dict[UUID, set[str]] = {}
    for row in Listen.objects.select_related("practice"):
        by_person.setdefault(row.subject_id, set()).add(row.practice.slug)
    assert sorted(by_person.values(), key=len) == [
        {"steady-rain"}, {"steady-rain", "brown-noise"},
    ]  # fmt: skip


def test_a_csv_row_keeps_its_moment_and_its_share(catalog: list[Practice], write: Write) -> None:
    _import(write(CSV))
    practice = Practice.objects.get(slug="brown-noise")
    row = Listen.objects.get(practice=practice)
    assert row.started_at == datetime(2026, 1, 6, 19, tzinfo=UTC)
    assert row.completion == 0.25
    assert row.seconds == row.position == round(practice.seconds_to_complete * 0.25)


def test_a_pair_is_a_whole_listen_of_today(catalog: list[Practice], write: Write) -> None:
    _import(write(PAIRS))
    assert {(row.completion, row.started_at) for row in Listen.objects.all()} == {(1.0, NOW)}


@pytest.mark.parametrize(
    "text",
    ["\ufeff" + CSV, CSV.replace("\n", "\r\n"), CSV.rstrip("\n"), CSV.replace("ann", '"ann"')],
    ids=["byte order mark", "CR LF", "no last line feed", "quotes"],
)
def test_what_spreadsheets_write_is_read(text: str, catalog: list[Practice], write: Write) -> None:
    assert _import(write(text)).listens == 3


def test_every_row_names_the_record_it_was_stored_under(
    catalog: list[Practice], write: Write
) -> None:
    _import(write(CSV))
    for row in Listen.objects.all():
        record = ConsentRecord.objects.get(pk=row.consent_id)
        assert (record.subject_id, record.purpose) == (row.subject_id, Purpose.LISTENING_STORE)
        assert (record.decision, record.method) == (Decision.GIVEN, Method.IMPORT)
        assert set(purposes_in_force(row.subject_id)) == EVERYTHING


def test_people_are_pseudonyms_and_their_names_are_nowhere(
    catalog: list[Practice], write: Write
) -> None:
    _import(write(CSV.replace("ann", "ann-of-green-gables")))
    assert {s.account_id for s in DataSubject.objects.all()} == {None}
    rows = [str(list(m._default_manager.values())) for m in (DataSubject, ConsentRecord, Listen)]
    assert not any("green-gables" in row for row in rows)


def test_only_a_yes_to_training_asks_for_a_release(catalog: list[Practice], write: Write) -> None:
    _import(write(CSV), purposes=STORE)
    assert not VectorChange.objects.exists()
    _import(write(CSV))
    assert [c.kind for c in VectorChange.objects.all()] == [VectorChange.Kind.LEARN]


GOOD = "ann,steady-rain,2026-01-05T21:00:00Z,1\n"
HEADER = "person,practice,started_at,completion\n"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("who,practice,started_at,completion\n" + GOOD, 1, "the header must be"),
        (HEADER + GOOD + "ann,steady-rain,1\n", 3, "needs 4 values, not 3"),
        (HEADER + GOOD + "\n", 3, "needs 4 values, not 0"),
        (HEADER + GOOD + GOOD.replace("ann", " "), 3, "the person must have"),
        (HEADER + GOOD + GOOD.replace("ann", "a" * 65), 3, "the person must have"),
        (HEADER + GOOD.replace("steady-rain", ""), 2, "the practice must have"),
        (HEADER + GOOD + GOOD.replace("steady-rain", "no-such"), 3, "there is no practice"),
        (HEADER + GOOD + GOOD.replace("2026-01-05T", "yesterday "), 3, "ISO 8601"),
        (HEADER + GOOD + GOOD.replace("2026-01-05", "2026-02-30"), 3, "ISO 8601"),
        (HEADER + GOOD + GOOD.replace("Z", ""), 3, "an offset from UTC"),
        (HEADER + GOOD + GOOD.replace("2026", "2027"), 3, "in the future"),
        (HEADER + GOOD + GOOD.replace(",1\n", ",1.01\n"), 3, "from 0 to 1"),
        (HEADER + GOOD + GOOD.replace(",1\n", ",-0.1\n"), 3, "from 0 to 1"),
        (HEADER + GOOD + GOOD.replace(",1\n", ",nan\n"), 3, "from 0 to 1"),
        (HEADER + GOOD + GOOD.replace(",1\n", ",much\n"), 3, "from 0 to 1"),
        (HEADER + GOOD + GOOD.replace("ann", "a\0n"), 3, "a NUL"),
        ((HEADER + GOOD).encode() + b"\xff,x,x,1\n", 3, "not valid UTF-8"),
        (HEADER + GOOD + GOOD.replace("ann", "a" * 200_000), 3, "not a line of CSV"),
        (HEADER + GOOD + GOOD.replace("ann", "a\rn"), 3, "not a line of CSV"),
        (HEADER + GOOD + GOOD.replace("2026-01-05T21:00:00Z", "0001-01-01T00:00:00+14:00"), 3,
         "out of range"),
        ("ann steady-rain\nbo\n", 2, "at least one practice"),
        ("ann steady-rain\n\n", 2, "at least one practice"),
        ("ann steady-rain\nbo brown-noise brown-noise\n", 2, "names a practice twice"),
        ("ann steady-rain\nbo no-such\n", 2, "there is no practice"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named_and_nothing_is_imported(
    text: str | bytes, line: int, reason: str, catalog: list[Practice], write: Write
) -> None:
    with pytest.raises(ListenFileError, match=reason) as refusal:
        _import(write(text))
    assert refusal.value.line == line
    assert str(refusal.value).startswith(f"Line {line}: ")
    assert str(refusal.value).endswith("Nothing was imported.")
    _nothing_was_imported()


def test_a_wrong_line_in_a_later_block_takes_back_the_earlier_ones(
    catalog: list[Practice], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen_import, "BLOCK_ROWS", 2)
    with pytest.raises(ListenFileError, match="Line 9: "):
        _import(write(HEADER + GOOD * 7 + "wrong\n"))
    _nothing_was_imported()


def test_a_person_of_two_blocks_is_one_person(
    catalog: list[Practice], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen_import, "BLOCK_ROWS", 2)
    assert _import(write(CSV + CSV.removeprefix(HEADER))) == Imported(people=2, listens=6)


@pytest.mark.parametrize(
    "purposes",
    [
        frozenset[Purpose](),
        frozenset({Purpose.LISTENING_TRAIN}),
        frozenset({Purpose.LISTENING_STORE, Purpose.MOOD_STORE}),
        frozenset({Purpose.LISTENING_STORE, Purpose.SALE}),
    ],
    ids=["nothing", "train alone", "mood", "sale"],
)
def test_what_cannot_be_granted_is_refused(
    purposes: frozenset[Purpose], catalog: list[Practice], write: Write
) -> None:
    with pytest.raises(ConsentRefused):
        _import(write(CSV), purposes=purposes)
    _nothing_was_imported()


def test_practices_are_made_when_asked_for(catalog: list[Practice], write: Write) -> None:
    text = "ann 17 steady-rain Quiet_Hour\nbo 17\n"
    assert _import(write(text), creates_practices=True) == Imported(2, practices=2, listens=4)
    made = Practice.objects.filter(title__startswith="Imported")
    assert sorted(made.values_list("slug", "title")) == [
        ("imported-17", "Imported 17"),
        ("quiet_hour", "Imported Quiet_Hour"),
    ]


def test_two_spellings_of_a_practice_are_one(catalog: list[Practice], write: Write) -> None:
    names = ("Steady Rain", "steady-rain", "Deep Well", "deep-well!")
    text = HEADER + "".join(GOOD.replace("steady-rain", name) for name in names)
    assert _import(write(text), creates_practices=True) == Imported(1, practices=1, listens=4)
    assert Listen.objects.filter(practice__slug="steady-rain").count() == 2
    assert Listen.objects.filter(practice__slug="deep-well").count() == 2


@pytest.mark.parametrize("name", ["雨", "!!!", "rain\u202e", "1" * 60])
def test_input_19_a_practice_with_a_name_that_cannot_be_shown_is_refused(
    name: str, catalog: list[Practice], write: Write
) -> None:
    text = HEADER + GOOD + GOOD.replace("steady-rain", name)
    with pytest.raises(ListenFileError, match="Line 3: no practice can be named"):
        _import(write(text), creates_practices=True)
    _nothing_was_imported()


def test_progress_ends_with_the_file(catalog: list[Practice], write: Write) -> None:
    seen: list[int] = []
    path = write("".join(f"pää{i} steady-rain\n" for i in range(50)))
    import_listens(path, purposes=STORE, creates_practices=False, at=NOW, on_progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == path.stat().st_size


def test_the_command_needs_a_grant(catalog: list[Practice], write: Write) -> None:
    with pytest.raises(CommandError, match="--grant listening:store"):
        call_command("import_listens", write(CSV))
    with pytest.raises(CommandError, match="no purpose 'listening:sell'"):
        call_command("import_listens", write(CSV), grant="listening:sell")
    _nothing_was_imported()


def test_the_command_says_what_it_did(
    catalog: list[Practice], write: Write, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("import_listens", write(CSV), grant="listening:store, listening:train")
    assert "Imported 3 listens of 2 people; 0 practices were new." in capsys.readouterr().out


def test_the_command_names_the_line_or_the_missing_file(
    catalog: list[Practice], write: Write, tmp_path: Path
) -> None:
    with pytest.raises(CommandError, match="Line 2: "):
        call_command("import_listens", write(HEADER + "x\n"), grant="listening:store")
    with pytest.raises(CommandError, match="There is no file"):
        call_command("import_listens", tmp_path / "gone", grant="listening:store")
