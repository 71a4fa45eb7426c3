"""Addresses of the catalog and the shelves."""

from django.urls import path

from recommendations.views import favorite, history, home, mood, practice, rating, taste

app_name = "recommendations"

urlpatterns = [
    path("", home.home, name="home"),
    path("how-it-works/", home.how, name="how"),
    path("practices/", practice.library, name="library"),
    path("practices/<slug:slug>/", practice.practice, name="practice"),
    path("practices/<slug:slug>/why/", practice.why, name="why"),
    path("practices/<slug:slug>/favorite/", favorite.favorite, name="favorite"),
    path("practices/<slug:slug>/rating/", rating.rate, name="rate"),
    path("practices/<slug:slug>/check-in/", mood.check_in_beside, name="check-in-beside"),
    path("practices/<slug:slug>/taste/", taste.count, name="count"),
    path("practices/<slug:slug>/hidden/", taste.hide, name="hide"),
    path("favorites/", favorite.favorites, name="favorites"),
    path("history/", history.history, name="history"),
    path("history/delete/", history.delete, name="history-delete"),
    path("history/exclude/", history.exclude, name="history-exclude"),
    path("history/include/", history.include, name="history-include"),
    path("mood/", mood.mood, name="mood"),
    path("mood/check-in/", mood.check_in_now, name="check-in"),
    path("mood/delete/", mood.delete_all, name="mood-delete-all"),
    path("mood/<uuid:pk>/delete/", mood.delete, name="mood-delete"),
    path("taste/", taste.taste, name="taste"),
    path("taste/reset/", taste.reset, name="taste-reset"),
]
