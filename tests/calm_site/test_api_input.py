"""Bad input to the API: the answer of FAULTS.md, as problem details, and nothing is kept."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from privacy_center.models import Account
from privacy_center.purposes import PRESETS, Purpose
from recommendations.models import Listen, Practice
from tests.answer import Answer, refuses
from tests.conftest import NOW, choose
from tests.unchanged import unchanged

LISTENS, RATINGS, CONSENT = "/api/v1/listens/", "/api/v1/ratings/", "/api/v1/consent/"
PRACTICES, SHELVES = "/api/v1/practices/", "/api/v1/shelves/"
JSON = "application/json"
MEGABYTE = 1_000_000


class Send(Protocol):
    def __call__(
        self, path: str, body: object, *, content_type: str = JSON, method: str = "POST"
    ) -> Answer: ...


@pytest.fixture
def client(
    alice: Account, catalog: list[Practice], signed_in: Callable[[Account], Client]
) -> Client:
    """Somebody whose good input would be stored."""
    choose(alice, "community")
    return signed_in(alice)


@pytest.fixture
def send(client: Client) -> Send:
    def send_body(
        path: str, body: object, *, content_type: str = JSON, method: str = "POST"
    ) -> Answer:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.generic(method, path, raw, content_type)

    return send_body


def _item(**changes: object) -> dict[str, object]:
    """One good listen, with some fields as given."""
    return {
        "id": str(uuid4()),
        "practice": "steady-rain",
        "started_at": NOW.isoformat(),
        "seconds": 60,
        "position": 60,
        **changes,
    }


def _listens(**changes: object) -> dict[str, object]:
    return {"listens": [_item(**changes)]}


def _raw(**texts: str) -> bytes:
    """A good listen as JSON, with some fields as exactly these bytes."""
    plain = {name: json.dumps(value) for name, value in _item().items()} | texts
    fields = ", ".join(f'"{name}": {text}' for name, text in plain.items())
    return f'{{"listens": [{{{fields}}}]}}'.encode()


def test_good_input_is_stored(send: Send) -> None:
    assert send(LISTENS, _raw()).status_code == 200
    assert Listen.objects.count() == 1


@pytest.mark.parametrize("path", [PRACTICES, SHELVES])
@pytest.mark.parametrize("query", ["q=a%00b", "%00=a", "intention=%00"])
def test_input_01_nul_in_a_query_is_400(client: Client, path: str, query: str) -> None:
    with unchanged():
        refuses(client.get(f"{path}?{query}"), 400)


def test_input_01_nul_in_a_body_is_400(send: Send) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(practice="steady\0rain")), 400)
        refuses(send(LISTENS, {"\0": 1}), 400)


@pytest.mark.parametrize("name", ["page", "page_size", "max_minutes", "min_minutes"])
@pytest.mark.parametrize("text", ["many", "1.5", "", "0", "-1", "1e3", "0x10", "1_0 1"])
def test_input_02_text_for_an_integer_filter_is_400(client: Client, name: str, text: str) -> None:
    refuses(client.get(PRACTICES, {name: text}), 400)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_input_03_json_nested_a_hundred_thousand_deep_is_400(send: Send, opening: bytes) -> None:
    with unchanged():
        refuses(send(LISTENS, b'{"listens":' + opening * 100_000), 400)


def test_input_04_duplicate_keys_are_400_at_every_depth(send: Send) -> None:
    once = json.dumps([_item()])
    twice = once.replace('"seconds"', '"seconds": 1, "seconds"')
    with unchanged():
        refuses(send(LISTENS, f'{{"listens": {once}, "listens": {once}}}'.encode()), 400)
        refuses(send(LISTENS, f'{{"listens": {twice}}}'.encode()), 400)


@pytest.mark.parametrize("name", ["user_id", "subject_id", "consent_id", "completion", ""])
def test_input_05_an_unknown_or_forged_field_is_400(send: Send, client: Client, name: str) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(**{name: "1"})), 400)
        refuses(send(LISTENS, {**_listens(), name: "1"}), 400)
        refuses(send(RATINGS, {"practice": "steady-rain", "value": 5, name: "1"}), 400)
        refuses(send(CONSENT, {"preset": "just-for-me", name: "1"}, method="PATCH"), 400)
    refuses(client.get(PRACTICES, {name: "1"}), 400)


def test_what_is_wrong_with_an_item_is_said_under_its_position(send: Send) -> None:
    response = send(LISTENS, {"listens": [_item(), _item(seconds="long")]})
    refuses(response, 400)
    errors = json.loads(response.content)["errors"]["listens"]
    assert errors == {"1": {"seconds": ["A whole number is needed."]}}


@pytest.mark.parametrize(
    "content_type", [JSON, "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_input_06_a_body_of_six_megabytes_is_413(send: Send, content_type: str) -> None:
    with unchanged():
        body = b'{"listens": "' + b"x" * (6 * MEGABYTE) + b'"}'
        refuses(send(LISTENS, body, content_type=content_type), 413)


@pytest.mark.parametrize("name", ["seconds", "position"])
@pytest.mark.parametrize("digits", [30, 5_000], ids=["input_07", "input_08"])
def test_input_07_08_a_very_long_integer_is_400(
    send: Send, client: Client, name: str, digits: int
) -> None:
    with unchanged():
        refuses(send(LISTENS, _raw(**{name: "9" * digits})), 400)
        refuses(send(LISTENS, _raw(**{name: "-" + "9" * digits})), 400)
        refuses(send(RATINGS, f'{{"practice": "a", "value": {"9" * digits}}}'.encode()), 400)
    refuses(client.get(PRACTICES, {"page": "9" * digits}), 400)
    refuses(client.get(SHELVES, {"utc_offset_minutes": "9" * digits}), 400)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1e999"])
def test_input_09_what_is_no_number_is_400(send: Send, number: str) -> None:
    with unchanged():
        refuses(send(LISTENS, _raw(seconds=number)), 400)
        body = f'{{"purposes": {{"listening:store": {number}}}}}'.encode()
        response = send(CONSENT, body, method="PATCH")
    refuses(response, 400)
    assert json.loads(response.content)["code"] == "parse_error"


@pytest.mark.parametrize("text", ["\ud800", "rain\udfff", "\udc00\ud800"])
def test_input_10_a_lone_surrogate_is_400(send: Send, text: str) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(practice=text)), 400)
        refuses(send(LISTENS, {text: 1}), 400)


@pytest.mark.parametrize("raw", [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"])
def test_input_11_invalid_utf8_is_400(send: Send, client: Client, raw: bytes) -> None:
    with unchanged():
        refuses(send(LISTENS, b'{"listens": "' + raw + b'"}'), 400)
    quoted = "".join(f"%{byte:02x}" for byte in raw)
    refuses(client.get(f"{PRACTICES}?q={quoted}"), 400)


@pytest.mark.parametrize("body", [[], [_listens()], "text", 5, None, True])
def test_input_12_anything_but_an_object_at_the_top_is_400(send: Send, body: object) -> None:
    with unchanged():
        for path in (LISTENS, RATINGS):
            refuses(send(path, body), 400)
        refuses(send(CONSENT, body, method="PATCH"), 400)


@pytest.mark.parametrize("body", [b"", b"{", b"{'a': 1}", b'{"a": 1} {}', b"\xef\xbb\xbf{}"])
def test_a_body_that_is_no_json_is_400(send: Send, body: bytes) -> None:
    with unchanged():
        refuses(send(LISTENS, body), 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "",
    ],
)
def test_input_13_a_wrong_content_type_is_415(send: Send, content_type: str) -> None:
    with unchanged():
        refuses(send(LISTENS, _raw(), content_type=content_type), 415)


@pytest.mark.parametrize("accept", ["image/png", "text/html", "nonsense", ";;;,/", "a/b; c*=d''e"])
def test_input_14_an_accept_that_cannot_be_met_is_406(client: Client, accept: str) -> None:
    with unchanged():
        refuses(client.get(PRACTICES, headers={"accept": accept}), 406)
        headers = {"accept": accept}
        refuses(client.post(LISTENS, _raw(), content_type=JSON, headers=headers), 406)


@pytest.mark.parametrize("path", [LISTENS, RATINGS, CONSENT, PRACTICES, SHELVES])
@pytest.mark.parametrize("method", ["TRACE", "PUT", "DELETE", "PROPFIND"])
def test_input_15_a_method_that_is_not_there_is_405(send: Send, path: str, method: str) -> None:
    with unchanged():
        refuses(send(path, _listens(), method=method), 405)


@pytest.mark.parametrize("value", [0, 6, True, False, -1, 4.5, "5", None, [5], {"a": 5}])
def test_input_16_a_rating_that_is_not_1_to_5_is_400(send: Send, value: object) -> None:
    with unchanged():
        refuses(send(RATINGS, {"practice": "steady-rain", "value": value}), 400)


@pytest.mark.parametrize(
    "moment",
    [
        "2026-02-30T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-01-01T24:30:00Z",
        "2026-03-01T10:00:00",
        "2026-03-01",
        "1999-12-31T23:59:59Z",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
        "",
        1_770_000_000,
        None,
        ["2026-03-01T10:00:00Z"],
    ],
)
def test_input_17_an_impossible_or_naive_moment_is_400(send: Send, moment: object) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(started_at=moment)), 400)


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), timedelta(days=1), timedelta(days=9000)])
def test_input_18_an_event_in_the_future_is_400(send: Send, ahead: timedelta) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(started_at=(timezone.now() + ahead).isoformat())), 400)


def test_a_moment_is_the_same_in_every_offset(send: Send) -> None:
    assert send(LISTENS, _listens(started_at="2026-03-02T11:30:00-10:00")).status_code == 200
    assert Listen.objects.get().started_at == NOW


@pytest.mark.parametrize("text", ["   ", "\t\n", "\u202erain", "ra\u2066in", "rain\u200f", "a\x07"])
def test_input_19_whitespace_only_and_bidi_override_are_400(
    send: Send, client: Client, text: str
) -> None:
    refuses(client.get(PRACTICES, {"q": text}), 400)
    with unchanged():
        refuses(send(LISTENS, _listens(practice=text)), 400)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "{32}",
        "2f1d3c1e-6f0a-4d8e-9f30-1c2b3a4d5e6",
        "0_" * 16 + "    ",
        "٣" * 36,
        "urn:uuid:2f1d3c1e-6f0a-4d8e-9f30-1c2b3a4d5e6f",
        5,
        None,
    ],
)
def test_an_id_that_is_no_uuid_is_400(send: Send, name: object) -> None:
    with unchanged():
        refuses(send(LISTENS, _listens(id=name)), 400)


def test_input_29_a_missing_or_foreign_csrf_token_is_403(client: Client) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = client.cookies
    with unchanged():
        refuses(strict.post(LISTENS, _raw(), content_type=JSON), 403)
        headers = {"X-CSRFToken": "a" * 64}
        refuses(strict.post(LISTENS, _raw(), content_type=JSON, headers=headers), 403)


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "a b", ""])
def test_input_30_a_forged_host_is_400(client: Client, host: str) -> None:
    with unchanged():
        refuses(client.get(PRACTICES, headers={"host": host}), 400)
        headers = {"host": host}
        refuses(client.post(LISTENS, _raw(), content_type=JSON, headers=headers), 400)


@pytest.mark.parametrize("size", [101, 10**9, 10**17])
def test_input_47_a_huge_page_is_clamped(client: Client, size: int) -> None:
    answer = client.get(PRACTICES, {"page_size": size}).json()
    assert answer["page_size"] == 100
    assert len(answer["results"]) <= 100


@pytest.mark.parametrize("name", ["ordering", "order_by", "sort"])
def test_input_48_ordering_by_a_hidden_column_is_400(client: Client, name: str) -> None:
    refuses(client.get(PRACTICES, {name: "user__password"}), 400)


def test_an_unknown_address_of_the_api_is_404_as_problem_details(client: Client) -> None:
    refuses(client.get("/api/v1/secrets/"), 404)
    refuses(client.get("/api/"), 404)


# Everything else one can think of, and not.

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=12,
)
ITEM_OR_NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "id": st.uuids().map(str) | ANY_JSON,
        "practice": st.sampled_from(["steady-rain", "even-breath", "nowhere"]) | ANY_JSON,
        "started_at": st.datetimes().map(lambda moment: f"{moment.isoformat()}Z") | ANY_JSON,
        "seconds": st.integers(-5, 90_000) | ANY_JSON,
        "position": st.integers(-5, 90_000) | ANY_JSON,
        "more": ANY_JSON,
    },
)
BODY_OR_NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "listens": st.lists(ITEM_OR_NEARLY | ANY_JSON, max_size=4) | ANY_JSON,
        "practice": st.just("steady-rain") | ANY_JSON,
        "value": st.integers(-1, 7) | ANY_JSON,
        "preset": st.sampled_from([preset.key for preset in PRESETS]) | ANY_JSON,
        "purposes": st.dictionaries(
            st.sampled_from(sorted(Purpose)) | st.text(max_size=8), st.booleans() | ANY_JSON
        )
        | ANY_JSON,
    },
)
ANY_BODY = (BODY_OR_NEARLY | ANY_JSON).map(lambda body: json.dumps(body).encode()) | st.binary()
CONTENT_TYPES = st.sampled_from([JSON] * 6 + ["application/x-www-form-urlencoded", "a/b; c=d", ""])
QUERY_NAMES = ["q", "kind", "intention", "topic", "page", "page_size", "max_minutes"]
QUERY_NAMES += ["min_minutes", "utc_offset_minutes", "ordering"]
ANY_QUERY = st.dictionaries(
    st.sampled_from(QUERY_NAMES) | st.text(max_size=8),
    st.sampled_from(["", "sleep", "story", "1", "30"]) | st.integers().map(str) | st.text(),
    max_size=4,
)
MANY = hypothesis_settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@MANY
@given(body=ANY_BODY, content_type=CONTENT_TYPES)
def test_no_body_breaks_the_api(send: Send, body: bytes, content_type: str) -> None:
    for path, method in ((LISTENS, "POST"), (RATINGS, "POST"), (CONSENT, "PATCH")):
        response = send(path, body, content_type=content_type, method=method)
        assert response.status_code < 500
        json.loads(response.content)


@MANY
@given(query=ANY_QUERY)
def test_no_query_breaks_the_api(client: Client, query: dict[str, str]) -> None:
    sendable = {k: v for k, v in query.items() if not any("\ud800" <= c <= "\udfff" for c in k + v)}
    for path in (PRACTICES, SHELVES, CONSENT):
        response = client.get(path, sendable)
        assert response.status_code < 500
        json.loads(response.content)


@MANY
@given(raw=st.text(st.characters(min_codepoint=33, max_codepoint=255), max_size=60))
def test_no_raw_query_breaks_the_api(client: Client, raw: str) -> None:
    for path in (PRACTICES, SHELVES):
        assert client.get(path, QUERY_STRING=raw).status_code < 500
