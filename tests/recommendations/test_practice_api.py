"""The catalog and the shelves by the API: filtered, in pages, for everybody."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from privacy_center.models import Account
from recommendations.models import Intention, Kind, Practice
from tests.answer import refuses
from tests.conftest import choose, listen

PRACTICES, SHELVES = "/api/v1/practices/", "/api/v1/shelves/"
FIELDS = {
    "slug", "title", "summary", "kind", "intention", "voice", "seconds", "topics", "url",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("catalog")


def _slugs(**query: str | int) -> list[str]:
    answer = Client().get(PRACTICES, {"page_size": 100, **query})
    assert answer.status_code == 200, answer.content
    assert answer.json()["count"] == len(answer.json()["results"])
    return [practice["slug"] for practice in answer.json()["results"]]


def test_everything_is_there_for_whoever_asks(catalog: list[Practice]) -> None:
    assert set(_slugs()) == {practice.slug for practice in catalog}


def test_a_practice_is_described_by_exactly_these_fields() -> None:
    answer = Client().get(PRACTICES, {"q": "steady rain"}).json()
    (practice,) = (p for p in answer["results"] if p["slug"] == "steady-rain")
    assert set(practice) == FIELDS
    assert practice["url"] == "/practices/steady-rain/"
    assert practice["topics"]


@pytest.mark.parametrize("kind", Kind.values)
def test_filtered_by_kind(catalog: list[Practice], kind: str) -> None:
    assert set(_slugs(kind=kind)) == {p.slug for p in catalog if p.kind == kind}


@pytest.mark.parametrize("intention", Intention.values)
def test_filtered_by_intention(catalog: list[Practice], intention: str) -> None:
    assert set(_slugs(intention=intention)) == {p.slug for p in catalog if p.intention == intention}


def test_filtered_by_topic(catalog: list[Practice]) -> None:
    topic = catalog[0].topics.all()[0].slug
    expected = {p.slug for p in catalog if topic in {t.slug for t in p.topics.all()}}
    assert set(_slugs(topic=topic)) == expected
    assert _slugs(topic="no-such-topic") == []


def test_filtered_by_length(catalog: list[Practice]) -> None:
    assert set(_slugs(max_minutes=5)) == {p.slug for p in catalog if p.minutes <= 5}
    assert set(_slugs(min_minutes=16)) == {p.slug for p in catalog if p.minutes >= 16}
    assert _slugs(min_minutes=16, max_minutes=5) == []


def test_filters_narrow_together(catalog: list[Practice]) -> None:
    both = set(_slugs(kind="story", intention="sleep"))
    assert both == set(_slugs(kind="story")) & set(_slugs(intention="sleep"))


def test_every_word_must_occur_somewhere() -> None:
    assert "steady-rain" in _slugs(q="RAIN steady")
    assert "steady-rain" not in _slugs(q="rain zeppelin")
    assert _slugs(q="") == _slugs()


@pytest.mark.parametrize("text", ["%", "_", "'", '"; DROP TABLE', "\\", "a' OR '1'='1"])
def test_a_search_is_text_and_nothing_else(text: str) -> None:
    answer = Client().get(PRACTICES, {"q": text})
    assert answer.status_code == 200
    found = [p["title"] + p["summary"] for p in answer.json()["results"]]
    assert all(word.lower() in line.lower() for line in found for word in text.split())


def test_pages_follow_each_other_without_gap_or_repeat(catalog: list[Practice]) -> None:
    pages = [
        [p["slug"] for p in Client().get(PRACTICES, {"page": n, "page_size": 7}).json()["results"]]
        for n in range(1, 12)
    ]
    assert [slug for page in pages for slug in page] == _slugs()
    assert Client().get(PRACTICES, {"page": 10**6}).json()["results"] == []


def test_what_is_not_published_is_not_there(practice: Practice) -> None:
    Practice.objects.filter(pk=practice.pk).update(is_published=False)
    assert practice.slug not in _slugs()
    assert practice.slug not in Client().get(SHELVES).content.decode()


def test_a_page_costs_few_queries_whatever_its_size() -> None:
    with CaptureQueriesContext(connection) as queries:
        Client().get(PRACTICES, {"page_size": 100})
    assert len(queries) <= 3


# Shelves.


def test_law_7_shelves_have_the_same_shape_for_everybody(
    alice: Account, bob: Account, catalog: list[Practice], signed_in: Callable[[Account], Client]
) -> None:
    listen(choose(alice, "community"), *catalog[:5])
    choose(bob, "just-listening")
    answers = [c.get(SHELVES).json() for c in (Client(), signed_in(alice), signed_in(bob))]
    for answer in answers:
        assert set(answer) == {"is_personal", "shelves"}
        for shelf in answer["shelves"]:
            assert set(shelf) == {"key", "title", "note", "is_personal", "cards"}
            assert shelf["cards"]
            assert all(set(card) == FIELDS | {"why"} for card in shelf["cards"])
    assert answers[0]["shelves"] == answers[2]["shelves"]


def test_an_asked_intention_is_served(catalog: list[Practice]) -> None:
    for intention in Intention.values:
        answer = Client().get(SHELVES, {"intention": intention}).json()
        assert intention in {
            card["intention"] for shelf in answer["shelves"] for card in shelf["cards"]
        }


@pytest.mark.parametrize(
    "query",
    [
        {"intention": "joy"}, {"intention": ""}, {"utc_offset_minutes": "841"},
        {"utc_offset_minutes": "-841"}, {"utc_offset_minutes": "noon"}, {"subject_id": "1"},
        {"n": "1000000"},
    ],
)  # fmt: skip
def test_input_02_05_bad_questions_about_shelves_are_400(query: dict[str, str]) -> None:
    refuses(Client().get(SHELVES, query), 400)
