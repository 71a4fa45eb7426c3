"""German pages say nothing in English: each is compared with the English page it stands for."""

from collections.abc import Callable, Iterable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from calm_site.management.commands import makemessages
from privacy_center.actions.consent import decide
from privacy_center.authorities import AUTHORITIES
from privacy_center.models import Account, ConsentRecord, Decision, Method
from privacy_center.purposes import Purpose
from privacy_center.sequencer import sequence
from recommendations.actions.listening import set_favorite
from recommendations.actions.taste import hide_practice
from recommendations.audit import audit
from recommendations.models import Label, Listen, Moment, Practice, Topic
from recommendations.trainer import train
from tests.calm_site.reading import GERMAN, read_page
from tests.conftest import choose, listen
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, share_mood
from tests.recommendations.suspending import suspend

PAGES = (
    "/", "/?intention=sleep", "/practices/", "/practices/?q=nothing-is-called-this",
    "/practices/?length=forever", "/favorites/", "/how-it-works/", "/accounts/login/",
    "/accounts/signup/", "/accounts/signup/passkey/", "/accounts/password/reset/",
    "/accounts/password/reset/done/", "/accounts/password/reset/key/1-no-such-key/", "/mail/",
    "/no/such/page/", "/?next=http://[", "/?q=%00", "/history/", "/privacy/", "/privacy/mood/",
    "/privacy/health-data/", "/privacy/evidence/", "/privacy/evidence/processing/",
    "/privacy/verify/", "/privacy/notices/listening:store/", "/privacy/notices/mood:store/",
)  # fmt: skip
COMPLAINTS = "www.atg.wa.gov/file-complaint"
COOKIES = ("clock", "session", "csrftoken", "messages", "language")
OWN_PAGES = (
    "/", "/favorites/", "/account/", "/accounts/email/", "/accounts/password/change/",
    "/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/history/",
    "/history/?q=nothing-is-called-this", "/taste/", "/mood/", "/privacy/",
    "/privacy/mood/", "/privacy/timeline/", "/privacy/timeline/?kind=access", "/privacy/receipts/",
)  # fmt: skip


def leftovers(client: Client, path: str) -> tuple[str, set[str]]:
    """The language of the German page, and what it says in the same words as the English one."""
    english = read_page(client.get(path).content.decode())
    german = read_page(client.get(path, headers=GERMAN).content.decode())
    assert english.language == "en"
    assert len(english.texts) > 10
    said = {text for text, _is_own in english.texts}
    return german.language, {text for text, is_own in german.texts if is_own and text in said}


def same_in_both() -> set[str]:
    """Words that German and English share, names, and the practices' own words."""
    catalog = makemessages.read("de")
    same = {str(message.id) for message in catalog if message.id == message.string}
    titles = set(Practice.objects.values_list("title", flat=True))
    tabs = {f"{title} · {settings.SITE_NAME}" for title in titles}
    topics = set(Topic.objects.values_list("name", flat=True))
    names = {name for _code, name in settings.LANGUAGES} | set(AUTHORITIES.values())
    names |= {settings.SITE_NAME, settings.CONTROLLER, COMPLAINTS, "alice@example.org", *COOKIES}
    return same | titles | tabs | topics | names


@pytest.mark.parametrize("path", PAGES)
def test_a_german_page_says_nothing_in_english(
    path: str, catalog: list[Practice], client: Client
) -> None:
    language, same = leftovers(client, path)
    assert language == "de"
    assert same - same_in_both() == set()


@pytest.mark.parametrize("path", OWN_PAGES)
def test_a_german_page_of_ones_own_says_nothing_in_english(
    path: str, alice: Account, catalog: list[Practice], signed_in: Callable[[Account], Client]
) -> None:
    listen(choose(alice, "just-for-me"), *catalog[:3])
    language, same = leftovers(signed_in(alice), path)
    assert language == "de"
    assert same - same_in_both() == set()


@pytest.fixture
def sharing(alice: Account, catalog: list[Practice], settings: Settings) -> Account:
    """Alice, who shares everything and has done a bit of everything; a release learned from her."""
    settings.SMALLEST_GROUP = 1
    person = choose(alice, "community")
    listen(person, *catalog[:3], *catalog[:2])
    Listen.objects.filter(practice=catalog[2]).update(is_excluded=True)
    set_favorite(person, catalog[1], is_favorite=True)
    hide_practice(person, catalog[3], is_hidden=True)
    person = share_mood(alice, STORE, PERSONALIZE, TRAIN)
    now = timezone.now()
    for moment, hours in ((Moment.BEFORE, 3), (Moment.AFTER, 2)):
        before = now - timedelta(hours=hours)
        feel(person, -1, 0, practice=catalog[0], moment=moment, at=before)
    feel(person, 1, -1, Label.GRATEFUL, Label.CALM, at=now)
    assert train(clock=timezone.now)
    sequence(clock=timezone.now)
    return alice


@pytest.mark.django_db(transaction=True)
def test_a_german_page_with_something_on_it_says_nothing_in_english(
    sharing: Account, catalog: list[Practice], signed_in: Callable[[Account], Client]
) -> None:
    client, practice = signed_in(sharing), catalog[0].get_absolute_url()
    record = ConsentRecord.objects.first()
    assert record is not None
    pages = ("/", practice, f"{practice}why/", f"/privacy/receipts/{record.id}/", *OWN_PAGES)
    assert leftovers_by_page(client, pages) == {}
    decide(sharing.subject.id, {TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    suspend(Purpose.LISTENING_STORE)
    paused = ("/", "/history/", "/privacy/", "/privacy/timeline/")
    assert leftovers_by_page(client, paused) == {}


@pytest.mark.django_db(transaction=True)
def test_a_certificate_says_nothing_in_english(
    sharing: Account, signed_in: Callable[[Account], Client]
) -> None:
    decide(sharing.subject.id, {TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    client, ended = signed_in(sharing), ConsentRecord.objects.get(decision=Decision.WITHDRAWN)
    page = f"/privacy/certificates/{ended.id}/"
    assert leftovers_by_page(client, [page]) == {}
    train(clock=timezone.now)
    audit(clock=timezone.now)
    assert f"{page}file/" in client.get(page).content.decode()
    assert leftovers_by_page(client, [page, "/privacy/", "/privacy/timeline/"]) == {}


def leftovers_by_page(client: Client, pages: Iterable[str]) -> dict[str, set[str]]:
    allowed = same_in_both()
    found = {page: leftovers(client, page)[1] - allowed for page in pages}
    return {page: texts for page, texts in found.items() if texts}


def test_before_the_first_choice_the_question_is_in_german(
    alice: Account, signed_in: Callable[[Account], Client]
) -> None:
    language, same = leftovers(signed_in(alice), "/privacy/welcome/")
    assert language == "de"
    assert same - same_in_both() == set()


def test_a_practice_keeps_its_own_words_and_says_in_which_language_they_are(
    practice: Practice, client: Client
) -> None:
    page = read_page(
        client.get("/practices/", {"q": practice.title}, headers=GERMAN).content.decode()
    )
    assert (practice.title, False) in page.texts
