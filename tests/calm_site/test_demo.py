"""The demo: everybody in it chose a preset, and whoever chose nothing left no trace."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from calm_site import demo as demo_loader
from calm_site.demo import PASSWORD, SIGN_INS, is_loaded, load_people
from privacy_center.models import Account, ConsentRecord, ConsentState, DataSubject, Method
from privacy_center.purposes import MOOD, PRESETS, Purpose
from recommendations.models import CheckIn, Favorite, Listen, Practice, Rating, Release
from tests.conftest import NOW, person_of

COUNT = 20
STORED = (Listen, Rating, Favorite)


@pytest.fixture
def demo(catalog: list[Practice]) -> None:
    """A small demo."""
    assert list(load_people(now=NOW, count=COUNT)) == list(range(1, COUNT + 1))


def test_everybody_is_marked_synthetic_and_decided(demo: None) -> None:
    with_preset = sum(sign_in.preset is not None for sign_in in SIGN_INS)
    assert DataSubject.objects.count() == COUNT + with_preset
    assert not DataSubject.objects.filter(is_synthetic=False).exists()
    assert set(ConsentRecord.objects.values_list("method", flat=True)) == {Method.DEMO}
    undecided = set(DataSubject.objects.values_list("pk", flat=True)) - set(
        ConsentState.objects.values_list("subject_id", flat=True)
    )
    assert not undecided


def test_nobody_who_stores_nothing_has_a_row(demo: None) -> None:
    storing = set(
        ConsentState.objects.filter(purpose="listening:store", decision="given").values_list(
            "subject_id", flat=True
        )
    )
    refusing = set(DataSubject.objects.values_list("pk", flat=True)) - storing
    assert len(refusing) > COUNT / 10
    for table in STORED:
        found = set(table._default_manager.values_list("subject_id", flat=True))
        assert found
        assert found <= storing


def test_every_preset_has_a_person_with_a_history_only_where_it_may_be_stored(demo: None) -> None:
    for preset in PRESETS:
        account = Account.objects.get(email=f"{preset.key}@example.org")
        person = person_of(account)
        shares_all = Purpose.LISTENING_TRAIN in preset.purposes
        assert frozenset(person.consents) == preset.purposes | frozenset(MOOD if shares_all else ())
        assert CheckIn.objects.filter(subject_id=account.subject.id).exists() == shares_all
        assert Listen.objects.filter(subject_id=account.subject.id).exists() == person.can_store


def test_every_sign_in_works_and_staff_alone_sees_the_admin(demo: None) -> None:
    for sign_in in SIGN_INS:
        client = Client()
        form = {"login": sign_in.email, "password": PASSWORD}
        assert client.post("/accounts/login/", form).status_code == 302, sign_in.email
        assert client.get("/account/").status_code == 200, sign_in.email
        expected = 200 if sign_in.role else 404
        assert client.get("/admin/").status_code == expected, sign_in.email


def test_one_staff_member_has_each_role_and_no_data_subject(demo: None) -> None:
    staff = Account.objects.filter(is_staff=True)
    roles = [list(account.groups.values_list("name", flat=True)) for account in staff]
    assert sorted(role for (role,) in roles) == sorted(s.role for s in SIGN_INS if s.role)
    assert not DataSubject.objects.filter(account__in=staff).exists()


def test_a_load_that_breaks_leaves_nothing(
    catalog: list[Practice], monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo_loader, "_add_sign_in", breaks)
    with pytest.raises(KeyboardInterrupt):
        list(load_people(now=NOW, count=5))
    assert not DataSubject.objects.exists()
    assert not is_loaded()


@pytest.mark.django_db(transaction=True)
def test_load_demo_trains_and_a_second_time_adds_nothing(catalog: list[Practice]) -> None:
    first, second = StringIO(), StringIO()
    call_command("load_demo", people=COUNT, stdout=first)
    people = DataSubject.objects.count()
    call_command("load_demo", people=COUNT, stdout=second)
    assert DataSubject.objects.count() == people
    assert Release.objects.get().state == Release.State.ACTIVE
    assert Release.objects.get().people > COUNT / 5
    for sign_in in SIGN_INS:
        assert sign_in.email in second.getvalue()
    assert PASSWORD in second.getvalue()


def test_a_site_that_is_no_demo_refuses(db: None, settings: Settings) -> None:
    settings.IS_DEMO = False
    with pytest.raises(CommandError, match="not a demo"):
        call_command("load_demo")
    assert not DataSubject.objects.exists()
