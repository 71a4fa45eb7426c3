import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from playwright.sync_api import Page

from privacy_center.actions.consent import decide
from privacy_center.actions.gpc import honor_signal
from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.models import AgeBand, Method
from privacy_center.purposes import Purpose
from recommendations.trainer import train
from tests.conftest import choose, listen, make_account, person_of
from tests.journeys.stage import enter

OUT = Path("/tmp/shots_page"); OUT.mkdir(exist_ok=True)
ONLY = os.environ.get("ONLY", "")

def shoot(new_page, account, name, path, headers=None, full=True, setup=None):
    if ONLY and not any(o in name for o in ONLY.split(",")): return
    for vp, size in (("phone", {"width":390,"height":844}),("desk",{"width":1280,"height":800})):
        for scheme in ("light","dark"):
            if (vp,scheme) in (("phone","light"),("desk","dark")) and "all" not in os.environ.get("MODES",""):
                continue
            page = new_page(viewport=size, color_scheme=scheme, extra_http_headers=headers or {}, reduced_motion="reduce", timezone_id="UTC")
            if account: enter(page, account)
            page.clock.set_fixed_time("2026-11-24T12:00:00Z" if scheme=="light" else "2026-11-24T23:00:00Z")
            page.goto(path, wait_until="networkidle")
            if setup: setup(page)
            page.screenshot(path=OUT/f"{name}-{vp}-{scheme}.png", full_page=full)
            page.context.close()

def test_shots(new_page: Callable[..., Page], catalog, transactional_db) -> None:
    now = timezone.now()
    alice = make_account("alice")
    shoot(new_page, None, "anon", "/privacy/")
    shoot(new_page, None, "anon-gpc", "/privacy/", {"Sec-GPC": "1"})
    shoot(new_page, alice, "welcome", "/privacy/welcome/", setup=lambda p: p.locator(".dial-words summary").nth(2).click())
    choose(alice, "community", at=now - timedelta(days=200))
    listen(person_of(alice), *catalog[:40], at=now)
    listen(person_of(alice), *catalog[:20], at=now-timedelta(days=100))
    train(clock=timezone.now)
    decide(alice.subject.id, {Purpose.MOOD_STORE: True}, method=Method.PRIVACY_PAGE, at=now - timedelta(days=3))
    shoot(new_page, alice, "community", "/privacy/")
    shoot(new_page, alice, "mood", "/privacy/mood/")
    decide(alice.subject.id, {Purpose.LISTENING_TRAIN: False}, method=Method.PRIVACY_PAGE, at=timezone.now())
    shoot(new_page, alice, "ended", "/privacy/")
    train(clock=timezone.now)
    shoot(new_page, alice, "clean", "/privacy/")
    shoot(new_page, alice, "timeline", "/privacy/timeline/")
    decide(alice.subject.id, {Purpose.LISTENING_TRAIN: True}, method=Method.PRIVACY_PAGE, at=timezone.now())
    shoot(new_page, alice, "gpc", "/privacy/", {"Sec-GPC": "1"})
    decide(alice.subject.id, {Purpose.LISTENING_TRAIN: True}, method=Method.PRIVACY_PAGE, at=timezone.now())
    draft = draft_notice(Purpose.LISTENING_STORE)
    for t in draft.texts.all():
        t.sentence += " And where you stopped."; t.save()
    publish_notice(draft, at=timezone.now())
    draft = draft_notice(Purpose.MOOD_STORE)
    for t in draft.texts.all():
        t.sentence += " Nobody else reads them."; t.save()
    publish_notice(draft, at=timezone.now())
    shoot(new_page, alice, "suspended", "/privacy/")
    shoot(new_page, alice, "banner", "/practices/", full=False)
    dora = make_account("dora", band=AgeBand.BELOW_CONSENT)
    shoot(new_page, dora, "dora", "/privacy/")
