"""Data subjects: pseudonyms, read-only, without the way back to the account."""

from django.contrib import admin
from django.http import HttpRequest

from privacy_center.models import DataSubject
from privacy_center.read_only_admin import ReadOnlyAdmin


@admin.register(DataSubject)
class DataSubjectAdmin(ReadOnlyAdmin):
    list_display = ("id", "region", "age_band", "is_synthetic", "created_at")
    list_filter = ("age_band", "is_synthetic", "region")
    fields = ("id", "region", "age_band", "is_synthetic", "created_at")
    ordering = ("-created_at",)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter leads from an account to a pseudonym."""
        if lookup.startswith("account"):
            return False
        return bool(super().lookup_allowed(lookup, value, request))
