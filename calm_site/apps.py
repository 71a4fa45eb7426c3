"""The shared shell as an app: templates, static files, the staff roles, and their site."""

from django.apps import AppConfig, apps
from django.contrib.admin.apps import AdminConfig
from django.contrib.staticfiles.apps import StaticFilesConfig
from django.db.models.signals import post_migrate


class CalmSiteConfig(AppConfig):
    name = "calm_site"

    def ready(self) -> None:
        # Tasks are shared: they belong to the app that is current, and this makes it so.
        from calm_site import celery  # noqa: F401
        from calm_site.roles import create_roles

        # An app without models gets no signal of its own; the accounts' app stands for it.
        post_migrate.connect(create_roles, sender=apps.get_app_config("privacy_center"))


class StaffConfig(AdminConfig):
    default_site = "calm_site.staff.StaffSite"


class CollectedFilesConfig(StaticFilesConfig):
    # Nothing serves these, compressing them takes seconds, and some import what is not there.
    ignore_patterns = [*StaticFilesConfig.ignore_patterns, "rest_framework", "ext", "htm*x-4*"]
