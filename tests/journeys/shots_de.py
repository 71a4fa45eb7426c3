import pytest
from datetime import timedelta
from django.utils import timezone
from privacy_center.models import ConsentRecord
from privacy_center.sequencer import sequence
from recommendations.actions.listening import set_favorite
from recommendations.actions.taste import hide_practice
from recommendations.models import Label, Listen, Moment
from tests.conftest import choose, listen
from tests.recommendations.moods import PERSONALIZE, STORE, TRAIN, feel, share_mood
from tests.journeys.conftest import sign_in
pytestmark = [pytest.mark.journey, pytest.mark.django_db(transaction=True)]
@pytest.fixture
def shared(alice, catalog):
    person = choose(alice, "community")
    listen(person, *catalog[:3], *catalog[:2], at=timezone.now())
    Listen.objects.filter(practice=catalog[2]).update(is_excluded=True)
    set_favorite(person, catalog[1], is_favorite=True)
    hide_practice(person, catalog[3], is_hidden=True)
    person = share_mood(alice, STORE, PERSONALIZE, TRAIN, at=timezone.now())
    now = timezone.now()
    for moment, hours in ((Moment.BEFORE, 3), (Moment.AFTER, 2)):
        feel(person, -1, 0, practice=catalog[0], moment=moment, at=now - timedelta(hours=hours))
    feel(person, 1, -1, Label.GRATEFUL, Label.CALM, at=now)
    sequence(clock=timezone.now)
    return alice
def test_shots(shared, catalog, new_page):
    record = ConsentRecord.objects.first()
    for name, size in (("phone", (390, 844)), ("desk", (1280, 800))):
        page = new_page(locale="en-US", viewport={"width": size[0], "height": size[1]})
        page.goto("/")
        sign_in(page, shared)
        for path in ("/", "/history/", "/taste/", "/mood/", "/privacy/", "/privacy/mood/", "/privacy/timeline/", f"/privacy/receipts/{record.id}/", "/privacy/receipts/", "/privacy/evidence/", "/privacy/verify/", "/privacy/health-data/", catalog[0].get_absolute_url()):
            page.goto(path)
            w = page.evaluate("document.documentElement.scrollWidth")
            print(name, path, w)
            page.screenshot(path=f"/tmp/i18n/r2-{name}-{path.strip('/').replace('/', '_')[:24] or 'home'}.png", full_page=True)
