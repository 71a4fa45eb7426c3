"""People's rights: subjects, consent, and the door through which other apps ask about them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import timezone


class PrivacyCenterConfig(AppConfig):
    name = "privacy_center"
    verbose_name = "Privacy center"

    def ready(self) -> None:
        post_migrate.connect(_publish_first_notices, sender=self)


def _publish_first_notices(**_: object) -> None:
    from privacy_center.first_notices import publish_first_notices

    publish_first_notices(timezone.now())
