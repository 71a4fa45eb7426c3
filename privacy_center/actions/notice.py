"""Drafting and publishing notices."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from privacy_center.holders import holders
from privacy_center.models import Notice, NoticeText
from privacy_center.models.notice import document_digest
from privacy_center.purposes import Purpose


class NotPublishable(Exception):
    """The draft cannot be published. The message says why, for the officer."""


def draft_notice(purpose: Purpose) -> Notice:
    """The purpose's draft; made from its live version when there is none."""
    with transaction.atomic():
        # The first version is there always: whoever holds it drafts alone.
        Notice.objects.select_for_update(no_key=True).get(purpose=purpose, version=1)
        newest = Notice.objects.filter(purpose=purpose).order_by("-version")[0]
        if newest.published_at is None:
            return newest
        draft = Notice.objects.create(
            purpose=purpose,
            version=newest.version + 1,
            valid_days=newest.valid_days,
            processing=newest.processing,
        )
        NoticeText.objects.bulk_create(
            NoticeText(
                notice=draft,
                language=text.language,
                title=text.title,
                sentence=text.sentence,
                statement=text.statement,
            )
            for text in newest.texts.all()
        )
        return draft


def publish_notice(notice: Notice, *, at: datetime, read: str | None = None) -> Notice:
    """Make the draft the live version, for good. Every yes to the purpose is suspended until the
    person renews it, and holders act on that in the same transaction.

    `read` is the digest of what the officer read. Raises `NotPublishable` when that is not the
    draft any more, or it is published already, lacks a language, or says nothing new.
    """
    with transaction.atomic():
        draft = Notice.objects.select_for_update().get(pk=notice.pk)
        _check_publishable(draft)
        if read is not None and document_digest(draft.document) != read:
            raise NotPublishable(_("The draft has changed. Nothing was published; read it again."))
        draft.digest, draft.published_at = document_digest(draft.document), at
        draft.save()
        for holder in holders():
            holder.on_suspended(Purpose(draft.purpose))
        return draft


def _check_publishable(draft: Notice) -> None:
    if draft.published_at is not None:
        raise NotPublishable(_("This version is published already. Nothing was changed."))
    texts = {text.language: text for text in draft.texts.all()}
    missing = [name for code, name in settings.LANGUAGES if code not in texts]
    if missing:
        raise NotPublishable(
            _("A text is missing in: %(languages)s. Nothing was published.")
            % {"languages": ", ".join(map(str, missing))}
        )
    before = Notice.objects.filter(purpose=draft.purpose, version=draft.version - 1).first()
    if before and _words(before) == _words(draft):
        raise NotPublishable(_("It says the same as the version before. Nothing was published."))


def _words(notice: Notice) -> dict[str, object]:
    return notice.document | {"version": 0}
