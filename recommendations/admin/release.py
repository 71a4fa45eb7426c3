"""Releases and what waits for the next one, for the data scientist."""

from django.contrib import admin

from privacy_center.interface import ReadOnlyAdmin
from recommendations.models import Release, TrainingChange


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at", "state", "people", "interactions", "practices", "ranking", "published_at",
    )  # fmt: skip
    list_filter = ("state", "algorithm")
    date_hierarchy = "started_at"

    @admin.display(description="nDCG@10")
    def ranking(self, release: Release) -> str:
        value = release.metrics.get("ndcg@10")
        return f"{value:.3f}" if value is not None else "–"


@admin.register(TrainingChange)
class TrainingChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind")
    list_filter = ("kind",)
    ordering = ("created_at",)
