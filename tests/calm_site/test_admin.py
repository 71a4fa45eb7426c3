"""The admin: who gets in, what each role sees and may do, and what an editor can upload."""

import io
import struct
import wave
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st
from pytest_django import Settings

from calm_site.roles import DATA_SCIENTIST, EDITOR, PRIVACY_OFFICER
from privacy_center.models import Account, Erasure, LedgerAudit, StaffAccess
from privacy_center.sequencer import sequence
from recommendations.actions.listening import rate_practice, set_favorite
from recommendations.actions.taste import hide_practice
from recommendations.models import ModelAudit, Practice, Release, Topic, VectorChange
from recommendations.models.practice import AUDIO_SUFFIXES, check_audio
from tests.answer import Answer
from tests.conftest import NOW, choose, listen
from tests.unchanged import unchanged

SignedIn = Callable[[Account], Client]
ADD = "/admin/recommendations/practice/add/"
PRACTICES = "/admin/recommendations/practice/"
VIEW, WRITE = {"view"}, {"view", "add", "change"}

# What each role finds on its desk, and may do with it.
DESKS: dict[str, dict[str, set[str]]] = {
    EDITOR: {"Practice": WRITE | {"delete"}, "Topic": WRITE},
    PRIVACY_OFFICER: {
        "DataSubject": VIEW, "ConsentRecord": VIEW, "ConsentState": VIEW, "Release": VIEW,
        "VectorChange": VIEW, "Listen": VIEW, "Rating": VIEW, "Favorite": VIEW,
        "HiddenPractice": VIEW, "StaffAccess": VIEW | {"add"}, "Notice": VIEW | {"change"},
        "LedgerEntry": VIEW, "LedgerCheckpoint": VIEW, "LedgerKey": VIEW, "LedgerAudit": VIEW,
        "Erasure": VIEW,
        "ModelAudit": VIEW,
    },
    DATA_SCIENTIST: {
        "Release": VIEW, "VectorChange": VIEW, "ModelAudit": VIEW, "Practice": VIEW, "Topic": VIEW,
    },
}  # fmt: skip
OWN_APPS = {"privacy_center", "recommendations"}
OWN_MODELS = [model for model in admin.site._registry if model._meta.app_label in OWN_APPS]
PERSONAL = [
    "DataSubject", "ConsentRecord", "ConsentState", "Listen", "Rating", "Favorite",
    "HiddenPractice",
]  # fmt: skip
READ_ONLY = [
    *PERSONAL, "Release", "VectorChange", "LedgerEntry", "LedgerCheckpoint", "LedgerKey",
    "LedgerAudit", "ModelAudit", "Erasure",
]  # fmt: skip
# The view of live consents, hashes between leaves and root, words that are on their notice's page,
# how people felt, what each contributed, and what is the machinery's own.
WITHOUT_A_DESK = {
    "ConsentInForce", "LedgerNode", "NoticeText", "CheckIn", "TrainingVector", "ModelState",
    "CatalogEdition",
}  # fmt: skip


@pytest.fixture
def staff(db: None, signed_in: SignedIn) -> Callable[[str], Client]:
    """A client for a member of staff with a role; with none for an empty name."""

    def with_role(role: str) -> Client:
        account = Account.objects.create_user(f"{uuid4().hex}@example.org", is_staff=True)
        if role:
            account.groups.add(Group.objects.get(name=role))
        return signed_in(account)

    return with_role


@pytest.fixture
def root(db: None, signed_in: SignedIn) -> Client:
    return signed_in(Account.objects.create_superuser("root@example.org"))


@pytest.fixture
def rows(alice: Account, practice: Practice) -> None:
    """At least one row of every model of ours."""
    person = choose(alice, "community")
    listen(person, practice)
    rate_practice(person, practice, 4)
    set_favorite(person, practice, is_favorite=True)
    hide_practice(person, practice, is_hidden=True)
    sequence(clock=lambda: NOW)
    LedgerAudit.objects.create(started_at=NOW)
    Erasure.objects.create(
        number="1", mark=b"1", state="cancelled", asked_at=NOW, due_at=NOW, language="en"
    )
    Release.objects.create(started_at=NOW, algorithm="ease", regularization=300.0)
    ModelAudit.objects.create(at=NOW, digest="0", rebuild_digest="0", people=25, seconds=1.0)
    assert VectorChange.objects.exists()


def _desk(client: Client) -> dict[str, set[str]]:
    answer = client.get("/admin/")
    assert answer.status_code == 200
    return {
        model["object_name"]: {name for name, has in model["perms"].items() if has}
        for app in answer.context["app_list"]
        for model in app["models"]
    }


def _address(model: type[Model], action: str, *args: object) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{action}", args=args)


def _pages(model: type[Model]) -> dict[str, str]:
    """The changelist, the page to add, and the page of some row."""
    row = model._base_manager.first()
    pages = {"view": _address(model, "changelist"), "add": _address(model, "add")}
    return pages | ({"change": _address(model, "change", row.pk)} if row else {})


def _open_alice(client: Client, alice: Account) -> None:
    """Give a reason, where the role may."""
    body = {"subject": str(alice.subject.id), "reason": "She asked what we hold."}
    client.post(_address(StaffAccess, "add"), body)


# Who gets in.


def test_without_signing_in_one_is_asked_to(db: None) -> None:
    for path in ("/admin/", PRACTICES, "/admin/login/"):
        answer = Client().get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=%2Fadmin%2F")
        assert answer.status_code == 200


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/login/", PRACTICES, ADD, "/admin/nowhere/", "/admin/jsi18n/",
             "/admin/password_change/"],
)  # fmt: skip
def test_input_50_for_a_person_who_is_not_staff_there_is_no_admin(
    alice: Account, signed_in: SignedIn, path: str
) -> None:
    client = signed_in(alice)
    with unchanged():
        assert client.get(path).status_code == 404
        assert client.post(path, {}).status_code == 404


def test_a_closed_staff_account_does_not_get_in(staff: Callable[[str], Client]) -> None:
    client = staff(EDITOR)
    Account.objects.update(is_active=False)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")


# What each role sees.


@pytest.mark.parametrize("role", DESKS)
def test_a_role_sees_exactly_its_models(staff: Callable[[str], Client], role: str) -> None:
    assert _desk(staff(role)) == DESKS[role]


def test_staff_without_a_role_see_nothing(staff: Callable[[str], Client]) -> None:
    assert _desk(staff("")) == {}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("role", ["", *DESKS])
def test_every_page_of_a_model_opens_for_the_role_that_may_and_for_no_other(
    staff: Callable[[str], Client], alice: Account, role: str
) -> None:
    client = staff(role)
    _open_alice(client, alice)
    desk = DESKS.get(role, {})
    for model in admin.site._registry:
        may = desk.get(model.__name__, set())
        for action, path in _pages(model).items():
            is_open = "view" in may if action == "change" else action in may
            assert client.get(path).status_code == (200 if is_open else 403), path


@pytest.mark.usefixtures("rows")
def test_every_page_of_every_model_opens_for_a_superuser(root: Client, alice: Account) -> None:
    _open_alice(root, alice)
    own = {model for app in OWN_APPS for model in apps.get_app_config(app).get_models()}
    seen = set()
    for model in admin.site._registry:
        for action, path in _pages(model).items():
            status = root.get(path).status_code
            is_written_by_the_site = (
                model.__name__ in (*READ_ONLY, "Notice") or model._meta.app_label == "axes"
            )
            assert status == (403 if action == "add" and is_written_by_the_site else 200), path
            seen.add((model, action))
    assert {m.__name__ for m in own if (m, "change") not in seen} == WITHOUT_A_DESK


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", READ_ONLY)
def test_input_50_what_people_did_and_decided_is_read_only_for_everybody(
    root: Client, alice: Account, name: str
) -> None:
    model = next(m for m in admin.site._registry if m.__name__ == name)
    row = model._base_manager.all()[0]
    _open_alice(root, alice)
    with unchanged():
        for action in ("change", "delete"):
            answer = root.post(_address(model, action, row.pk), {"post": "yes", "value": "1"})
            assert answer.status_code == 403
        assert root.post(_address(model, "add"), {}).status_code == 403
        bulk = {"action": "delete_selected", "_selected_action": str(row.pk), "post": "yes"}
        assert root.post(_address(model, "changelist"), bulk).status_code == 403


@pytest.mark.usefixtures("rows")
def test_behavior_is_shown_by_pseudonym_only(
    staff: Callable[[str], Client], alice: Account
) -> None:
    client = staff(PRIVACY_OFFICER)
    _open_alice(client, alice)
    for name in DESKS[PRIVACY_OFFICER]:
        model = next(m for m in admin.site._registry if m.__name__ == name)
        for action, path in _pages(model).items():
            if action != "add":
                assert alice.email not in client.get(path).content.decode()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("name", PERSONAL)
def test_a_list_of_people_is_a_list_of_nobody_until_one_is_chosen(
    root: Client, alice: Account, name: str
) -> None:
    model = next(m for m in admin.site._registry if m.__name__ == name)
    key = "id" if name == "DataSubject" else "subject_id"
    _open_alice(root, alice)
    answer = root.get(_address(model, "changelist"))
    assert answer.status_code == 200
    assert "cl" not in answer.context
    one = root.get(_address(model, "changelist"), {key: str(alice.subject.id)})
    assert one.context["cl"].result_count > 0


HAND_MADE = [
    "title__regex=(", "slug__iregex=[", "title__trigram_similar=a", "title__range=a",
    "content__0__gt=x", "place__lt=" + "9" * 400, "started_at__second=x", "note__regex=(",
    "email__regex=(", "since__week_day=x", "seconds__in=1,x", "key_id__regex=*",
]  # fmt: skip


def test_no_lookup_made_by_hand_breaks_a_list(
    transactional_db: None, root: Client, catalog: list[Practice]
) -> None:
    for model in OWN_MODELS:
        for query in HAND_MADE:
            answer = root.get(f"{_address(model, 'changelist')}?{query}")
            assert answer.status_code in (200, 302, 400), query
    assert root.get(f"{PRACTICES}?title__regex=(").status_code == 400


def test_input_02_rows_that_cannot_be_meant_are_refused_in_a_bulk_action(
    transactional_db: None, root: Client, catalog: list[Practice]
) -> None:
    with unchanged():
        for key in ("x", "9" * 30, "9" * 5000, "%00", "-1", ""):
            bulk = {"action": "delete_selected", "_selected_action": key, "post": "yes"}
            assert root.post(PRACTICES, bulk).status_code in (302, 400), key


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    "query",
    [
        "q=%27%22", "p=9999999", "p=many", "o=99", "o=%27", "e=1", "all=",
        "recorded_at__year=9999&recorded_at__month=12&recorded_at__day=31",
        "recorded_at__year=0", "recorded_at__year=99999999999", "started_at__year=many",
        "ordering=user__password", "account__password__startswith=a", "subject__account__email=a",
        "kind__exact=opera", "is_published__exact=9", "practice__kind__exact=" + "9" * 5000,
        "_popup=1", "_to_field=password", "_facets=True", "id__in=1,2,x",
    ],
)  # fmt: skip
def test_no_query_breaks_a_list(root: Client, query: str) -> None:
    for model in OWN_MODELS:
        path = f"{_address(model, 'changelist')}?{query}"
        assert root.get(path).status_code < 500, path


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize("key", ["0", "x", "9" * 30, "9" * 5000, "_00", "../", "%2e", "a" * 300])
def test_no_key_breaks_a_page(root: Client, key: str) -> None:
    for model in OWN_MODELS:
        path = f"{_address(model, 'changelist')}{key}/change/"
        assert root.get(path).status_code in (302, 404), path


# What an editor does.


def _wav(seconds: float = 1.0, *, rate: int = 8000) -> bytes:
    """Silence, 8 bit mono."""
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(b"\x80" * round(seconds * rate))
    return file.getvalue()


@pytest.fixture
def editor(staff: Callable[[str], Client], catalog: list[Practice]) -> Client:
    return staff(EDITOR)


@pytest.fixture(autouse=True)
def media_root(settings: Settings, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path / "media"


def _add(client: Client, **changes: object) -> Answer:
    body: dict[str, object] = {
        "title": "Slow bells",
        "slug": "slow-bells",
        "summary": "Three bells, far apart.",
        "kind": "soundscape",
        "intention": "calm",
        "topics": [str(Topic.objects.values_list("pk", flat=True)[0])],
        "seconds": "60",
        "content": "{}",
        "place": "5",
        "is_published": "on",
    }
    return client.post(ADD, {k: v for k, v in (body | changes).items() if v is not None})


def _refused(answer: Answer, *fields: str) -> None:
    assert answer.status_code == 200
    assert set(answer.context["adminform"].form.errors) == set(fields)


def _upload(content: bytes, name: str = "bells.wav") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="audio/wav")


def test_an_editor_adds_a_practice_with_a_recording_and_people_can_play_it(
    editor: Client,
) -> None:
    sound = _wav()
    assert _add(editor, audio=_upload(sound))["Location"] == PRACTICES
    practice = Practice.objects.get(slug="slow-bells")
    assert not practice.file_digest
    page = Client().get("/practices/slow-bells/")
    assert page.status_code == 200
    assert practice.audio.url in page.content.decode()
    answer = Client().get(practice.audio.url)
    assert (answer.status_code, answer["Content-Type"]) == (200, "audio/wav")
    assert answer.getvalue() == sound
    part = Client().get(practice.audio.url, headers={"range": "bytes=0-3"})
    assert (part.status_code, part.getvalue()) == (206, b"RIFF")


def test_an_editor_changes_and_takes_back_a_practice(editor: Client) -> None:
    _add(editor)
    practice = Practice.objects.get(slug="slow-bells")
    path = _address(Practice, "change", practice.pk)
    assert editor.get(path).status_code == 200
    form = editor.get(path).context["adminform"].form
    body = {name: form.initial.get(name) or "" for name in form.fields}
    body |= {"topics": [t.pk for t in practice.topics.all()], "title": "Bells", "is_published": ""}
    body |= {"content": "{}", "audio": ""}
    assert editor.post(path, body).status_code == 302
    practice.refresh_from_db()
    assert (practice.title, practice.is_published) == ("Bells", False)
    assert Client().get("/practices/slow-bells/").status_code == 404


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bells.wav", b""),
        ("bells.wav", b"no sound at all"),
        ("bells.mp3", b"\x00" * 5000),
        ("bells.ogg", _wav()[:30]),
        ("bells.wav", _wav(0)),
        ("bells.exe", _wav()),
        ("bells", _wav()),
        ("bells.wav.html", _wav()),
        ("bells.svg", b"<svg onload=alert(1)>"),
        ("bells.wav", _wav(3 * 3600 + 60, rate=1)),
    ],
    ids=["empty", "text", "zeros", "torn", "silent", "exe", "bare", "html", "svg", "3 hours"],
)
def test_a_file_that_is_not_sound_of_a_sensible_length_is_refused(
    editor: Client, media_root: Path, name: str, content: bytes
) -> None:
    with unchanged():
        _refused(_add(editor, audio=_upload(content, name)), "audio")
    assert not media_root.exists()


def test_a_file_that_is_too_large_is_refused(
    editor: Client, media_root: Path, settings: Settings
) -> None:
    settings.AUDIO_MAX_BYTES = 20_000
    with unchanged():
        _refused(_add(editor, audio=_upload(_wav(3))), "audio")
        settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000
        assert _add(editor, audio=_upload(_wav(3))).status_code == 413
    assert not media_root.exists()


def test_a_file_cannot_leave_its_folder(editor: Client, media_root: Path) -> None:
    _add(editor, audio=_upload(_wav(), "../../../escaped.wav"))
    assert Practice.objects.get(slug="slow-bells").audio.name == "audio/escaped.wav"
    assert [path.name for path in media_root.rglob("*.wav")] == ["escaped.wav"]


@effort(deadline=None)
@given(
    content=st.binary(max_size=400), suffix=st.sampled_from(AUDIO_SUFFIXES), at=st.integers(0, 60)
)
def test_no_file_breaks_the_check(content: bytes, suffix: str, at: int) -> None:
    torn = _wav(0.01)[:at] + content
    heads = (b"", b"ID3\x04\x00\x00", b"OggS", b"fLaC", b"\x00\x00\x00 ftypM4A ", b"\xff\xfb\x90")
    for head in heads:
        for raw in (head + content, torn):
            with suppress(ValidationError):
                check_audio(_upload(raw, f"sound{suffix}"))


def test_a_length_that_lies_is_refused() -> None:
    sound = bytearray(_wav(1))
    sound[24:28] = struct.pack("<I", 0)
    with pytest.raises(ValidationError):
        check_audio(_upload(bytes(sound)))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""), ("title", "   "), ("title", "\u202eslleb"), ("title", "a\x07b"),
        ("title", "a\u2066b"), ("title", "bells\0"), ("title", "x" * 81), ("title", "a\r\nb"),
        ("summary", "\t \n"), ("summary", "\u200fbells"), ("summary", "x" * 141),
        ("slug", "Slow bells"), ("slug", "steady-rain"), ("slug", "x" * 65), ("slug", ""),
        ("kind", "opera"), ("intention", "joy"), ("voice", "loud"),
        ("seconds", "many"), ("seconds", "9"), ("seconds", "-60"), ("seconds", "9" * 30),
        ("seconds", "9" * 5000), ("seconds", "1e3"), ("seconds", "NaN"), ("seconds", "true"),
        ("place", "-1"), ("place", "9" * 30), ("topics", "999999999"), ("topics", "x"),
        ("soundscape", "9" * 30), ("content", "{"), ("content", '{"a": NaN}'), ("content", "[1]"),
        ("content", '"\\ud800"'), ("content", '{"a": "\\u0000"}'), ("content", "[" * 100_000),
        ("content", '{"a": ' + "9" * 5000 + "}"), ("content", '{"lines": 5}'), ("content", "5"),
        ("content", '{"lines": ["a"]}'), ("content", '{"layers": {}}'), ("content", '{"a": 1e999}'),
    ],
)  # fmt: skip
def test_input_02_to_19_a_field_that_cannot_be_meant_is_refused(
    editor: Client, field: str, value: str
) -> None:
    with unchanged():
        _refused(_add(editor, **{field: value}), field)


def test_input_05_21_an_editor_reaches_nothing_else(editor: Client, alice: Account) -> None:
    with unchanged():
        for model in (Account, Group, Release):
            assert editor.get(_address(model, "changelist")).status_code == 403
            assert (
                editor.post(_address(model, "add"), {"email": "a@example.org"}).status_code == 403
            )
        assert editor.get(_address(Account, "change", alice.pk)).status_code == 403


@pytest.mark.parametrize(
    "content",
    ["", "{}", "null", '{"lines": [{"at": 0, "text": "Breathe.", "seconds": 2}]}', '{"rounds": 3}'],
)
def test_every_content_that_is_kept_has_a_page(editor: Client, content: str) -> None:
    assert _add(editor, content=content).status_code == 302
    assert Client().get("/practices/slow-bells/").status_code == 200
    assert Client().get("/practices/slow-bells/why/").status_code == 200


def test_the_list_is_edited_in_place(editor: Client, catalog: list[Practice]) -> None:
    form = editor.get(PRACTICES, {"q": "steady-rain"}).context["cl"].formset
    prefix = form.prefix
    body = {f"{prefix}-TOTAL_FORMS": "1", f"{prefix}-INITIAL_FORMS": "1", "_save": "Save"}
    pk = next(p.pk for p in catalog if p.slug == "steady-rain")
    body |= {f"{prefix}-0-id": str(pk), f"{prefix}-0-place": "3"}
    assert editor.post(f"{PRACTICES}?q=steady-rain", body).status_code == 302
    changed = Practice.objects.get(pk=pk)
    assert (changed.place, changed.is_published) == (3, False)
