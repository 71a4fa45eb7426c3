"""Every address of the site. Each app has one urls.py of its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt
from django.views.i18n import set_language

from calm_site import views
from calm_site.media import media
from privacy_center.urls import ledger_urls
from privacy_center.views import gpc

urlpatterns = [
    path("", include("recommendations.urls")),
    path("privacy/", include("privacy_center.urls")),
    path("", include(ledger_urls)),
    path(".well-known/gpc.json", gpc.support, name="gpc"),
    path("api/v1/", include("calm_site.api_urls")),
    path("account/", views.account, name="account"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("health/", views.health, name="health"),
    # A guarded form on every page would set a cookie for everybody who only reads.
    path("language/", csrf_exempt(set_language), name="set_language"),
    path("media/<path:name>", media, name="media"),
]
if settings.IS_DEMO:
    urlpatterns.append(path("mail/", views.mailbox, name="mailbox"))

handler400 = "calm_site.views.bad_request"
handler404 = "calm_site.views.not_found"
handler500 = "calm_site.views.broken"
