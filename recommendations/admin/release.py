"""Releases for the data scientist: their figures, their curves, and what held one back."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from privacy_center.interface import ReadOnlyAdmin
from recommendations.actions.training import accept_quality
from recommendations.admin.curve import curve, interval_text, value_text
from recommendations.admin.synthetic_shelf import synthetic_shelf_context
from recommendations.models import Release
from recommendations.selectors.release_desk import (
    COVERAGE,
    CURVE_RELEASES,
    FEW,
    MEASURES,
    MEMBERS,
    QUALITY,
    UNKNOWN,
    Measure,
    Unit,
    figure,
    held_release,
    interactions_figure,
    is_quality_accepted,
    moment_text,
    people_figure,
    release_series,
    seconds_to_publication,
)

Context = dict[str, object] | None
View = Callable[..., HttpResponse]

# A data scientist may say that the next release is published whatever its quality; nothing else
# about a release can be changed by anybody.
ACCEPT = "recommendations.change_release"


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    change_list_template = "admin/recommendations/releases.html"
    change_form_template = "admin/recommendations/release.html"
    list_display = (
        "began", "state", "people_count", "interaction_count", "practices", "ranking", "coverage",
        "membership", "seconds", "forgot",
    )  # fmt: skip
    list_filter = ("state", "algorithm")
    list_per_page = 30
    date_hierarchy = "started_at"
    fields = readonly_fields = (
        "state", "held_because", "started", "published", "seconds", "forgot", "people_count",
        "interaction_count", "practices", "algorithm", "regularization", "gram_digest",
        "file_digest",
    )  # fmt: skip

    def get_urls(self) -> list[URLPattern]:
        def page(view: View) -> View:
            guarded: View = self.admin_site.admin_view(view)
            return guarded

        name = "recommendations_release"
        return [
            path("explain/", page(self.explain_view), name=f"{name}_explain"),
            path("<uuid:release_id>/accept/", page(self.accept_view), name=f"{name}_accept"),
            *super().get_urls(),
        ]

    @admin.display(description="began, published (UTC)", ordering="started_at")
    def began(self, release: Release) -> SafeString:
        return _two_lines(moment_text(release.started_at), moment_text(release.published_at))

    @admin.display(description="began (UTC)")
    def started(self, release: Release) -> str:
        return moment_text(release.started_at)

    @admin.display(description="published (UTC)")
    def published(self, release: Release) -> str:
        return moment_text(release.published_at)

    @admin.display(description="forgot somebody", ordering="is_forgetting")
    def forgot(self, release: Release) -> str:
        return "yes" if release.is_forgetting else "no"

    @admin.display(description="people")
    def people_count(self, release: Release) -> str:
        people = people_figure(release)
        return value_text(people, Unit.COUNT) if people else FEW

    @admin.display(description="interactions")
    def interaction_count(self, release: Release) -> str:
        interactions = interactions_figure(release)
        return value_text(interactions, Unit.COUNT) if interactions else FEW

    @admin.display(description="nDCG@10")
    def ranking(self, release: Release) -> SafeString:
        return _with_interval(release, QUALITY)

    @admin.display(description="coverage@12")
    def coverage(self, release: Release) -> SafeString:
        return _with_interval(release, COVERAGE)

    @admin.display(description="membership AUC")
    def membership(self, release: Release) -> SafeString:
        return _with_interval(release, MEMBERS)

    @admin.display(description="took")
    def seconds(self, release: Release) -> str:
        seconds = seconds_to_publication(release)
        return UNKNOWN if seconds is None else Unit.SECONDS.text(seconds)

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        series = release_series()
        context = {
            "curves": [drawn for drawn in map(curve, series) if drawn],
            "not_measured": [
                s.measure.title for s in series if not any(p.figure for p in s.points)
            ],
            "curve_releases": CURVE_RELEASES,
            "held": held_release(),
            **self._accepting(request),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        release = self.get_object(request, object_id)
        context: dict[str, object] = {**(extra_context or {}), **self._accepting(request)}
        if isinstance(release, Release):
            context |= {
                "title": str(release).capitalize(),
                "subtitle": None,
                "measured": _measured(release),
                "is_held_now": held_release() == release,
            }
        return super().change_view(request, object_id, form_url, context)

    def accept_view(self, request: HttpRequest, release_id: UUID) -> HttpResponse:
        """What publishing the next release whatever its quality would do; and, sent from that
        page, having it done."""
        if not request.user.has_perm(ACCEPT):
            raise PermissionDenied
        release = get_object_or_404(Release, pk=release_id, state=Release.State.HELD)
        if request.method == "POST":
            return self._accept(request, release)
        context = {
            **self.admin_site.each_context(request),
            "title": "Publish the next release whatever its quality",
            "opts": self.opts,
            "release": release,
            "is_held_now": held_release() == release,
            **self._accepting(request),
        }
        return TemplateResponse(request, "admin/recommendations/accept_quality.html", context)

    def _accept(self, request: HttpRequest, release: Release) -> HttpResponse:
        if held_release() != release:
            said = "There is a newer release than the one you looked at. Nothing was changed."
            self.message_user(request, said, messages.WARNING)
            return redirect("admin:recommendations_release_changelist")
        accept_quality()
        self.log_change(request, release, "The next release is published whatever its quality.")
        said = "The next release is published whatever its quality. The trainer is at work on it."
        self.message_user(request, said, messages.SUCCESS)
        return redirect("admin:recommendations_release_changelist")

    def explain_view(self, request: HttpRequest) -> HttpResponse:
        """“For you” of a synthetic person, with the parts of every score."""
        self.check_reading(request)
        context = {
            **self.admin_site.each_context(request),
            "title": "Explain a shelf",
            "opts": self.opts,
            **synthetic_shelf_context(request.GET, now=timezone.now()),
        }
        return TemplateResponse(request, "admin/recommendations/synthetic_shelf.html", context)

    def _accepting(self, request: HttpRequest) -> dict[str, object]:
        return {
            "can_accept": request.user.has_perm(ACCEPT),
            "is_quality_accepted": is_quality_accepted(),
        }


def _with_interval(release: Release, measure: Measure) -> SafeString:
    found = figure(release, measure)
    return _two_lines(value_text(found, measure.unit), interval_text(found, measure.unit))


def _two_lines(first: str, second: str) -> SafeString:
    return format_html('{}<br><span class="quiet">{}</span>', first, second)


def _measured(release: Release) -> list[tuple[Measure, str, str]]:
    """Every figure of a release that has words, with its value and its interval."""
    found = ((measure, figure(release, measure)) for measure in MEASURES)
    return [
        (measure, value_text(known, measure.unit), interval_text(known, measure.unit))
        for measure, known in found
        if known
    ]
