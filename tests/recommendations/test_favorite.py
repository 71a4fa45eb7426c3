"""Favorites: kept under consent, listed newest first, and one's own."""

from collections.abc import Callable

import pytest
from django.test import Client

from privacy_center.models import Account
from privacy_center.purposes import Purpose
from recommendations.models import Favorite, Practice, VectorChange
from tests.conftest import choose, person_of
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
FAVORITES = "/favorites/"


@pytest.fixture
def client(alice: Account, catalog: list[Practice], signed_in: SignedIn) -> Client:
    choose(alice, "just-for-me")
    return signed_in(alice)


def _mark(client: Client, slug: str, wish: str = "yes") -> int:
    return client.post(f"/practices/{slug}/favorite/", {"favorite": wish}).status_code


def test_a_favorite_is_kept_under_the_consent_in_force(
    client: Client, alice: Account, practice: Practice
) -> None:
    answer = client.post(f"/practices/{practice.slug}/favorite/", {"favorite": "yes"})
    assert answer["Location"] == practice.get_absolute_url()
    favorite = Favorite.objects.get()
    assert (favorite.subject_id, favorite.practice_id) == (alice.subject.id, practice.pk)
    assert favorite.consent_id == person_of(alice).consents[Purpose.LISTENING_STORE]
    assert client.get(practice.get_absolute_url()).context["is_favorite"]


def test_the_form_says_what_is_wished_and_twice_is_once(client: Client, practice: Practice) -> None:
    counts = []
    for wish in ("yes", "yes", "no", "no"):
        _mark(client, practice.slug, wish)
        counts.append(Favorite.objects.count())
    assert counts == [1, 1, 0, 0]
    _mark(client, practice.slug)
    with unchanged():
        _mark(client, practice.slug)
        assert _mark(client, practice.slug, "perhaps") == 400


def test_the_list_is_one_s_own_and_newest_first(
    client: Client, bob: Account, signed_in: SignedIn
) -> None:
    choose(bob, "just-for-me")
    for slug in ("steady-rain", "even-breath", "night-train"):
        _mark(client, slug)
    cards = client.get(FAVORITES).context["cards"]
    assert [c.practice.slug for c in cards] == ["night-train", "even-breath", "steady-rain"]
    assert signed_in(bob).get(FAVORITES).context["cards"] == []


def test_a_practice_taken_back_by_the_editors_leaves_the_list(client: Client) -> None:
    _mark(client, "steady-rain")
    Practice.objects.filter(slug="steady-rain").update(is_published=False)
    assert client.get(FAVORITES).context["cards"] == []
    assert _mark(client, "steady-rain") == 404
    assert Favorite.objects.count() == 1


def test_law_1_without_consent_nothing_is_kept_and_the_page_says_so(
    client: Client, alice: Account, practice: Practice
) -> None:
    choose(alice, "just-listening")
    with unchanged():
        body = {"favorite": "yes"}
        answer = client.post(f"/practices/{practice.slug}/favorite/", body, follow=True)
    assert "Nothing was kept" in answer.content.decode()


def test_law_7_without_an_account_the_page_is_there_and_the_browser_keeps_the_list(
    catalog: list[Practice],
) -> None:
    answer = Client().get(FAVORITES)
    assert answer.status_code == 200
    assert answer.context["device_shelf"]


def test_marking_needs_an_account(practice: Practice) -> None:
    with unchanged():
        answer = Client().post(f"/practices/{practice.slug}/favorite/")
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("slug", ["nowhere", "x" * 300, "-"])
def test_a_practice_that_is_not_there_is_404(client: Client, slug: str) -> None:
    with unchanged():
        assert _mark(client, slug) == 404


def test_input_05_21_a_forged_person_has_no_effect(
    client: Client, alice: Account, bob: Account
) -> None:
    body = {"favorite": "yes", "subject_id": str(bob.subject.id), "user_id": str(bob.pk)}
    client.post("/practices/steady-rain/favorite/", body)
    assert Favorite.objects.get().subject_id == alice.subject.id


def test_the_model_is_made_again_for_a_favorite_and_for_one_taken_back(
    client: Client, alice: Account, practice: Practice
) -> None:
    choose(alice, "community")
    VectorChange.objects.all().delete()
    _mark(client, practice.slug)
    assert VectorChange.objects.get().kind == "learn"
    _mark(client, practice.slug, "no")
    assert VectorChange.objects.get().kind == "forget", "one change a person, of the urgent kind"
