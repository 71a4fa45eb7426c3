"""Law 7: whoever shares nothing gets the same shelves, as full, and every feature."""

from collections.abc import Callable

import pytest
from django.test import Client
from django.utils import timezone

from privacy_center.interface import Person
from privacy_center.models import Account
from recommendations.models import Practice
from recommendations.selectors.shelves import Shelf, shelves
from recommendations.trainer import train
from tests.conftest import choose, listen, person_of

# Kept and drawn by the device of whoever does not store it here.
DEVICE = {"again"}


def _shelves(person: Person) -> dict[str, Shelf]:
    shown = shelves(person, now=timezone.now(), intention=None, utc_offset_minutes=0)
    return {shelf.key: shelf for shelf in shown}


@pytest.fixture
def sharing(transactional_db: None, alice: Account, catalog: list[Practice]) -> Account:
    """Alice shares everything and the model has learned from her."""
    listen(choose(alice, "community"), *catalog[::7])
    train(clock=timezone.now)
    return alice


@pytest.mark.django_db(transaction=True)
def test_the_same_shelves_in_the_same_order_and_as_full(sharing: Account, bob: Account) -> None:
    shared = _shelves(person_of(sharing))
    personal = [key for key, shelf in shared.items() if shelf.is_personal]
    assert personal == ["for-you", "because", "again", "moment"]
    for person in (Person(), choose(bob, "just-listening")):
        shown = _shelves(person)
        assert list(shown) == [key for key in shared if key not in DEVICE]
        for key, shelf in shown.items():
            assert len(shelf.cards) >= len(shared[key].cards), key
            assert all(card.why for card in shelf.cards) or key == "because"


@pytest.mark.django_db(transaction=True)
def test_without_any_model_nobody_loses_a_shelf(alice: Account, catalog: list[Practice]) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    shown = _shelves(person_of(alice))
    assert [key for key, shelf in shown.items() if shelf.is_personal] == ["again"]
    assert list(_shelves(Person())) == [key for key in shown if key not in DEVICE]


@pytest.mark.django_db(transaction=True)
def test_the_device_draws_listen_again_exactly_when_the_site_does_not(
    sharing: Account, bob: Account, signed_in: Callable[[Account], Client]
) -> None:
    choose(bob, "just-listening")
    of_the_device = b'data-device-shelf="listens"'
    assert of_the_device not in signed_in(sharing).get("/").content
    assert of_the_device in signed_in(bob).get("/").content
    assert of_the_device in Client().get("/").content


@pytest.mark.parametrize(
    "address",
    ["/", "/practices/", "/practices/steady-rain/", "/favorites/", "/how-it-works/", "/account/"],
)
def test_every_page_is_open_to_whoever_refused_everything(
    address: str, practice: Practice, bob: Account, signed_in: Callable[[Account], Client]
) -> None:
    choose(bob, "just-listening")
    assert signed_in(bob).get(address).status_code == 200
