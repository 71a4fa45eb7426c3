"""The WSGI entry point (granian, `calm_site.wsgi:application`)."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "calm_site.settings")

application = get_wsgi_application()
