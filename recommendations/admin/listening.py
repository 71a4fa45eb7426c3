"""Stored behavior, by pseudonym, read-only."""

from django.contrib import admin

from privacy_center.interface import ReadOnlyAdmin
from recommendations.models import Favorite, Listen, Rating


@admin.register(Listen)
class ListenAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "practice", "seconds", "completion", "subject_id")
    list_filter = ("practice__kind",)
    list_select_related = ("practice",)
    ordering = ("-started_at",)


@admin.register(Rating)
class RatingAdmin(ReadOnlyAdmin):
    list_display = ("rated_at", "practice", "value", "subject_id")
    list_filter = ("value", "practice__kind")
    list_select_related = ("practice",)
    ordering = ("-rated_at",)


@admin.register(Favorite)
class FavoriteAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "practice", "subject_id")
    list_filter = ("practice__kind",)
    list_select_related = ("practice",)
    ordering = ("-created_at",)
