"""What waits for the next release, how late the last ones were, and the nightly comparisons."""

from datetime import datetime

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from privacy_center.interface import ReadOnlyAdmin
from recommendations.admin.curve import value_text
from recommendations.models import ModelAudit, Release, VectorChange
from recommendations.selectors.release_desk import (
    FEW,
    LAG,
    UNKNOWN,
    Unit,
    figure,
    is_few,
    latest_audits,
    latest_published,
    moment_text,
    queues,
    seconds_to_publication,
    training,
)

Context = dict[str, object] | None


@admin.register(VectorChange)
class VectorChangeAdmin(ReadOnlyAdmin):
    """Whose change it is, and what they contribute, is nobody's to see."""

    change_list_template = "admin/recommendations/queue.html"
    list_display = ("noted", "kind", "is_taken_up")
    fields = readonly_fields = ("kind", "noted", "is_taken_up")
    list_filter = ("kind", ("batch", admin.EmptyFieldListFilter))
    ordering = ("created_at",)

    @admin.display(description="noted (UTC)", ordering="created_at")
    def noted(self, change: VectorChange) -> str:
        return moment_text(change.created_at)

    @admin.display(description="taken up", ordering="batch")
    def is_taken_up(self, change: VectorChange) -> str:
        return "no" if change.batch is None else f"in batch {change.batch}"

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Nobody is found by what they are or contribute."""
        field = lookup.partition("__")[0]
        return field in ("kind", "batch", "created_at")

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        now, work = timezone.now(), training()
        context = {
            "title": "What waits for the next release",
            "queues": [
                {"queue": queue, "age": _age(queue.oldest, now), "is_late": queue.is_late(now)}
                for queue in queues()
            ],
            "training_for": _age(work.since, now),
            "seen_ago": _age(work.seen_at, now),
            "published": [_lateness(release) for release in latest_published()],
            "audits": [
                {"audit": audit, "people": people_text(audit), "seconds": seconds_text(audit)}
                for audit in latest_audits()
            ],
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})


@admin.register(ModelAudit)
class ModelAuditAdmin(ReadOnlyAdmin):
    list_display = ("compared", "result", "people_count", "took")
    date_hierarchy = "at"
    fields = readonly_fields = (
        "compared", "result", "people_count", "took", "digest", "rebuild_digest",
    )  # fmt: skip

    @admin.display(description="compared (UTC)", ordering="at")
    def compared(self, audit: ModelAudit) -> str:
        return moment_text(audit.at)

    @admin.display(description="equal", boolean=True)
    def result(self, audit: ModelAudit) -> bool:
        return audit.is_equal

    @admin.display(description="people")
    def people_count(self, audit: ModelAudit) -> str:
        return people_text(audit)

    @admin.display(description="took")
    def took(self, audit: ModelAudit) -> str:
        return seconds_text(audit)


def people_text(audit: ModelAudit) -> str:
    return FEW if is_few(audit.people) else Unit.COUNT.text(audit.people)


def seconds_text(audit: ModelAudit) -> str:
    return Unit.SECONDS.text(audit.seconds)


def _age(moment: datetime | None, now: datetime) -> str:
    """How long ago; "" for never."""
    return Unit.SECONDS.text(max((now - moment).total_seconds(), 0.0)) if moment else ""


def _lateness(release: Release) -> dict[str, object]:
    seconds = seconds_to_publication(release)
    return {
        "release": release,
        "took": UNKNOWN if seconds is None else Unit.SECONDS.text(seconds),
        "lag": value_text(figure(release, LAG), LAG.unit),
    }
