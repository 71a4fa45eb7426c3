"""The taste: what is inferred, shown so that it adds up, and changed by the person."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import uuid4

import numpy as np
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy_center.actions.consent import decide
from privacy_center.interface import Purpose
from privacy_center.models import Account, Method
from recommendations.actions.listening import Heard, record_listens, set_favorite
from recommendations.actions.taste import hide_practice
from recommendations.engine.ease import ease_weights
from recommendations.engine.gram import content_gram
from recommendations.engine.ranking import ItemWeights
from recommendations.models import Favorite, HiddenPractice, Listen, Practice, VectorChange
from recommendations.selectors import inference as inference_selector
from recommendations.selectors import shelves as shelves_selector
from recommendations.selectors.behavior import served_to
from recommendations.selectors.inference import Inference, inference
from recommendations.selectors.shelves import shelves
from recommendations.selectors.training_data import catalog as catalog_to_learn
from tests.answer import Answer
from tests.conftest import NOW, choose, listen, person_of
from tests.recommendations.learned import learned, learned_vectors
from tests.recommendations.suspending import suspend
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
TASTE = "/taste/"


@pytest.fixture
def model(catalog: list[Practice], monkeypatch: pytest.MonkeyPatch) -> ItemWeights:
    """A model that is served: of content alone, so that it is the same every time."""
    data = catalog_to_learn()
    size = len(data.practice_ids)
    tags = content_gram(data.tags, weight=1, n_practices=size)
    made = ItemWeights.from_matrix(
        ease_weights(tags, regularization=10.0),
        practice_ids=data.practice_ids,
        people_per_practice=np.full(size, 100, dtype=np.int64),
    )
    monkeypatch.setattr(inference_selector, "current_model", lambda now: made)
    monkeypatch.setattr(shelves_selector, "model_of", lambda active: made)
    return made


@pytest.fixture
def listener(alice: Account, catalog: list[Practice]) -> Account:
    """Alice, who shares: heard once, heard three times and a favorite, only marked."""
    person = choose(alice, "community")
    listen(person, catalog[0], *[catalog[1]] * 3)
    for practice in catalog[1:3]:
        set_favorite(person, practice, is_favorite=True)
    VectorChange.objects.all().delete()
    return alice


@pytest.fixture
def client(listener: Account, model: ItemWeights, signed_in: SignedIn) -> Client:
    return signed_in(listener)


def _inference(account: Account) -> Inference:
    found = inference(person_of(account), now=NOW)
    assert found is not None
    return found


def _post(client: Client, address: str, **fields: str) -> Answer:
    return client.post(address, fields, follow=True)


def _said(answer: Answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def _changes() -> list[str]:
    return list(VectorChange.objects.order_by("pk").values_list("kind", flat=True))


def _on_shelves(account: Account) -> set[int]:
    shown = shelves(person_of(account), now=NOW, intention=None, utc_offset_minutes=0)
    return {card.practice.pk for shelf in shown for card in shelf.cards}


def test_weights_have_one_reason_for_each_point_and_add_up(
    listener: Account, model: ItemWeights, catalog: list[Practice]
) -> None:
    found = _inference(listener)
    assert {one.practice.pk: (one.weight, one.reasons) for one in found.counted} == {
        catalog[1].pk: (3, ["heard 3 times", "to the end 3 times", "one of your favorites"]),
        catalog[0].pk: (1, ["heard once"]),
        catalog[2].pk: (1, ["one of your favorites"]),
    }
    assert found.counted[0].practice == catalog[1], "the heaviest first"
    assert found.weight == 5


def test_the_weights_shown_are_those_that_are_learned(
    listener: Account, model: ItemWeights
) -> None:
    vectors = learned_vectors()
    weights = dict(zip(vectors.columns.tolist(), vectors.weights.tolist(), strict=True))
    assert {one.practice.pk: one.weight for one in _inference(listener).counted} == weights


def test_kinds_add_up_to_all_points_and_topics_count_each_practice_that_has_them(
    listener: Account, model: ItemWeights, catalog: list[Practice]
) -> None:
    found = _inference(listener)
    assert sum(kind.weight for kind in found.kinds) == found.weight
    weight = {one.practice.pk: one.weight for one in found.counted}
    for leaning in found.topics:
        having = [p for p in catalog[:3] if p.topics.filter(name=leaning.name).exists()]
        assert leaning.weight == sum(weight[practice.pk] for practice in having) > 0
        assert leaning.share == round(100 * leaning.weight / found.weight)


def test_what_follows_is_new_best_first_and_its_parts_add_up_exactly(
    listener: Account, model: ItemWeights, catalog: list[Practice]
) -> None:
    follows = _inference(listener).follows
    assert follows
    assert not {one.practice.pk for one in follows} & {p.pk for p in catalog[:3]}
    scores = [one.score for one in follows]
    assert scores == sorted(scores, reverse=True)
    for one in follows:
        assert sum(part.part for part in one.parts) == one.score


def test_a_hidden_practice_is_on_no_shelf_and_may_be_shown_again(
    client: Client, listener: Account
) -> None:
    target = _inference(listener).follows[0].practice
    assert target.pk in _on_shelves(listener)
    said = _said(_post(client, f"/practices/{target.slug}/hidden/", hidden="yes"))
    assert said == f"“{target.title}” will not be on your shelves. The library still has it."
    assert target.pk not in _on_shelves(listener)
    found = _inference(listener)
    assert found.hidden == [target]
    assert target.pk not in {one.practice.pk for one in found.follows}
    _post(client, f"/practices/{target.slug}/hidden/", hidden="no")
    assert target.pk in _on_shelves(listener)
    assert _inference(listener).hidden == []


def test_a_practice_of_the_history_that_is_hidden_counts_and_is_not_named_by_a_shelf(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    last = catalog[1]
    before = [one.weight for one in _inference(listener).counted]
    _post(client, f"/practices/{last.slug}/hidden/", hidden="yes")
    assert [one.weight for one in _inference(listener).counted] == before
    assert last.pk not in _on_shelves(listener)
    shown = shelves(person_of(listener), now=NOW, intention=None, utc_offset_minutes=0)
    because = next(shelf for shelf in shown if shelf.key == "because")
    assert because.title == f"Because you listened to {catalog[0].title}"


def test_hiding_is_one_s_own_and_twice_is_once(
    client: Client, bob: Account, practice: Practice
) -> None:
    choose(bob, "community")
    hide_practice(person_of(bob), practice, is_hidden=True)
    for wish in ("yes", "yes"):
        _post(client, f"/practices/{practice.slug}/hidden/", hidden=wish)
    assert HiddenPractice.objects.count() == 2
    _post(client, f"/practices/{practice.slug}/hidden/", hidden="no")
    assert [row.subject_id for row in HiddenPractice.objects.all()] == [bob.subject.id]


def test_hiding_is_not_learned_from(client: Client, practice: Practice) -> None:
    _post(client, f"/practices/{practice.slug}/hidden/", hidden="yes")
    assert _changes() == []


def test_a_practice_left_out_is_used_for_nothing_and_stays_in_history_and_favorites(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    out = catalog[1]
    said = _said(_post(client, f"/practices/{out.slug}/taste/", counts="no"))
    assert said == f"“{out.title}” is out of your taste, and stays in your history."
    found = _inference(listener)
    assert out.pk not in {one.practice.pk for one in found.counted}
    assert [(one.practice, one.listens, one.is_favorite) for one in found.left_out] == [
        (out, 3, True)
    ]
    assert Listen.objects.count() == 4
    assert Favorite.objects.count() == 2
    assert _changes() == ["forget"]

    VectorChange.objects.all().delete()
    _post(client, f"/practices/{out.slug}/taste/", counts="yes")
    assert _inference(listener).weight == 5
    assert _changes() == ["learn"]


def test_a_reset_forgets_what_was_inferred_and_keeps_the_history(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    rows = Listen.objects.count(), Favorite.objects.count()
    said = _said(_post(client, "/taste/reset/", reset="yes"))
    assert said == "Forgotten. Your history is as it was, and your taste begins anew."
    found = _inference(listener)
    assert (found.counted, found.weight, found.follows) == ([], 0, [])
    assert (Listen.objects.count(), Favorite.objects.count()) == rows
    assert _changes() == ["forget"]
    assert learned().people == 0
    shown = shelves(person_of(listener), now=NOW, intention=None, utc_offset_minutes=0)
    assert not any(shelf.is_personal and shelf.cards for shelf in shown)

    listen(person_of(listener), catalog[5])
    assert [one.practice.pk for one in _inference(listener).counted] == [catalog[5].pk]


def test_a_reset_can_be_taken_back(client: Client, listener: Account) -> None:
    before = [(one.practice.pk, one.weight) for one in _inference(listener).counted]
    _post(client, "/taste/reset/", reset="yes")
    VectorChange.objects.all().delete()
    said = _said(_post(client, "/taste/reset/", reset="no"))
    assert said == "Your whole history counts in your taste again."
    assert [(one.practice.pk, one.weight) for one in _inference(listener).counted] == before
    assert _changes() == ["learn"]


def test_a_reset_marks_everything_in_one_statement(client: Client) -> None:
    with CaptureQueriesContext(connection) as captured:
        client.post("/taste/reset/", {"reset": "yes"})
    marking = [query["sql"] for query in captured if "is_excluded = true" in query["sql"].lower()]
    assert len(marking) == 1


def test_a_reset_is_one_s_own(client: Client, bob: Account, catalog: list[Practice]) -> None:
    listen(choose(bob, "community"), *catalog[:3])
    _post(client, "/taste/reset/", reset="yes", subject_id=str(bob.subject.id))
    assert len(served_to(person_of(bob), now=NOW).behavior.history) == 3


def test_nothing_to_forget_makes_no_new_model(client: Client) -> None:
    _post(client, "/taste/reset/", reset="yes")
    VectorChange.objects.all().delete()
    _post(client, "/taste/reset/", reset="yes")
    assert _changes() == []


def test_without_a_yes_to_shaping_shelves_nothing_is_inferred_and_the_page_says_what_would_be(
    listener: Account, catalog: list[Practice], signed_in: SignedIn
) -> None:
    decide(
        listener.subject.id,
        {Purpose.LISTENING_PERSONALIZE: False},
        method=Method.PRIVACY_PAGE,
        at=NOW + timedelta(days=1),
    )
    own = signed_in(listener)
    for client in (Client(), own):
        answer = client.get(TASTE)
        assert answer.context["inference"] is None
        assert "/privacy/" in answer.content.decode()
    with unchanged():
        said = _said(_post(own, "/practices/steady-rain/hidden/", hidden="yes"))
    assert said == "Nothing was changed: this needs your yes to it."


def test_a_hidden_practice_shapes_nothing_without_a_yes_to_shaping_shelves(
    client: Client, listener: Account, model: ItemWeights
) -> None:
    target = _inference(listener).follows[0].practice
    _post(client, f"/practices/{target.slug}/hidden/", hidden="yes")
    suspend(Purpose.LISTENING_PERSONALIZE)
    before = _on_shelves(listener)
    HiddenPractice.objects.all().delete()
    assert _on_shelves(listener) == before


def test_law_1_what_is_hidden_goes_when_storing_ends(
    client: Client, listener: Account, practice: Practice
) -> None:
    _post(client, f"/practices/{practice.slug}/hidden/", hidden="yes")
    choose(listener, "just-listening")
    assert not HiddenPractice.objects.exists()


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/practices/steady-rain/hidden/", {"hidden": "perhaps"}),
        ("/practices/steady-rain/taste/", {}),
        ("/taste/reset/", {"reset": ["", "yes", ""]}),
    ],
)
def test_an_answer_that_is_none_is_400(
    address: str, fields: dict[str, Sequence[str]], client: Client
) -> None:
    with unchanged():
        assert client.post(address, fields).status_code == 400


def test_a_practice_that_is_not_there_is_404(client: Client) -> None:
    with unchanged():
        for address in ("/practices/nowhere/hidden/", "/practices/nowhere/taste/"):
            assert client.post(address, {"hidden": "yes", "counts": "no"}).status_code == 404


def test_input_29_without_a_token_nothing_is_changed(listener: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(listener, backend="privacy_center.backend.AccountBackend")
    with unchanged():
        assert client.post("/taste/reset/", {"reset": "yes"}).status_code == 403


def test_the_page_takes_no_more_queries_for_a_longer_history(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(TASTE).status_code == 200
        return len(captured)

    few = queries()
    listen(person_of(listener), *catalog[3:30])
    assert queries() == few


def test_law_8_without_a_model_the_page_says_so_and_shows_what_counts(
    listener: Account, signed_in: SignedIn
) -> None:
    answer = signed_in(listener).get(TASTE)
    assert answer.context["inference"].weight == 5
    assert "no model" in answer.content.decode()


def test_an_unpublished_practice_counts_and_is_not_recommended(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    target = _inference(listener).follows[0].practice
    Practice.objects.filter(pk__in=[target.pk, catalog[1].pk]).update(is_published=False)
    found = _inference(listener)
    assert found.weight == 5
    assert target.pk not in {one.practice.pk for one in found.follows}
    assert client.get(TASTE).status_code == 200


def test_a_listen_too_short_to_count_is_not_in_the_taste(
    client: Client, listener: Account, catalog: list[Practice]
) -> None:
    short = catalog[9].seconds_to_complete // 3
    record_listens(person_of(listener), [Heard(uuid4(), catalog[9], NOW, short, short)])
    assert catalog[9].pk not in {one.practice.pk for one in _inference(listener).counted}
