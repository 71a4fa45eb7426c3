from datetime import timedelta
from uuid import uuid4
import pytest
from django.utils import timezone
from django.core.management import call_command
from recommendations.actions.listening import Heard, record_listens, set_favorite, rate_practice
from recommendations.actions.taste import exclude_practice, hide_practice
from recommendations.trainer import train
from tests.conftest import choose, person_of
from tests.journeys.stage import enter
pytestmark = pytest.mark.journey
SIZES = {"phone": {"width": 390, "height": 844}, "desk": {"width": 1280, "height": 800}}

def test_migrations_reverse(live_site, alice):
    call_command("migrate", "recommendations", "0003", verbosity=0)
    call_command("migrate", "recommendations", verbosity=0)

def test_shots(new_page, alice, bob, catalog):
    now = timezone.now()
    for account in (alice, bob):
        choose(account, "community", at=now - timedelta(days=400))
        who = person_of(account)
        heard = []
        for n in range(90):
            p = catalog[(n * n + 3) % (9 if n % 3 else 31)]
            whole = p.seconds_to_complete if n % 5 else p.seconds_to_complete // 3
            heard.append(Heard(uuid4(), p, now - timedelta(hours=9.3 * n * (1 + n / 40)), whole, whole))
        record_listens(who, heard)
        for p in catalog[3:6]:
            set_favorite(who, p, is_favorite=True)
        rate_practice(who, catalog[0], 4)
    train(clock=timezone.now)
    exclude_practice(person_of(alice), catalog[3])
    hide_practice(person_of(alice), catalog[40], is_hidden=True)
    for scheme in ("light", "dark"):
        for size, viewport in SIZES.items():
            page = new_page(color_scheme=scheme, viewport=viewport, timezone_id="Europe/Berlin")
            enter(page, alice)
            page.goto("/", wait_until="networkidle")
            for name in ("history", "taste", "history/?q=rain&month="):
                page.goto(f"/{name}" + ("" if "?" in name else "/"), wait_until="networkidle")
                page.screenshot(path=f"/tmp/shots/{name.split('/')[0]}{'-search' if '?' in name else ''}-{size}-{scheme}.png", full_page=True)
            page.context.close()

def test_device(new_page, catalog):
    from tests.journeys.test_history import _fill_device
    for scheme, size in (("light","phone"),("dark","desk")):
        page = new_page(color_scheme=scheme, viewport=SIZES[size])
        page.goto("/history/", wait_until="networkidle")
        _fill_device(page, catalog[:5])
        page.reload(wait_until="networkidle")
        page.screenshot(path=f"/tmp/shots/device-{size}-{scheme}.png", full_page=True)
        page.goto("/taste/", wait_until="networkidle")
        page.screenshot(path=f"/tmp/shots/notaste-{size}-{scheme}.png")
