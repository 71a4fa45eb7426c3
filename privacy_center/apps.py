"""People's rights: subjects, consent, and the door through which other apps ask about them."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules


class PrivacyCenterConfig(AppConfig):
    name = "privacy_center"
    verbose_name = "Privacy center"

    def ready(self) -> None:
        # The checks of the data map register themselves.
        from privacy_center import data_map_checks  # noqa: F401

        autodiscover_modules("personal_data")
        post_migrate.connect(_publish_first_notices, sender=self)


def _publish_first_notices(**_: object) -> None:
    from privacy_center.first_notices import publish_first_notices

    publish_first_notices(timezone.now())
