"""The site in another language: complete catalogs, every text marked, the reader's choice."""

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Message
from babel.messages.mofile import read_mo
from django.conf import settings
from django.core import mail
from django.core.management import call_command
from django.db import OperationalError
from django.template.base import Lexer, TokenType
from django.test import Client
from django.utils import translation

from calm_site.management.commands import makemessages
from privacy_center.forms.account import SignupForm
from privacy_center.models import Account
from tests.calm_site.reading import GERMAN, read_page

LANGUAGES = [code for code, _name in settings.LANGUAGES if code != settings.LANGUAGE_CODE]
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w+\}|</?\w+[^>]*>")
# In a text file four spaces before a line make it a command, as in Markdown.
COMMAND = re.compile(r"^ {4}.*$", re.MULTILINE)


def texts(message: Message) -> list[str]:
    """A message's texts in the language of its catalog, one for each number."""
    found = message.string
    return list(found) if isinstance(found, list | tuple) else [found or ""]


def said(message: Message) -> tuple[str, ...]:
    """A message in English, for one and for many if it counts something."""
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def key(message: Message) -> tuple[tuple[str, ...], str | None]:
    return said(message), message.context


def places(text: str) -> list[str]:
    return sorted(PLACES.findall(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_has_a_translation_and_no_translation_is_left_over(language: str) -> None:
    found = {key(message) for message in makemessages.collected()}
    catalog = makemessages.read(language)
    assert len(found) > 200
    assert {key(message) for message in catalog} == found, "run make messages"
    assert [key(m) for m in catalog if m.id and (m.fuzzy or not all(texts(m)))] == []
    assert not catalog.obsolete


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_and_the_markup_of_its_text(language: str) -> None:
    different = []
    for message in makemessages.read(language):
        # “One listen” needs no number: a text for one may be like the English for one or for many.
        allowed = [places(english) for english in said(message)]
        if message.id and any(places(text) not in allowed for text in texts(message) if text):
            different.append(key(message))
    assert different == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_site_reads_what_people_edited(language: str) -> None:
    edited, compiled = makemessages.files(language)
    catalog = makemessages.read(language)
    assert makemessages.edited(catalog) == edited.read_bytes(), "run make messages"
    assert makemessages.as_compiled(catalog) == compiled.read_bytes(), "run make messages"


def test_make_messages_keeps_translations_drops_what_is_gone_and_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    language = LANGUAGES[0]
    before = makemessages.read(language)
    before.add("A text that no page has any more", "Ein Text")
    monkeypatch.setattr(makemessages, "LOCALE_DIR", tmp_path)
    makemessages.write(before, language)
    call_command("makemessages", verbosity=0)
    edited, compiled = makemessages.files(language)
    assert "A text that no page has any more" not in edited.read_text()
    assert '"Anmelden"' in edited.read_text()
    served = {key(message): texts(message) for message in read_mo(BytesIO(compiled.read_bytes()))}
    assert served[("Sign in",), None] == ["Anmelden"]


def unmarked(template: str) -> Iterator[str]:
    """What a template says outside of the tags that translate."""
    shown, is_inside = [], False
    for token in Lexer(template).tokenize():
        name = token.contents.split(" ")[0] if token.token_type is TokenType.BLOCK else ""
        if name in ("blocktranslate", "endblocktranslate", "comment", "endcomment"):
            is_inside = not name.startswith("end")
        elif name == "block" and token.contents.endswith("_class"):
            is_inside = True
        elif name == "endblock":
            is_inside = False
        elif token.token_type is TokenType.TEXT and not is_inside:
            shown.append(token.contents)
        elif token.token_type is TokenType.VAR:
            shown.append("0")
    for text, _is_own in read_page(
        "".join(shown).replace("<0", "<h2").replace("</0", "</h2")
    ).texts:
        yield text


def test_a_text_outside_of_the_tags_that_translate_is_found() -> None:
    marked = '{% translate "Here" %}<p class="note">{{ count }}</p>'
    assert list(unmarked(marked)) == []
    assert list(unmarked('<p title="There">Here {{ count }}</p>' + marked)) == ["There", "Here 0"]


@pytest.mark.parametrize(
    "template",
    [file for file in makemessages.sources() if file.suffix != ".py"],
    ids=lambda file: str(file.relative_to(settings.BASE_DIR)),
)
def test_every_text_of_a_template_is_marked(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert list(unmarked(COMMAND.sub("", text) if template.suffix == ".txt" else text)) == []


@pytest.mark.parametrize(
    ("accepted", "chosen", "expected"),
    [
        ("de", "", "de"),
        ("de-CH, fr;q=0.8", "", "de"),
        ("fr, de;q=0.5", "", "de"),
        ("fr", "", "en"),
        ("", "", "en"),
        ("x" * 5000, "", "en"),
        ("de", "en", "en"),
        ("en", "de", "de"),
        ("de", "fr", "de"),
        ("en", "../../etc", "en"),
    ],
)
def test_the_cookie_decides_then_the_browser_then_english(
    accepted: str, chosen: str, expected: str, client: Client, db: None
) -> None:
    if chosen:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = chosen
    response = client.get("/how-it-works/", headers={"Accept-Language": accepted})
    assert f'<html lang="{expected}">' in response.content.decode()
    assert response["Content-Language"] == expected
    assert "Accept-Language" in response["Vary"]


def test_the_switch_remembers_a_language_and_comes_back_to_the_page(db: None) -> None:
    client = Client(enforce_csrf_checks=True)
    page = "http://testserver/practices/?kind=story"
    response = client.post("/language/", {"language": "de"}, headers={"Referer": page})
    assert (response.status_code, response["Location"]) == (302, page)
    cookie = response.cookies[settings.LANGUAGE_COOKIE_NAME]
    assert (cookie.value, cookie["samesite"], cookie["httponly"]) == ("de", "Lax", True)
    assert cookie["max-age"] == 365 * 24 * 60 * 60
    assert "Bibliothek" in client.get("/practices/").content.decode()
    client.post("/language/", {"language": "en"})
    assert "Library" in client.get("/practices/").content.decode()


@pytest.mark.parametrize("language", ["", "xx", "de\0", "d" * 1000, "../de"])
def test_a_language_that_is_not_here_changes_nothing(language: str, client: Client) -> None:
    response = client.post("/language/", {"language": language})
    assert (response.status_code, response["Location"]) == (302, "/")
    assert settings.LANGUAGE_COOKIE_NAME not in response.cookies


def test_the_switch_leads_nowhere_else(client: Client) -> None:
    elsewhere = {"language": "de", "next": "https://elsewhere.example/"}
    response = client.post(
        "/language/", elsewhere, headers={"Referer": "https://elsewhere.example/"}
    )
    assert response["Location"] == "/"


def test_reading_sets_no_cookie(client: Client, db: None) -> None:
    assert not client.get("/how-it-works/", headers=GERMAN).cookies


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("BREW", "/", 405, "Diese Methode gibt es hier nicht."),
        ("GET", "/?q=%00", 400, "Die Adresse enthält Zeichen, die nicht verwendet werden können."),
        ("GET", "/practices/none/", 404, "Hier ist nichts"),
        ("POST", "/accounts/logout/", 403, "Das Formular war zu alt"),
        ("GET", "/api/v1/nothing/", 404, "Unter dieser Adresse ist nichts."),
    ],
)
def test_an_error_is_told_in_german(
    method: str, path: str, status: int, words: str, db: None
) -> None:
    client = Client(enforce_csrf_checks=True)
    # Nothing may be left from the request before: it was in English.
    translation.activate("en")
    response = client.generic(method, path, headers=GERMAN)
    assert response.status_code == status
    assert words in response.content.decode()


def test_an_outage_is_told_in_german(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise OperationalError

    monkeypatch.setattr("calm_site.views.connection.cursor", fails)
    response = client.get("/health/", headers=GERMAN)
    assert response.status_code == 503
    assert '<html lang="de">' in response.content.decode()
    assert "Nichts ging verloren." in response.content.decode()


def test_a_form_with_a_mistake_answers_in_german(client: Client, db: None) -> None:
    response = client.post("/accounts/login/", {"login": "nobody"}, headers=GERMAN)
    page = response.content.decode()
    assert "Dieses Feld ist zwingend erforderlich." in page
    assert "This field" not in page


@pytest.mark.parametrize(
    ("language", "first", "neighbors", "last"),
    [
        ("en", "Austria", ("Norway", "Poland"), "Somewhere else"),
        ("de", "Belgien", ("Norwegen", "Österreich"), "Woanders"),
    ],
)
def test_places_are_in_the_order_of_the_readers_language(
    language: str, first: str, neighbors: tuple[str, str], last: str
) -> None:
    with translation.override(language):
        names = [str(name) for _code, name in SignupForm().fields["region"].widget.choices]
    assert (names[1], names[-1]) == (first, last)
    assert names.index(neighbors[1]) == names.index(neighbors[0]) + 1


def test_a_mail_is_in_the_language_of_the_page_that_asked_for_it(
    alice: Account, client: Client
) -> None:
    client.post("/accounts/password/reset/", {"email": alice.email}, headers=GERMAN)
    [sent] = mail.outbox
    assert sent.subject == f"{settings.SITE_NAME}: Ein neues Passwort"
    assert "Jemand, hoffentlich du, möchte ein neues Passwort." in sent.body


def test_the_staff_pages_are_in_english_whatever_the_reader_chose(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    alice.is_staff = alice.is_superuser = True
    alice.save()
    response = signed_in(alice).get("/admin/", headers=GERMAN)
    page = response.content.decode()
    assert response["Content-Language"] == "en"
    assert 'lang="en"' in page
    assert "Abmelden" not in page
