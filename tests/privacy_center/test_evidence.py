"""What the public can see: what is held and why, the ledger's state, every notice's versions."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from privacy_center.actions.consent import grant_to_imported
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.actions.subject import create_imported_subjects
from privacy_center.models import Account, LedgerCheckpoint, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.data_map import cell, held_categories
from privacy_center.selectors.evidence import purpose_lines
from privacy_center.selectors.notice import live_notices
from privacy_center.selectors.notice_diff import Change, Words, notice_differences, word_changes
from privacy_center.sequencer import sequence
from tests.conftest import NOW, choose

EVIDENCE = "/privacy/evidence/"


@pytest.fixture
def stranger() -> Client:
    return Client()


def _people(count: int, purposes: Sequence[Purpose]) -> None:
    grant_to_imported(create_imported_subjects(count, at=NOW), purposes, at=NOW)


def _counts() -> dict[Purpose, int | None]:
    cache.clear()
    return {line.purpose: line.people for line in purpose_lines("en")}


def _publish(purpose: Purpose, **texts: str) -> Notice:
    """A new version in which these English texts read otherwise."""
    draft = draft_notice(purpose)
    draft.texts.filter(language="en").update(**texts)
    return publish_notice(draft, at=NOW)


@pytest.mark.parametrize(
    ("people", "shown"), [(0, None), (1, None), (19, None), (20, 20), (29, 20), (30, 30), (41, 40)]
)
def test_a_group_under_twenty_is_never_counted_out_and_others_only_in_tens(
    db: None, people: int, shown: int | None
) -> None:
    _people(people, [Purpose.LISTENING_STORE])
    assert _counts()[Purpose.LISTENING_STORE] == shown


def test_the_smallest_group_is_the_one_of_the_settings(db: None, settings: Settings) -> None:
    settings.SMALLEST_GROUP = 40
    _people(35, [Purpose.LISTENING_STORE])
    assert _counts()[Purpose.LISTENING_STORE] is None


def test_a_yes_to_older_words_is_not_counted(db: None) -> None:
    _people(25, [Purpose.LISTENING_STORE, Purpose.LISTENING_TRAIN])
    _publish(Purpose.LISTENING_TRAIN, sentence="Other words.")
    assert _counts()[Purpose.LISTENING_STORE] == 20
    assert _counts()[Purpose.LISTENING_TRAIN] is None


def test_between_two_counts_nobody_is_seen_to_come(db: None) -> None:
    _people(29, [Purpose.LISTENING_STORE])
    _counts()
    _people(1, [Purpose.LISTENING_STORE])
    lines = {line.purpose: line.people for line in purpose_lines("en")}
    assert lines[Purpose.LISTENING_STORE] == 20


def test_the_page_says_what_is_held_for_every_purpose_and_why(stranger: Client, db: None) -> None:
    page = stranger.get(EVIDENCE).text
    for purpose, notice in live_notices().items():
        assert f'href="/privacy/notices/{purpose}/"' in page
        assert notice.processing["retention"] in page
    assert "listens, favorites, ratings" in page
    assert "Explicit consent to health data" in page


def test_every_table_about_people_is_listed() -> None:
    listed = {line.table for held in held_categories() for line in held.lines}
    assert {"Accounts", "Data subjects", "Consent records", "Listens", "Favorites"} <= listed
    assert not listed & {"Practices", "Notices", "Ledger nodes"}


def test_the_record_of_processing_has_a_line_for_every_purpose(stranger: Client, db: None) -> None:
    page = stranger.get(f"{EVIDENCE}processing/")
    lines = list(csv.DictReader(io.StringIO(stranger.get(f"{EVIDENCE}processing/file/").text)))
    assert len(lines) == len(page.context["activities"]) > 20
    sealed = next(line for line in lines if "sealed" in line["data"])
    assert "own key" in sealed["security"]
    assert all(line["kept"] and line["purpose"] for line in lines)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_input_20_a_cell_is_no_formula(text: str) -> None:
    assert cell(text) == f"'{text}"
    assert cell("Listens: id") == "Listens: id"


def test_an_empty_ledger_says_so(stranger: Client, db: None) -> None:
    assert "nobody has decided anything yet" in stranger.get(EVIDENCE).text


def test_the_page_shows_the_newest_checkpoint_as_it_was_signed(
    stranger: Client, alice: Account
) -> None:
    choose(alice, "community")
    sequence(clock=timezone.now)
    page = stranger.get(EVIDENCE)
    latest = LedgerCheckpoint.objects.latest("size")
    assert page.context["checkpoint"] == latest
    assert latest.note.splitlines()[2] in page.text
    assert not page.cookies


def test_nothing_on_the_page_names_a_person(stranger: Client, alice: Account) -> None:
    choose(alice, "community")
    sequence(clock=timezone.now)
    page = stranger.get(EVIDENCE).text
    assert alice.email not in page
    assert str(alice.subject.id) not in page


def test_the_first_version_of_a_notice_stands_without_changes(stranger: Client, db: None) -> None:
    page = stranger.get("/privacy/notices/mood:store/")
    assert page.status_code == 200
    assert "Version 1, in use" in page.text
    assert "What changed" not in page.text


def test_a_new_version_shows_which_words_came_and_which_went(stranger: Client, db: None) -> None:
    before = live_notices()[Purpose.LISTENING_STORE]
    sentence = before.texts.get(language="en").sentence
    after = _publish(Purpose.LISTENING_STORE, sentence=sentence.replace("favorites", "hearts"))
    (difference,) = notice_differences(before, after)
    assert difference.language == "en"
    changed = [words for words in difference.words if words.change != Change.SAME]
    assert changed == [Words(Change.REMOVED, "favorites"), Words(Change.ADDED, "hearts")]
    page = stranger.get("/privacy/notices/listening:store/").text
    assert "Version 2, in use" in page
    assert "favorites</del>" in page
    assert "hearts</ins>" in page
    assert before.digest in page
    assert after.digest in page


def test_a_change_of_the_facts_is_shown_too(db: None) -> None:
    before = live_notices()[Purpose.LISTENING_STORE]
    draft = draft_notice(Purpose.LISTENING_STORE)
    draft.processing = before.processing | {"data": ["listens"], "special_category": True}
    draft.valid_days = 365
    draft.save()
    found = {str(d.title): d.words for d in notice_differences(before, draft)}
    assert found["Days until a yes ends"] == [
        Words(Change.REMOVED, "730"),
        Words(Change.ADDED, "365"),
    ]
    assert found["Special category of data"] == [
        Words(Change.REMOVED, "no"),
        Words(Change.ADDED, "yes"),
    ]
    assert Words(Change.REMOVED, "listens, favorites, ratings") in found["Data"]
    assert len(found) == 3


def test_a_draft_is_nobody_s_to_read(stranger: Client, db: None) -> None:
    draft = draft_notice(Purpose.EMAIL)
    draft.texts.filter(language="en").update(sentence="Not yet decided.")
    page = stranger.get("/privacy/notices/email/").text
    assert "Not yet decided." not in page
    assert "Version 2" not in page


@pytest.mark.parametrize("purpose", ["listening", "listening:sell", "LISTENING:STORE", "x%0Ay"])
def test_input_34_a_notice_of_an_unknown_purpose_is_404(
    stranger: Client, db: None, purpose: str
) -> None:
    assert stranger.get(f"/privacy/notices/{purpose}/").status_code == 404


@given(st.text("ab c\n", max_size=40), st.text("ab c\n", max_size=40))
def test_the_changes_of_words_lead_from_the_one_text_to_the_other(before: str, after: str) -> None:
    changes = word_changes(before, after)

    def read(but: Change) -> list[str]:
        return " ".join(words.text for words in changes if words.change != but).split()

    assert read(Change.ADDED) == before.split()
    assert read(Change.REMOVED) == after.split()


def test_the_age_of_the_checkpoint_is_told(stranger: Client, alice: Account) -> None:
    choose(alice, "community")
    sequence(clock=lambda: timezone.now() - timedelta(hours=3))
    assert "3\xa0hours ago" in stranger.get(EVIDENCE).text
