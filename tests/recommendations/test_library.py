"""The library page: filters, search, pages, and what it answers to nonsense."""

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recommendations.models import Intention, Kind, Practice
from tests.answer import Answer

LIBRARY = "/practices/"

pytestmark = pytest.mark.usefixtures("catalog")


def _get(**query: str) -> Answer:
    return Client().get(LIBRARY, query)


def _slugs(**query: str) -> set[str]:
    """What all pages of an answer show."""
    first = _get(**query)
    assert first.status_code == 200
    pages = first.context["page_obj"].paginator.num_pages
    answers = [first, *(_get(**query, page=str(n)) for n in range(2, pages + 1))]
    return {card.practice.slug for answer in answers for card in answer.context["cards"]}


def test_the_pages_together_show_every_practice(catalog: list[Practice]) -> None:
    assert _slugs() == {practice.slug for practice in catalog}


@pytest.mark.parametrize("kind", Kind.values)
@pytest.mark.parametrize("intention", ["", *Intention.values])
def test_filters_narrow_together(catalog: list[Practice], kind: str, intention: str) -> None:
    expected = {p.slug for p in catalog if p.kind == kind and intention in ("", p.intention)}
    assert _slugs(kind=kind, intention=intention) == expected


@pytest.mark.parametrize(
    ("length", "minutes"), [("short", range(6)), ("medium", range(6, 16)), ("long", range(16, 999))]
)
def test_lengths_split_the_catalog(catalog: list[Practice], length: str, minutes: range) -> None:
    assert _slugs(length=length) == {p.slug for p in catalog if p.minutes in minutes}


def test_a_search_finds_title_summary_and_topic(catalog: list[Practice]) -> None:
    assert "steady-rain" in _slugs(q="steady RAIN")
    topic = catalog[0].topics.all()[0]
    assert catalog[0].slug in _slugs(q=topic.name)
    assert catalog[0].slug in _slugs(topic=topic.slug)


def test_a_search_without_an_answer_says_so_and_leads_back() -> None:
    page = _get(q="zeppelin").content.decode()
    assert "Nothing fits all of this" in page
    assert "Show everything" in page


def test_what_was_asked_stays_in_the_form_and_in_the_links() -> None:
    page = _get(kind="soundscape", q="a").content.decode()
    assert re.search(r'<option value="soundscape" selected', page)
    more = _get(kind="").content.decode()
    assert re.search(r'rel="next" href="\?[^"]*page=2', more)


def test_the_form_does_not_send_the_page_along() -> None:
    assert 'name="page"' not in _get(page="2").content.decode()


def test_a_page_beyond_the_last_is_the_last() -> None:
    last = _get().context["page_obj"].paginator.num_pages
    assert _get(page="999").context["page_obj"].number == last


def test_what_is_not_published_is_not_there(practice: Practice) -> None:
    Practice.objects.filter(pk=practice.pk).update(is_published=False)
    assert practice.slug not in _slugs()
    for path in ("", "why/", "favorite/", "rating/"):
        assert Client().get(f"{LIBRARY}{practice.slug}/{path}").status_code in (302, 404, 405)
    assert Client().get(f"{LIBRARY}{practice.slug}/").status_code == 404


@pytest.mark.parametrize("text", ["many", "1.5", "0", "-1", "1e3", "9" * 30, "9" * 5000, "٣٣٣x"])
def test_input_02_07_08_a_page_that_is_no_number_is_400(text: str) -> None:
    assert _get(page=text).status_code == 400


@pytest.mark.parametrize(
    "query",
    [
        {"kind": "opera"}, {"intention": "joy"}, {"topic": "no-such-topic"}, {"topic": "a b"},
        {"length": "7"}, {"kind": "Soundscape"}, {"q": "x" * 81},
    ],
)  # fmt: skip
def test_a_filter_that_does_not_exist_is_400_with_the_form(query: dict[str, str]) -> None:
    answer = _get(**query)
    assert answer.status_code == 400
    assert "<form" in answer.content.decode()


@pytest.mark.parametrize("text", ["\u202erain", "ra\u2067in", "rain\u200e!", "a\x07b"])
def test_input_19_a_search_with_hidden_characters_is_400(text: str) -> None:
    assert _get(q=text).status_code == 400


def test_a_search_for_spaces_is_a_search_for_everything(catalog: list[Practice]) -> None:
    assert _slugs(q="   ") == {practice.slug for practice in catalog}


def test_what_was_searched_is_escaped() -> None:
    page = _get(q='"><script>alert(1)</script>').content.decode()
    assert "<script>alert" not in page


def test_input_47_48_paging_and_order_are_not_the_visitors(catalog: list[Practice]) -> None:
    usual = [card.practice.slug for card in _get().context["cards"]]
    for query in ({"page_size": "1000000000"}, {"ordering": "user__password"}):
        assert [c.practice.slug for c in _get(**query).context["cards"]] == usual


def test_a_page_costs_few_queries() -> None:
    with CaptureQueriesContext(connection) as queries:
        _get()
    assert len(queries) <= 5


@pytest.mark.parametrize("path", ["nowhere/", "steady-rain/nowhere/", "Steady%20Rain/", "-/"])
def test_an_address_without_a_practice_is_404(path: str) -> None:
    assert Client().get(LIBRARY + path).status_code == 404


def test_a_practice_page_has_its_player_and_its_like(practice: Practice) -> None:
    answer = Client().get(practice.get_absolute_url())
    assert answer.status_code == 200
    assert practice.title in answer.content.decode()
    assert answer.context["player_data"]["slug"] == practice.slug
    assert answer.context["similar"]


def test_every_practice_and_its_reason_opens(catalog: list[Practice]) -> None:
    client = Client()
    for practice in catalog[::7]:
        assert client.get(practice.get_absolute_url()).status_code == 200
        assert client.get(f"{practice.get_absolute_url()}why/").status_code == 200
