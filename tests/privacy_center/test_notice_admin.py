"""Notices in the admin: drafted, compared, previewed, and published for good."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import Group
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse
from django.utils.html import escape
from pytest_django import Settings

from calm_site.roles import DATA_SCIENTIST, EDITOR, PRIVACY_OFFICER
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import Account, Notice, NoticeText
from privacy_center.purposes import Purpose
from privacy_center.selectors.consent import purposes_in_force
from privacy_center.selectors.notice import live_notices, text_in
from tests.answer import Answer
from tests.conftest import NOW, choose
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
LIST = "/admin/privacy_center/notice/"
TRAIN = Purpose.LISTENING_TRAIN
SAYS = "Your history is counted together with other people's, every night."


@pytest.fixture
def desk(db: None, signed_in: SignedIn) -> Client:
    """The privacy officer's client."""
    account = Account.objects.create_user("officer@example.org", is_staff=True)
    account.groups.add(Group.objects.get(name=PRIVACY_OFFICER))
    return signed_in(account)


@pytest.fixture
def draft(db: None) -> Notice:
    return draft_notice(TRAIN)


def _page(notice: Notice, name: str = "change") -> str:
    return reverse(f"admin:privacy_center_notice_{name}", args=[notice.pk])


def _body(client: Client, notice: Notice, **changes: object) -> dict[str, object]:
    """What the page of a draft would send, with some fields changed."""
    context = client.get(_page(notice)).context
    form = context["adminform"].form
    body: dict[str, object] = {name: form[name].value() for name in form.fields}
    for inline in context["inline_admin_formsets"]:
        body |= {field.html_name: field.value() for field in inline.formset.management_form}
        for row in inline.formset.forms:
            body |= {field.html_name: field.value() for field in row}
    body |= changes
    return {name: value for name, value in body.items() if value not in (None, False)}


def _save(client: Client, notice: Notice, **changes: object) -> Answer:
    return client.post(_page(notice), _body(client, notice, **changes))


def _publish(client: Client, notice: Notice) -> Answer:
    read = client.get(_page(notice, "publish")).context["read"]
    return client.post(_page(notice, "publish"), {"read": read})


# The list, and the draft.


def test_the_list_has_a_line_for_every_purpose(desk: Client, draft: Notice) -> None:
    lines = desk.get(LIST).context["lines"]
    assert [line.purpose for line in lines] == list(Purpose)
    assert {line.live.version for line in lines} == {1}
    assert [line.draft for line in lines if line.draft] == [draft]


def test_a_new_version_is_a_draft_that_nobody_sees(desk: Client) -> None:
    answer = desk.post(f"{LIST}draft/{TRAIN}/")
    made = Notice.objects.get(purpose=TRAIN, version=2)
    assert answer["Location"] == _page(made)
    assert (made.published_at, live_notices()[TRAIN].version) == (None, 1)
    assert desk.post(f"{LIST}draft/{TRAIN}/")["Location"] == _page(made)


def test_a_draft_is_not_made_by_looking(desk: Client) -> None:
    with unchanged():
        assert desk.get(f"{LIST}draft/{TRAIN}/").status_code == 405
        assert desk.post(f"{LIST}draft/opera/").status_code == 404


def test_an_officer_edits_all_languages_and_the_facts_on_one_page(
    desk: Client, draft: Notice
) -> None:
    changes = {"texts-1-sentence": SAYS, "kinds": "listens\nfavorites\nratings", "valid_days": "90"}
    assert _save(desk, draft, **changes).status_code == 302
    draft.refresh_from_db()
    assert text_in(draft, "en").sentence == SAYS
    assert text_in(draft, "de").sentence == text_in(live_notices()[TRAIN], "de").sentence
    assert draft.processing["data"] == ["listens", "favorites", "ratings"]
    assert draft.valid_days == 90


def test_what_is_different_is_marked_in_words_and_signs(desk: Client, draft: Notice) -> None:
    _save(desk, draft, **{"texts-1-sentence": SAYS})
    page = desk.get(_page(draft)).content.decode()
    assert "<ins>+ every night.</ins>" in page
    assert "<del>− so that the site" in page


def test_a_language_without_a_text_has_an_empty_form(desk: Client, draft: Notice) -> None:
    NoticeText.objects.filter(notice=draft, language="de").delete()
    _save(desk, draft, **{"texts-0-sentence": SAYS})
    assert {text.language for text in draft.texts.all()} == {"en"}
    refused = desk.get(_publish(desk, draft)["Location"])
    assert "A text is missing in: Deutsch" in refused.content.decode()
    words = {"title": "Titel", "sentence": "Satz.", "statement": "Ja."}
    _save(desk, draft, **{f"texts-1-{name}": value for name, value in words.items()})
    assert text_in(draft, "de").title == "Titel"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("valid_days", "0"), ("valid_days", "3651"), ("valid_days", "9" * 30),
        ("valid_days", "many"), ("valid_days", ""), ("retention", "   "), ("retention", "a\u202eb"),
        ("retention", "x" * 201), ("kinds", "a\x07b"), ("kinds", "x" * 1001),
        ("legal_basis", "because"), ("special_category", "on"),
        ("legal_basis", "eu-gdpr:A9-2-a"),
    ],
)  # fmt: skip
def test_input_19_facts_that_cannot_be_meant_are_refused(
    desk: Client, draft: Notice, field: str, value: str
) -> None:
    with unchanged():
        answer = _save(desk, draft, **{field: value})
    assert answer.status_code == 200
    assert answer.context["adminform"].form.errors


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", " \t"), ("title", "a\u2066b"), ("title", "x" * 81),
        ("sentence", "\u200b"), ("sentence", "x" * 601), ("statement", "x" * 401),
        ("statement", "\x00"), ("language", "xx"), ("language", "en"),
    ],
)  # fmt: skip
def test_input_19_words_that_cannot_be_meant_are_refused(
    desk: Client, draft: Notice, field: str, value: str
) -> None:
    with unchanged():
        answer = _save(desk, draft, **{f"texts-0-{field}": value})
    assert answer.status_code == 200
    (inline,) = answer.context["inline_admin_formsets"]
    assert any(inline.formset.errors) or inline.formset.non_form_errors()


def test_a_mood_is_health_data_whatever_an_officer_ticks(desk: Client) -> None:
    mood = draft_notice(Purpose.MOOD_STORE)
    with unchanged():
        answer = _save(desk, mood, special_category=False, legal_basis="eu-gdpr:A6-1-a")
    assert "special_category" in answer.context["adminform"].form.errors


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_preview_shows_the_words_in_each_language(
    desk: Client, draft: Notice, language: str
) -> None:
    page = desk.get(_page(draft, "preview"), {"language": language})
    text = text_in(draft, language)
    assert page.status_code == 200
    for words in (text.title, text.sentence, text.statement):
        assert escape(words) in page.content.decode()
    assert desk.get(_page(draft, "preview"), {"language": "xx"}).status_code == 404


# Publishing.


def test_publishing_says_what_it_does_and_then_does_it(
    desk: Client, draft: Notice, alice: Account, bob: Account, settings: Settings
) -> None:
    settings.SMALLEST_GROUP = 2
    for account in (alice, bob):
        choose(account, "community")
    _save(desk, draft, **{"texts-1-sentence": SAYS})
    page = desk.get(_page(draft, "publish"))
    assert page.context["people"] == 2
    assert "2 people are asked again" in page.content.decode()
    assert TRAIN in purposes_in_force(alice.subject.id)
    assert _publish(desk, draft)["Location"] == LIST
    assert live_notices()[TRAIN].version == 2
    assert TRAIN not in purposes_in_force(alice.subject.id)
    line = next(line for line in desk.get(LIST).context["lines"] if line.purpose == TRAIN)
    assert (line.people, line.suspended, [n.version for n in line.earlier]) == (0, 2, [1])


def test_how_many_are_asked_is_not_said_of_a_few(
    desk: Client, draft: Notice, alice: Account
) -> None:
    choose(alice, "community")
    page = desk.get(_page(draft, "publish"))
    assert page.context["people"] is None
    assert "Fewer than twenty people are asked again" in page.content.decode()
    line = next(line for line in desk.get(LIST).context["lines"] if line.purpose == TRAIN)
    assert line.people is None


def test_looking_at_the_question_publishes_nothing(desk: Client, draft: Notice) -> None:
    _save(desk, draft, **{"texts-1-sentence": SAYS})
    with unchanged():
        assert desk.get(_page(draft, "publish")).status_code == 200


def test_input_34_a_draft_that_changed_since_it_was_read_is_not_published(
    desk: Client, draft: Notice
) -> None:
    _save(desk, draft, **{"texts-1-sentence": SAYS})
    read = desk.get(_page(draft, "publish")).context["read"]
    _save(desk, draft, **{"texts-1-sentence": "Something else, by somebody else."})
    with unchanged():
        answer = desk.post(_page(draft, "publish"), {"read": read})
    assert answer.status_code == 409
    assert "Something else" in answer.content.decode()


def test_a_draft_that_says_the_same_is_not_published(desk: Client, draft: Notice) -> None:
    assert _publish(desk, draft)["Location"] == _page(draft)
    assert live_notices()[TRAIN].version == 1


def test_a_published_version_is_read_and_never_changed(desk: Client, draft: Notice) -> None:
    body = _body(desk, draft)
    NoticeText.objects.filter(notice=draft, language="en").update(sentence=SAYS)
    publish_notice(draft, at=NOW)
    with unchanged():
        page = desk.get(_page(draft))
        assert page.status_code == 200
        assert not page.context["has_change_permission"]
        assert escape(SAYS) in page.content.decode()
        assert desk.post(_page(draft), body).status_code == 403
        assert desk.get(_page(draft, "publish")).status_code == 404
        assert desk.post(_page(draft, "publish"), {"read": "x"}).status_code == 404
    with pytest.raises(DatabaseError, match="for good"), transaction.atomic():
        NoticeText.objects.filter(notice=draft).update(sentence="Another.")


@pytest.mark.parametrize("role", [EDITOR, DATA_SCIENTIST])
def test_other_roles_neither_draft_nor_publish(
    signed_in: SignedIn, draft: Notice, role: str
) -> None:
    account = Account.objects.create_user("other@example.org", is_staff=True)
    account.groups.add(Group.objects.get(name=role))
    client = signed_in(account)
    with unchanged():
        assert client.get(LIST).status_code == 403
        assert client.post(f"{LIST}draft/{TRAIN}/").status_code == 403
        for name in ("change", "preview", "publish"):
            assert client.get(_page(draft, name)).status_code == 403
            assert client.post(_page(draft, name), {}).status_code == 403


def test_nobody_deletes_a_notice(desk: Client, draft: Notice) -> None:
    with unchanged():
        assert desk.post(_page(draft, "delete"), {"post": "yes"}).status_code == 403
        assert desk.post(LIST, {"action": "delete_selected"}).status_code == 403
