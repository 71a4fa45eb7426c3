"""Publishing other words for a purpose: nobody's yes to it is in force until it is renewed."""

from django.utils import timezone

from privacy_center.actions.notice import draft_notice, publish_notice
from privacy_center.purposes import Purpose


def suspend(purpose: Purpose) -> None:
    draft = draft_notice(purpose)
    for text in draft.texts.all():
        text.sentence += " (2)"
        text.save()
    publish_notice(draft, at=timezone.now())
