"""Check-in pages: kept with an explicit yes, shown to their person, deleted as easily as kept."""

import re
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from privacy_center.interface import Purpose
from privacy_center.models import Account, DataSubject
from recommendations.holder import held
from recommendations.models import CheckIn, Label, Moment, Practice
from recommendations.selectors.mood_picture import mood_picture
from recommendations.views.mood_lines import line
from tests.answer import Answer
from tests.conftest import NOW, choose
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, keep_mood, share_mood
from tests.recommendations.suspending import suspend
from tests.unchanged import unchanged

PAGE, ON_ITS_OWN = "/mood/", "/mood/check-in/"
BESIDE = "/practices/steady-rain/check-in/"
SignedIn = Callable[[Account], Client]


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    share_mood(alice)
    return signed_in(alice)


def _said(**changes: object) -> dict[str, object]:
    answers = {"id": str(uuid4()), "valence": "1", "energy": "-1", "labels": ["calm"]}
    return answers | {"note": "A good walk."} | changes


def _text(answer: Answer) -> str:
    return answer.content.decode()


def test_a_check_in_on_its_own_is_kept_and_shown(client: Client) -> None:
    answer = client.post(ON_ITS_OWN, _said(), follow=True)
    assert answer.redirect_chain == [(PAGE, 302)]
    for words in ("Your check-in is kept.", "Light, tired", "Calm", "A good walk."):
        assert words in _text(answer)
    kept = CheckIn.objects.get()
    assert (kept.moment, kept.practice) == (Moment.NONE, None)


def test_beside_a_practice_it_is_before_and_then_after(client: Client) -> None:
    page = _text(client.get("/practices/steady-rain/"))
    assert re.search('value="before"[^>]* checked', page)
    client.post(BESIDE, _said(moment="before"))
    page = _text(client.get("/practices/steady-rain/"))
    assert re.search('value="after"[^>]* checked', page)
    answer = client.post(BESIDE, _said(moment="after"))
    assert (answer.status_code, answer["Location"]) == (302, "/practices/steady-rain/")
    kept = CheckIn.objects.order_by("at")
    assert [own.moment for own in kept] == ["before", "after"]
    assert {own.practice and own.practice.slug for own in kept} == {"steady-rain"}


def test_only_whoever_said_yes_is_asked_beside_a_practice(
    bob: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    choose(bob, "community")
    for visitor in (Client(), signed_in(bob)):
        assert BESIDE not in _text(visitor.get("/practices/steady-rain/"))


def test_without_a_yes_the_page_says_so_in_a_sentence_and_where_to_read_on(
    bob: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    for visitor in (Client(), signed_in(bob)):
        page = _text(visitor.get(PAGE))
        assert "nothing is kept without a yes of its own" in page
        assert 'href="/privacy/mood/"' in page
        assert ON_ITS_OWN not in page


def test_what_is_sent_without_a_yes_is_not_kept(
    bob: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    client = signed_in(bob)
    for address in (ON_ITS_OWN, BESIDE):
        assert "Nothing was kept" in _text(
            client.post(address, _said(moment="before"), follow=True)
        )
    assert not CheckIn.objects.exists()


def test_sent_twice_it_is_kept_once_and_other_answers_get_an_id_of_their_own(
    client: Client,
) -> None:
    said = _said()
    client.post(ON_ITS_OWN, said)
    with unchanged():
        client.post(ON_ITS_OWN, said)
    answer = client.post(ON_ITS_OWN, said | {"valence": "2"})
    assert answer.status_code == 409
    fresh = re.search('name="id" value="([^"]+)"', _text(answer))
    assert fresh
    assert fresh[1] != said["id"]
    client.post(ON_ITS_OWN, said | {"valence": "2", "id": fresh[1]})
    assert CheckIn.objects.count() == 2


@pytest.mark.parametrize(
    "change",
    [
        {"valence": ""}, {"valence": "3"}, {"energy": "x"}, {"labels": ["joyful"]}, {"id": "7"},
        {"labels": ["calm", "sad", "sore", "angry", "lonely", "content"]}, {"note": "x" * 501},
        {"moment": "none"}, {"moment": ""},
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_said_beside_what_was_typed(
    client: Client, change: dict[str, object]
) -> None:
    for address in (BESIDE,) if "moment" in change else (ON_ITS_OWN, BESIDE):
        with unchanged():
            answer = client.post(address, _said(note="A long walk.", moment="after") | change)
        assert answer.status_code == 400
        assert "errorlist" in _text(answer)
        assert 'role="alert" tabindex="-1" autofocus' in _text(answer)
        assert "note" in change or "A long walk." in _text(answer)


def test_the_address_of_an_error_leads_back_when_it_is_loaded_again(client: Client) -> None:
    assert client.get(BESIDE).headers["Location"] == "/practices/steady-rain/"
    assert client.get(ON_ITS_OWN).headers["Location"] == PAGE
    assert client.get("/practices/no-such-one/check-in/").status_code == 404
    assert client.put(BESIDE).status_code == 405


@pytest.mark.parametrize("note", ["   ", "\r\n\r\n", "\u3000", "sent \u202eback", "bell\x07"])
def test_input_19_a_note_of_spaces_or_direction_marks_is_refused(client: Client, note: str) -> None:
    with unchanged():
        assert client.post(ON_ITS_OWN, _said(note=note)).status_code == 400


def test_markup_in_a_note_is_text(client: Client) -> None:
    client.post(ON_ITS_OWN, _said(note="<b>bold</b> & {{ more }}\r\nsecond"))
    page = _text(client.get(PAGE))
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; {{ more }}<br>second" in page


def test_one_is_deleted_and_all_are(client: Client, alice: Account) -> None:
    person = share_mood(alice)
    first = feel(person, 1, 1)
    for _ in range(2):
        feel(person, 0, 0)
    answer = client.post(f"/mood/{first.pk}/delete/", follow=True)
    assert "The check-in is deleted." in _text(answer)
    assert "2 check-ins are deleted." in _text(client.post("/mood/delete/", follow=True))
    assert not CheckIn.objects.exists()


def test_input_21_another_persons_check_in_is_not_there(
    client: Client, bob: Account, signed_in: SignedIn
) -> None:
    own = feel(share_mood(bob), 1, 1, note="Of bob.")
    with unchanged():
        assert client.post(f"/mood/{own.pk}/delete/").status_code == 404
        client.post("/mood/delete/")
    assert "Of bob." not in _text(client.get(PAGE))


def test_what_was_kept_under_a_suspended_yes_can_be_read_and_deleted(
    client: Client, alice: Account
) -> None:
    own = feel(share_mood(alice), 1, 1, note="From before.")
    suspend(STORE)
    page = _text(client.get(PAGE))
    assert "From before." in page
    assert ON_ITS_OWN not in page
    client.post(ON_ITS_OWN, _said())
    assert CheckIn.objects.get().pk == own.pk
    assert client.post(f"/mood/{own.pk}/delete/").status_code == 302


def test_fault_31_without_the_key_nothing_is_kept_and_what_was_typed_is_shown_again(
    client: Client, alice: Account
) -> None:
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapping_key_id="gone")
    with unchanged():
        answer = client.post(ON_ITS_OWN, _said())
    assert answer.status_code == 503
    assert "A good walk." in _text(answer)


def test_fault_32_with_a_destroyed_key_the_page_says_that_the_words_are_gone(
    client: Client, alice: Account
) -> None:
    client.post(ON_ITS_OWN, _said())
    DataSubject.objects.filter(pk=alice.subject.id).update(wrapped_key=None, wrapping_key_id="")
    page = _text(client.get(PAGE))
    assert "A good walk." not in page
    assert "cannot be read any more" in page


def test_the_page_is_for_no_cache(client: Client) -> None:
    assert "no-store" in client.get(PAGE)["Cache-Control"]


def test_the_picture_has_a_mean_for_every_week_and_no_point_where_nothing_was_said(
    alice: Account,
) -> None:
    person = share_mood(alice)
    for days, valence, energy in ((0, 2, -1), (6, 1, 0), (7, -2, 2), (83, -1, 1), (84, 2, 2)):
        feel(person, valence, energy, at=NOW - timedelta(days=days))
    picture = mood_picture(alice.subject.id, now=NOW, zone=timezone.get_current_timezone())
    assert len(picture.weeks) == 12
    shown = [(week.count, week.valence, week.energy) for week in picture.weeks]
    assert shown[-1] == (2, 1.5, -0.5)
    assert shown[-2] == (1, -2.0, 2.0)
    assert shown[0] == (1, -1.0, 1.0)
    assert shown[1:-2] == [(0, None, None)] * 9
    drawn = line(picture.weeks, lambda week: week.valence, title="", top="", bottom="")
    assert [run.count(",") for run in drawn.runs] == [1, 2]
    assert [x for x, _y in drawn.dots] == [12.0, 426.5, 468.0] or len(drawn.dots) == 3
    # Light is up.
    assert drawn.dots[-1][1] < 60 < drawn.dots[-2][1]


def test_before_and_after_are_compared_practice_by_practice_within_three_hours(
    alice: Account, catalog: list[Practice]
) -> None:
    person = share_mood(alice)
    for practice, moment, valence, energy, minutes in (
        (0, Moment.BEFORE, -2, 2, 0), (1, Moment.AFTER, 2, 2, 5), (0, Moment.AFTER, 1, -1, 20),
        (0, Moment.AFTER, 2, 2, 30), (1, Moment.BEFORE, 0, 0, 40), (1, Moment.BEFORE, -1, 1, 50),
        (1, Moment.AFTER, 0, 0, 60), (2, Moment.BEFORE, 2, 2, 60), (2, Moment.AFTER, 2, 2, 241),
    ):  # fmt: skip
        at = NOW - timedelta(hours=9) + timedelta(minutes=minutes)
        feel(person, valence, energy, practice=catalog[practice], moment=moment, at=at)
    change = mood_picture(alice.subject.id, now=NOW, zone=timezone.get_current_timezone()).change
    assert change
    assert change.pairs == 2
    assert (change.valence_before, change.valence_after, change.valence) == (-1.5, 0.5, 2.0)
    assert (change.energy_before, change.energy_after, change.energy) == (1.5, -0.5, -2.0)


def test_what_is_held_because_of_each_yes_is_said_with_its_counts(alice: Account) -> None:
    subject_id = alice.subject.id
    person = share_mood(alice, PERSONALIZE, TRAIN)
    for purpose in (STORE, PERSONALIZE, TRAIN):
        empty = held(subject_id, purpose)
        assert empty
        assert empty.count == 0
    now = timezone.now()
    for at in (now - timedelta(hours=1), now - timedelta(days=40), now - timedelta(days=400)):
        feel(person, 1, 1, Label.CALM, at=at)
    for _ in range(2):
        feel(person, 1, 1, at=now - timedelta(hours=2))
    stored, used, learned = (held(subject_id, p) for p in (STORE, PERSONALIZE, TRAIN))
    assert stored
    assert (stored.count, stored.oldest) == (5, now - timedelta(days=400))
    assert (len(stored.months), sum(stored.months), stored.months[-1] >= 1) == (12, 4, True)
    assert stored.sentence.startswith("Held now: 5 check-ins; the oldest from ")
    assert used
    assert used.count == 1
    assert learned
    # Three of one mood at most.
    assert learned.count == 3
    keep_mood(alice)
    gone = held(subject_id, STORE)
    assert gone
    assert gone.count == 0
    assert held(subject_id, Purpose.EMAIL) is None
