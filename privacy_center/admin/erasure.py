"""Erasures, read-only: how far each is. None of them says whose it is."""

from django.contrib import admin

from privacy_center.models import Erasure
from privacy_center.read_only_admin import ReadOnlyAdmin


@admin.register(Erasure)
class ErasureAdmin(ReadOnlyAdmin):
    list_display = ("number", "state", "asked_at", "due_at", "done_at", "step", "is_replay")
    list_filter = ("state", "is_replay")
    ordering = ("-asked_at",)
    fields = readonly_fields = (
        "number",
        "state",
        "asked_at",
        "due_at",
        "done_at",
        "step",
        "is_replay",
        "is_told",
        "erased",
        "learned",
    )
