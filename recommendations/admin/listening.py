"""Stored behavior, of one person at a time, read-only. Check-ins are not here: how somebody felt is
never shown to staff."""

from django.contrib import admin

from privacy_center.interface import PersonalRowsAdmin
from recommendations.models import Favorite, HiddenPractice, Listen, Rating


@admin.register(Listen)
class ListenAdmin(PersonalRowsAdmin):
    list_display = ("started_at", "practice", "seconds", "completion", "is_excluded")
    list_filter = ("practice__kind",)
    list_select_related = ("practice",)
    ordering = ("-started_at",)


@admin.register(Rating)
class RatingAdmin(PersonalRowsAdmin):
    list_display = ("rated_at", "practice", "value")
    list_filter = ("value", "practice__kind")
    list_select_related = ("practice",)
    ordering = ("-rated_at",)


@admin.register(Favorite)
class FavoriteAdmin(PersonalRowsAdmin):
    list_display = ("created_at", "practice", "is_excluded")
    list_filter = ("practice__kind",)
    list_select_related = ("practice",)
    ordering = ("-created_at",)


@admin.register(HiddenPractice)
class HiddenPracticeAdmin(PersonalRowsAdmin):
    list_display = ("hidden_at", "practice")
    list_filter = ("practice__kind",)
    list_select_related = ("practice",)
    ordering = ("-hidden_at",)
