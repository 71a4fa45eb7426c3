"""Addresses of the privacy center."""

from django.urls import path

from privacy_center.views import consent

app_name = "privacy_center"

urlpatterns = [
    path("", consent.privacy, name="privacy"),
    path("welcome/", consent.welcome, name="welcome"),
    path("preset/", consent.preset, name="preset"),
    path("decide/", consent.decide_one, name="decide"),
]
