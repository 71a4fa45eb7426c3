"""The catalog in the repository: all of it parses, and a bad file is named."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from recommendations import catalog as catalog_files
from recommendations.actions.practice import load_catalog
from recommendations.catalog import (
    INTENTIONS,
    KINDS,
    CatalogError,
    Entry,
    pattern_seconds,
    read_catalog,
    script_seconds,
    timed_lines,
)
from recommendations.models import Practice

GUIDED = """
title = "A short pause"
summary = "One breath, and another."
kind = "guided"
intention = "calm"
topics = ["breath"]
script = '''
Breathe in.
(3)
Breathe out.
'''
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """A folder with one guided practice, and the soundscape others may refer to."""

    def written(text: str, name: str = "guided/a-short-pause.toml") -> Path:
        file = tmp_path / "catalog" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return tmp_path / "catalog"

    return written


def test_there_are_60_practices_of_all_kinds_and_intentions() -> None:
    entries = read_catalog()
    assert len(entries) >= 60
    assert {entry.kind for entry in entries} == set(KINDS)
    assert {entry.intention for entry in entries} == set(INTENTIONS)
    assert len({entry.slug for entry in entries}) == len(entries)
    assert len({entry.title for entry in entries}) == len(entries)


@pytest.mark.parametrize("entry", read_catalog(), ids=lambda entry: entry.slug)
def test_every_practice_is_playable_and_has_its_place(entry: Entry) -> None:
    assert 60 <= entry.seconds <= 3 * 60 * 60
    part = {"soundscape": "layers", "breathing": "pattern"}.get(entry.kind, "lines")
    assert entry.content[part]
    assert 1 <= len(entry.topics) <= 3
    Practice(
        slug=entry.slug, title=entry.title, summary=entry.summary, kind=entry.kind,
        intention=entry.intention, voice=entry.voice, seconds=entry.seconds, content=entry.content,
    ).clean_fields()  # fmt: skip


def test_no_two_soundscapes_are_made_alike() -> None:
    layers = [str(entry.content) for entry in read_catalog() if entry.kind == "soundscape"]
    assert len(set(layers)) == len(layers)


def test_a_script_is_timed_by_its_words_and_its_pauses() -> None:
    first, second = timed_lines("Breathe in now, slowly.\n\n(10)\nOut.")
    assert (first["at"], first["text"]) == (0.0, "Breathe in now, slowly.")
    assert float(str(second["at"])) > 10
    assert script_seconds("One.\n(30)") - script_seconds("One.") == 30


def test_a_pattern_takes_its_steps_times_its_rounds() -> None:
    assert pattern_seconds([["in", 4], ["hold", 7], ["out", 8]], 10) == 190


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('kind = "guided"', 'kind = "song"'),
        ('intention = "calm"', 'intention = "work"'),
        ('title = "A short pause"', ""),
        ('title = "A short pause"', 'title = "  "'),
        ('title = "A short pause"', f'title = "{"x" * 81}"'),
        ('summary = "One', f'summary = "{"x" * 140} One'),
        ('topics = ["breath"]', "topics = []"),
        ('topics = ["breath"]', 'topics = ["a", "b", "c", "d"]'),
        ('topics = ["breath"]', 'topics = "breath"'),
        ("Breathe in.\n(3)\nBreathe out.", "(3)"),
        ('kind = "guided"', 'kind = "breathing"'),
        ('kind = "guided"', 'kind = "soundscape"'),
        ("title = ", "title "),
    ],
)
def test_a_bad_file_is_named(old: str, new: str, write: Write) -> None:
    assert old in GUIDED
    with pytest.raises(CatalogError, match=r"^guided/a-short-pause\.toml: "):
        read_catalog(write(GUIDED.replace(old, new)))


def test_a_good_file_is_read(write: Write) -> None:
    (entry,) = read_catalog(write(GUIDED))
    assert (entry.slug, entry.kind) == ("a-short-pause", "guided")


def test_a_soundscape_that_is_not_there_is_named(write: Write) -> None:
    with pytest.raises(CatalogError, match="a-short-pause: there is no soundscape 'whales'"):
        read_catalog(write(GUIDED + 'soundscape = "whales"\n'))


def test_loading_again_changes_nothing_and_leaves_editors_work_alone(
    catalog: list[Practice],
) -> None:
    own = Practice.objects.create(
        slug="of-an-editor", title="Mine", summary="Mine.", kind="guided",
        intention="calm", seconds=60,
    )  # fmt: skip
    before = list(Practice.objects.values().order_by("pk"))
    assert load_catalog(read_catalog()) == len(catalog)
    assert list(Practice.objects.values().order_by("pk")) == before
    own.refresh_from_db()
    assert own.is_published


def test_a_practice_whose_file_is_gone_is_unpublished_not_deleted(
    catalog: list[Practice],
) -> None:
    gone = "steady-rain"
    load_catalog([entry for entry in read_catalog() if entry.slug != gone])
    assert not Practice.objects.get(slug=gone).is_published
    assert Practice.objects.filter(is_published=True).count() == len(catalog) - 1


def test_the_command_names_a_bad_file_and_changes_nothing(
    catalog: list[Practice], write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(GUIDED.replace("calm", "storm"))
    command = "recommendations.management.commands.load_catalog.read_catalog"
    monkeypatch.setattr(command, lambda: catalog_files.read_catalog(folder))
    with pytest.raises(CommandError, match=r"a-short-pause\.toml.*Nothing was changed\."):
        call_command("load_catalog")
    assert Practice.objects.filter(is_published=True).count() == len(catalog)
