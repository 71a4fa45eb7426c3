"""What every template may use: the site's name, the practices' language, who is looking."""

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from calm_site.middleware import LOOPBACK
from privacy_center.interface import person


def site(request: HttpRequest) -> dict[str, object]:
    """Context processor. `person` costs a query only on pages that use it (and only once)."""
    return {
        "site_name": settings.SITE_NAME,
        "catalog_language": settings.CATALOG_LANGUAGE,
        "has_mailbox": settings.IS_DEMO and request.META["REMOTE_ADDR"] in LOOPBACK,
        "person": SimpleLazyObject(lambda: person(request)),
    }
