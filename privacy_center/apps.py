"""People's rights: subjects, consent, and the door through which other apps ask about them."""

from django.apps import AppConfig


class PrivacyCenterConfig(AppConfig):
    name = "privacy_center"
    verbose_name = "Privacy center"
