"""Every address of the site. Each app has one urls.py of its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path

from calm_site import views
from calm_site.media import media

urlpatterns = [
    path("", include("recommendations.urls")),
    path("privacy/", include("privacy_center.urls")),
    path("api/v1/", include("calm_site.api_urls")),
    path("account/", views.account, name="account"),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("health/", views.health, name="health"),
    path("media/<path:name>", media, name="media"),
]
if settings.IS_DEMO:
    urlpatterns.append(path("mail/", views.mailbox, name="mailbox"))

handler400 = "calm_site.views.bad_request"
handler404 = "calm_site.views.not_found"
handler500 = "calm_site.views.broken"
