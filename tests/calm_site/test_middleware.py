"""Requests that cannot be meant, to pages and below Django; and a database that is away."""

from collections.abc import Callable
from typing import Any
from wsgiref.util import setup_testing_defaults

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from privacy_center.models import Account
from recommendations.models import Practice
from tests.answer import refuses
from tests.conftest import choose
from tests.unchanged import unchanged

Write = Callable[[bytes], object]
SMALL_UPLOAD = 2 * 1024 * 1024


@pytest.mark.parametrize("path", ["/", "/practices/", "/accounts/login/", "/admin/", "/nowhere/"])
@pytest.mark.parametrize("query", ["q=%00", "a=1&%00", "q=%ff", "q=%ed%a0%80"])
def test_input_01_11_an_address_with_nul_or_invalid_utf8_is_400(
    db: None, path: str, query: str
) -> None:
    with unchanged():
        assert Client().get(f"{path}?{query}").status_code == 400


@pytest.mark.parametrize("path", ["/practices/%00/", "/media/a%00.mp3", "/%00"])
def test_a_path_with_nul_is_400(db: None, path: str) -> None:
    assert Client().get(path).status_code == 400


@pytest.mark.parametrize("name", ["session", "csrftoken", "clock", "messages"])
def test_nul_in_a_cookie_is_400(db: None, name: str) -> None:
    with unchanged():
        client = Client(headers={"cookie": f'{name}="\\000abcdefghij"'})
        assert client.get("/").status_code == 400
        assert client.post("/accounts/login/").status_code == 400


@pytest.mark.parametrize("length", ["many", "-1", "1.5", "²", "9" * 19, "9" * 5000])
def test_a_length_that_is_none_is_400(db: None, length: str) -> None:
    with unchanged():
        answer = Client().post("/accounts/login/", {"login": "a"}, CONTENT_LENGTH=length)
        assert answer.status_code == 400


@pytest.mark.parametrize("as_upload", [True, False])
def test_input_06_a_large_body_to_a_page_is_413(db: None, as_upload: bool) -> None:
    body = {"login": "x" * SMALL_UPLOAD}
    form = "application/x-www-form-urlencoded"
    with unchanged():
        if as_upload:
            answer = Client().post("/accounts/login/", body)
        else:
            answer = Client().generic("POST", "/accounts/login/", f"login={body['login']}", form)
    assert answer.status_code == 413


@pytest.mark.parametrize("path", ["/", "/practices/", "/privacy/", "/health/", "/admin/"])
@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "G\tET"])
def test_input_15_an_unknown_method_is_405(db: None, path: str, method: str) -> None:
    answer = Client().generic(method, path)
    assert answer.status_code == 405
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("path", ["/", "/practices/", "/favorites/", "/privacy/", "/health/"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_input_15_a_page_that_is_read_cannot_be_written(db: None, path: str, method: str) -> None:
    with unchanged():
        assert Client().generic(method, path).status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "/privacy/preset/",
        "/privacy/decide/",
        "/practices/steady-rain/favorite/",
        "/practices/steady-rain/rating/",
    ],
)
def test_input_15_an_address_that_writes_cannot_be_read(
    alice: Account, signed_in: Callable[[Account], Client], path: str
) -> None:
    assert signed_in(alice).get(path).status_code == 405


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/privacy/preset/", {"preset": "community"}),
        ("/privacy/decide/", {"purpose": "listening:store", "decision": "no"}),
        ("/practices/steady-rain/favorite/", {}),
        ("/practices/steady-rain/rating/", {"value": "5"}),
        ("/accounts/login/", {"login": "alice@example.org", "password": "a-quiet-shore"}),
        ("/accounts/logout/", {}),
    ],
)
def test_input_29_a_page_without_a_csrf_token_of_ours_is_403(
    alice: Account, catalog: list[Practice], path: str, body: dict[str, str]
) -> None:
    choose(alice, "just-for-me")
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="privacy_center.backend.AccountBackend")
    with unchanged():
        assert client.post(path, body).status_code == 403
        foreign = {**body, "csrfmiddlewaretoken": "a" * 64}
        assert client.post(path, foreign).status_code == 403


def test_input_29_a_post_from_another_origin_is_403_even_with_the_token(alice: Account) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice, backend="privacy_center.backend.AccountBackend")
    client.get("/accounts/logout/")
    token = client.cookies["csrftoken"].value
    headers = {"X-CSRFToken": token, "Origin": "https://evil.example"}
    with unchanged():
        assert (
            client.post("/privacy/preset/", {"preset": "community"}, headers=headers).status_code
            == 403
        )


@pytest.mark.parametrize("host", ["evil.example", "localhost:80@evil.example", "", "a b", "[::1"])
def test_input_30_a_forged_host_is_400_on_pages(db: None, host: str) -> None:
    with unchanged():
        assert Client().get("/", headers={"host": host}).status_code == 400
        assert Client().get("/accounts/login/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("content_type", ["a/b; c*=bogus''d", "application/json; x*=nope'en'y"])
def test_a_content_type_that_cannot_be_read_is_400(db: None, content_type: str) -> None:
    environ: dict[str, Any] = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": content_type}
    setup_testing_defaults(environ)
    statuses: list[str] = []

    def start_response(
        status: str, headers: list[tuple[str, str]], exc_info: object = None
    ) -> Write:
        statuses.append(status)
        return bytearray().extend

    # Loading it asks the database whether it may serve.
    from calm_site.wsgi import readable

    body = b"".join(readable(environ, start_response))
    assert statuses == ["400 Bad Request"]
    assert b"Nothing was kept" in body


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("path", ["/", "/practices/", "/privacy/", "/health/", "/accounts/login/"])
def test_a_lost_database_is_503_with_retry_after(
    alice: Account, signed_in: Callable[[Account], Client], path: str, error: type[Exception]
) -> None:
    client = Client() if "login" in path else signed_in(alice)
    client.raise_request_exception = False
    with connection.execute_wrapper(_lost("", error)):
        answer = client.get(path) if "login" not in path else client.post(path, LOGIN)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


def test_a_lost_database_is_said_to_apps_as_problem_details(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    client = signed_in(alice)
    client.raise_request_exception = False
    with connection.execute_wrapper(_lost("", OperationalError)):
        refuses(client.get("/api/v1/practices/"), 503)
        refuses(client.get("/api/v1/consent/"), 503)


def test_a_database_lost_after_the_view_is_503_as_well(alice: Account) -> None:
    choose(alice, "just-listening")
    client = Client(raise_request_exception=False)
    with connection.execute_wrapper(_lost('INSERT INTO "django_session"', OperationalError)):
        answer = client.post("/accounts/login/", LOGIN)
    assert answer.status_code == 503
    assert int(answer["Retry-After"]) > 0


LOGIN = {"login": "alice@example.org", "password": "a-quiet-shore"}


def _lost(statement: str, error: type[Exception]) -> Callable[..., object]:
    """Statements that begin like this find no server."""

    def execute(run: Callable[..., object], sql: str, *rest: object) -> object:
        if sql.startswith(statement):
            raise error("server closed the connection unexpectedly")
        return run(sql, *rest)

    return execute


# Every page that anybody may open, with whatever a browser could be made to send.

PAGES = [
    "/", "/how-it-works/", "/practices/", "/practices/steady-rain/", "/practices/steady-rain/why/",
    "/favorites/", "/privacy/", "/account/", "/accounts/login/", "/accounts/signup/",
    "/accounts/signup/passkey/", "/accounts/password/reset/", "/accounts/email/", "/accounts/2fa/",
    "/mail/",
]  # fmt: skip
FORMS = [
    "/accounts/login/", "/accounts/signup/", "/accounts/signup/passkey/",
    "/accounts/password/reset/", "/accounts/email/", "/accounts/password/change/",
    "/accounts/reauthenticate/", "/accounts/confirm-email/", "/accounts/logout/",
    "/privacy/preset/", "/privacy/decide/", "/practices/steady-rain/rating/",
]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUE = st.one_of(TEXT, st.integers().map(str), st.just("x" * 5000), st.just("a@example.org"))
QUERY = st.dictionaries(
    st.sampled_from(["q", "kind", "topic", "length", "page", "intention", "next"]) | TEXT, VALUE
)
FIELDS = ["login", "password", "password1", "email", "age", "region", "code", "preset", "purpose"]
FIELDS += ["decision", "asked", "value", "next", "remember", "action_add", "action_remove"]
FIELDS += ["action_send", "action_primary", "oldpassword"]
COOKIE = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
SOME = hypothesis_settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture
def clients(alice: Account, signed_in: Callable[[Account], Client]) -> tuple[Client, Client]:
    """Nobody, and alice."""
    return Client(), signed_in(alice)


@pytest.fixture
def _quick_hash(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.ACCOUNT_RATE_LIMITS = False


@SOME
@given(path=st.sampled_from(PAGES), query=QUERY)
def test_no_query_breaks_a_page(
    clients: tuple[Client, Client], path: str, query: dict[str, str]
) -> None:
    for client in clients:
        assert client.get(path, query).status_code < 500


@SOME
@given(clock=COOKIE, session=COOKIE, messages=COOKIE, token=COOKIE)
def test_no_cookie_breaks_a_page(
    db: None, clock: str, session: str, messages: str, token: str
) -> None:
    cookies = f"clock={clock}; session={session}; messages={messages}; csrftoken={token}"
    for path in ("/", "/accounts/login/", "/api/v1/consent/"):
        assert Client(headers={"cookie": cookies}).get(path).status_code < 500


@SOME
@pytest.mark.usefixtures("_quick_hash")
@given(path=st.sampled_from(FORMS), body=st.dictionaries(st.sampled_from(FIELDS), VALUE))
def test_no_form_breaks_a_page(
    clients: tuple[Client, Client], path: str, body: dict[str, str]
) -> None:
    for client in clients:
        assert client.post(path, body).status_code < 500
