"""API addresses of the privacy center."""

from django.urls import path

from privacy_center.api.consent import ConsentView

urlpatterns = [path("consent/", ConsentView.as_view(), name="api-consent")]
