"""The Celery app. Tasks carry ids and wake somebody up; the row in the database is the job."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

app = Celery("calm_site")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
