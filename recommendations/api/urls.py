"""API addresses of the catalog and the shelves."""

from django.urls import path

from recommendations.api.history import HistoryView
from recommendations.api.listening import ListensView, RatingsView
from recommendations.api.mood import CheckInsView, CheckInView
from recommendations.api.practice import PracticesView
from recommendations.api.shelves import ShelvesView

urlpatterns = [
    path("practices/", PracticesView.as_view(), name="api-practices"),
    path("shelves/", ShelvesView.as_view(), name="api-shelves"),
    path("listens/", ListensView.as_view(), name="api-listens"),
    path("history/", HistoryView.as_view(), name="api-history"),
    path("ratings/", RatingsView.as_view(), name="api-ratings"),
    path("check-ins/", CheckInsView.as_view(), name="api-check-ins"),
    path("check-ins/<uuid:pk>/", CheckInView.as_view(), name="api-check-in"),
]
