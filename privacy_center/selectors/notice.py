"""The notices that are live: the highest published version of each purpose."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import prefetch_related_objects

from privacy_center.models import Notice, NoticeText
from privacy_center.purposes import Purpose

FIRST_LANGUAGE = "en"


def live_notices(purposes: Iterable[Purpose] = Purpose) -> dict[Purpose, Notice]:
    """The live notice of these purposes; its texts are read when they are asked for."""
    rows = (
        Notice.objects.filter(published_at__isnull=False, purpose__in=list(purposes))
        .order_by("purpose", "-version")
        .distinct("purpose")
    )
    return {Purpose(notice.purpose): notice for notice in rows}


def live_notices_with_texts() -> dict[Purpose, Notice]:
    """The same, with all texts, in two queries."""
    notices = live_notices()
    prefetch_related_objects(list(notices.values()), "texts")
    return notices


def superseded_at(notice: Notice, live: Notice) -> datetime | None:
    """When the version after this one was published; None for the live one."""
    if notice.pk == live.pk:
        return None
    if live.version == notice.version + 1:
        return live.published_at
    later = Notice.objects.filter(purpose=notice.purpose, version=notice.version + 1)
    return later.values_list("published_at", flat=True).get()


def text_in(notice: Notice, language: str) -> NoticeText:
    """The notice's words in a language, or in English where it has none in that."""
    texts = {text.language: text for text in notice.texts.all()}
    return texts.get(language.partition("-")[0]) or texts[FIRST_LANGUAGE]
