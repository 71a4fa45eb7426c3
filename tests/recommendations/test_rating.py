"""How a practice left the person: 1 to 5, under consent, the last answer counts."""

from collections.abc import Callable

import pytest
from django.test import Client

from privacy_center.models import Account
from privacy_center.purposes import Purpose
from recommendations.models import Practice, Rating
from tests.answer import Answer
from tests.conftest import choose, person_of
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    choose(alice, "just-for-me")
    return signed_in(alice)


def _rate(client: Client, value: str, slug: str = "steady-rain", **extra: str) -> Answer:
    return client.post(f"/practices/{slug}/rating/", {"value": value, **extra}, follow=True)


@pytest.mark.parametrize("value", ["1", "2", "3", "4", "5"])
def test_a_rating_is_kept_under_the_consent_in_force(
    client: Client, alice: Account, value: str
) -> None:
    answer = _rate(client, value)
    assert "Your answer is kept" in answer.content.decode()
    rating = Rating.objects.get()
    assert (rating.value, rating.subject_id) == (int(value), alice.subject.id)
    assert rating.consent_id == person_of(alice).consents[Purpose.LISTENING_STORE]
    assert answer.context["rating"] == int(value)


def test_the_last_answer_counts(client: Client) -> None:
    _rate(client, "2")
    _rate(client, "4")
    assert Rating.objects.get().value == 4


def test_everybody_has_an_answer_of_their_own(
    client: Client, bob: Account, practice: Practice, signed_in: SignedIn
) -> None:
    _rate(client, "2")
    choose(bob, "just-for-me")
    other = signed_in(bob)
    assert other.get(practice.get_absolute_url()).context["rating"] is None
    _rate(other, "5")
    assert sorted(Rating.objects.values_list("value", flat=True)) == [2, 5]


@pytest.mark.parametrize(
    "value",
    ["0", "6", "true", "-1", "4.5", "", " ", "five", "٣", "5\0", "9" * 30, "9" * 5000, "05"],
)
def test_input_16_a_rating_that_is_not_1_to_5_is_400(client: Client, value: str) -> None:
    with unchanged():
        assert _rate(client, value).status_code == 400
        assert client.post("/practices/steady-rain/rating/").status_code == 400


def test_law_1_without_consent_nothing_is_kept_and_the_page_says_so(
    client: Client, alice: Account
) -> None:
    choose(alice, "just-listening")
    with unchanged():
        answer = _rate(client, "5")
    assert "Nothing was kept" in answer.content.decode()


def test_rating_needs_an_account_and_a_practice(client: Client) -> None:
    with unchanged():
        assert _rate(client, "5", slug="nowhere").status_code == 404
        answer = Client().post("/practices/steady-rain/rating/", {"value": "5"})
    assert answer["Location"].startswith("/accounts/login/")


def test_input_05_21_a_forged_person_has_no_effect(
    client: Client, alice: Account, bob: Account
) -> None:
    _rate(client, "5", subject_id=str(bob.subject.id), consent_id="x", rated_at="2001-01-01")
    rating = Rating.objects.get()
    assert rating.subject_id == alice.subject.id
    assert rating.rated_at.year != 2001
