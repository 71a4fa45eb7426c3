"""Decisions and current answers, read-only."""

from django.contrib import admin

from privacy_center.models import ConsentRecord, ConsentState
from privacy_center.read_only_admin import ReadOnlyAdmin


@admin.register(ConsentRecord)
class ConsentRecordAdmin(ReadOnlyAdmin):
    list_display = ("recorded_at", "purpose", "decision", "method", "subject")
    list_filter = ("purpose", "decision", "method")
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at",)


@admin.register(ConsentState)
class ConsentStateAdmin(ReadOnlyAdmin):
    list_display = ("subject", "purpose", "decision", "since")
    list_filter = ("purpose", "decision")
    ordering = ("-since",)
