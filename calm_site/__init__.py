"""The site: settings, urls, the Celery app, the embedded servers and the shared shell."""

from calm_site.celery import app as celery_app

__all__ = ["celery_app"]
