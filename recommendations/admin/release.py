"""Releases and what waits for the next one, for the data scientist."""

from django.contrib import admin

from privacy_center.interface import ReadOnlyAdmin
from recommendations.models import Release, TrainingChange


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = (
        "started_at", "state", "people", "interactions", "practices", "ranking", "rating_error",
        "published_at",
    )  # fmt: skip
    list_filter = ("state", "algorithm")
    date_hierarchy = "started_at"

    @admin.display(description="nDCG@10")
    def ranking(self, release: Release) -> str:
        return _figure(release, "ndcg@10")

    @admin.display(description="RMSE of SVD")
    def rating_error(self, release: Release) -> str:
        return _figure(release, "rmse_svd")


def _figure(release: Release, name: str) -> str:
    value = release.metrics.get(name)
    return "–" if value is None else f"{value:.3f}"


@admin.register(TrainingChange)
class TrainingChangeAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "kind")
    list_filter = ("kind",)
    ordering = ("created_at",)
