"""Addresses of the catalog and the shelves."""

from django.urls import path

from recommendations.views import favorite, home, practice, rating

app_name = "recommendations"

urlpatterns = [
    path("", home.home, name="home"),
    path("how-it-works/", home.how, name="how"),
    path("practices/", practice.library, name="library"),
    path("practices/<slug:slug>/", practice.practice, name="practice"),
    path("practices/<slug:slug>/why/", practice.why, name="why"),
    path("practices/<slug:slug>/favorite/", favorite.favorite, name="favorite"),
    path("practices/<slug:slug>/rating/", rating.rate, name="rate"),
    path("favorites/", favorite.favorites, name="favorites"),
]
