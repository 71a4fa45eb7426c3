"""The site: settings, urls, the Celery app, the embedded servers and the shared shell."""
