"""Version 1 of every purpose's notice, for a database that has none."""

import tomllib
from datetime import datetime
from pathlib import Path
from typing import Any

from privacy_center.models.notice import Notice, NoticeText, document_digest

FILE = Path(__file__).with_name("first_notices.toml")
LANGUAGES = ("en", "de")


def publish_first_notices(
    at: datetime, *, notices: type[Notice] = Notice, texts: type[NoticeText] = NoticeText
) -> None:
    """Publish version 1 where a purpose has no notice yet. Migrations give their own models."""
    there = set(notices._default_manager.values_list("purpose", flat=True))
    for purpose, words in tomllib.loads(FILE.read_text()).items():
        if purpose not in there:
            _publish(purpose, words, at, notices, texts)


def _publish(
    purpose: str,
    words: dict[str, Any],
    at: datetime,
    notices: type[Notice],
    texts: type[NoticeText],
) -> None:
    notice = notices(purpose=purpose, version=1, processing=words["processing"])
    document = {
        "purpose": purpose,
        "version": 1,
        "valid_days": notice.valid_days,
        "processing": notice.processing,
        "texts": {language: words[language] for language in LANGUAGES},
    }
    notice.save()
    texts._default_manager.bulk_create(
        texts(notice=notice, language=language, **words[language]) for language in LANGUAGES
    )
    notice.digest, notice.published_at = document_digest(document), at
    notice.save()
