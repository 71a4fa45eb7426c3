"""The API's addresses, from both apps."""

from django.urls import include, path

urlpatterns = [
    path("", include("recommendations.api.urls")),
    path("", include("privacy_center.api.urls")),
]
