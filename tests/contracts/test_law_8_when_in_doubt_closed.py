"""Law 8: what cannot be read is a no; what cannot be verified is not served."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from privacy_center.interface import purposes_in_force
from privacy_center.models import Account, ConsentRecord, ConsentState
from recommendations.actions.listening import Heard, NotConsented, record_listens
from recommendations.model_files import release_dir
from recommendations.models import Listen, Practice, Release
from recommendations.selectors import release as release_selector
from recommendations.selectors.release import current_model
from recommendations.trainer import train
from tests.conftest import NOW, choose, listen, person_of
from tests.recommendations.learned import learned


def _report(practice: Practice) -> dict[str, object]:
    item = {"id": str(uuid4()), "practice": practice.slug, "started_at": "2026-01-05T21:00:00Z"}
    return {"listens": [{**item, "seconds": 60, "position": 60}]}


def _post(client: Client, practice: Practice) -> int:
    answer = client.post("/api/v1/listens/", _report(practice), content_type="application/json")
    return answer.status_code


def test_without_a_state_the_records_alone_allow_nothing(
    alice: Account, practice: Practice, signed_in: Callable[[Account], Client]
) -> None:
    before = choose(alice, "community")
    ConsentState.objects.filter(subject=alice.subject).delete()
    assert ConsentRecord.objects.filter(subject=alice.subject).exists()
    assert purposes_in_force(alice.subject.id) == {}
    with pytest.raises(NotConsented):
        record_listens(before, [Heard(uuid4(), practice, NOW, 60, 60)])
    assert _post(signed_in(alice), practice) == 403
    assert learned().people == 0
    assert not Listen.objects.exists()


def test_when_consent_cannot_be_read_nothing_is_stored_and_the_answer_is_503(
    alice: Account,
    practice: Practice,
    signed_in: Callable[[Account], Client],
) -> None:
    choose(alice, "community")
    client = signed_in(alice)

    def away(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if any(reads in sql for reads in ("consent_in_force", "consents_of", "served_to")):
            raise OperationalError("the server closed the connection")
        return execute(sql, *rest)

    with connection.execute_wrapper(away):
        assert _post(client, practice) == 503
        assert client.get("/").status_code == 503
    assert not Listen.objects.exists()


@pytest.mark.parametrize("what", ["missing", "damaged", "of another release", "empty"])
@pytest.mark.django_db(transaction=True)
def test_a_model_that_cannot_be_verified_is_not_served(
    what: str, alice: Account, catalog: list[Practice]
) -> None:
    listen(choose(alice, "community"), *catalog[:3])
    release = train(clock=timezone.now)
    assert release is not None
    file = release_dir() / release.file_name
    if what == "missing":
        file.unlink()
    elif what == "damaged":
        file.write_bytes(file.read_bytes()[:-1])
    elif what == "of another release":
        Release.objects.update(file_digest="0" * 64)
    else:
        file.write_bytes(b"")
    release_selector._loaded = None
    assert current_model(timezone.now()) is None
    assert Client().get("/").status_code == 200


def test_fault_42_after_the_cache_is_flushed_the_database_decides(
    alice: Account,
    bob: Account,
    practice: Practice,
    signed_in: Callable[[Account], Client],
) -> None:
    choose(alice, "community")
    choose(bob, "community")
    sharing, refusing = signed_in(alice), signed_in(bob)
    assert (_post(sharing, practice), _post(refusing, practice)) == (200, 200)
    choose(bob, "just-listening")
    cache.clear()
    assert (_post(sharing, practice), _post(refusing, practice)) == (200, 403)
    assert person_of(alice).can_train
    assert set(Listen.objects.values_list("subject_id", flat=True)) == {alice.subject.id}
