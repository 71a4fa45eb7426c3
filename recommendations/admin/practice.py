"""The editors' desk: practices and topics."""

from collections.abc import Iterable

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseFormSet, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from recommendations.actions.training import note_catalog
from recommendations.forms.practice import ContentDecoder, ContentField
from recommendations.models import Practice, Topic


@admin.register(Practice)
class PracticeAdmin(admin.ModelAdmin):
    list_display = ("title", "kind", "intention", "length", "place", "is_published", "see")
    list_editable = ("place", "is_published")
    list_filter = ("kind", "intention", "is_published")
    search_fields = ("title", "summary", "slug")
    filter_horizontal = ("topics",)
    formfield_overrides = {
        models.JSONField: {"form_class": ContentField, "decoder": ContentDecoder}
    }
    prepopulated_fields = {"slug": ("title",)}
    fieldsets = (
        (None, {"fields": ("title", "slug", "summary", "kind", "intention", "topics")}),
        ("Sound", {"fields": ("seconds", "audio", "voice", "soundscape", "content")}),
        ("On the shelves", {"fields": ("place", "is_published")}),
    )

    @admin.display(description="minutes", ordering="seconds")
    def length(self, practice: Practice) -> int:
        return practice.minutes

    @admin.display(description="page")
    def see(self, practice: Practice) -> SafeString:
        return format_html('<a href="{}">Open</a>', practice.get_absolute_url())

    def save_related(
        self, request: HttpRequest, form: ModelForm, formsets: Iterable[BaseFormSet], change: bool
    ) -> None:
        """A new practice, or new topics, mean new neighbors: the model is made again."""
        super().save_related(request, form, formsets, change)
        note_catalog()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Practice]:
        return super().get_queryset(request).prefetch_related("topics")


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ("name", "slug")
    search_fields = ("name",)
    prepopulated_fields = {"slug": ("name",)}
