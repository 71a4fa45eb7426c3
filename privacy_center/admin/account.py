"""Accounts, for superusers: who may sign in, and which role they have."""

from django.contrib import admin
from django.http import HttpRequest

from privacy_center.models import Account


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """Staff roles are given here; passwords are changed by their owners."""

    list_display = ("email", "is_active", "is_staff", "created_at")
    list_filter = ("is_staff", "is_active", "groups")
    search_fields = ("email",)
    ordering = ("-created_at",)
    fields = ("email", "is_active", "is_staff", "is_superuser", "groups", "created_at")
    readonly_fields = ("created_at",)
    filter_horizontal = ("groups",)

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Never from here: without the account nobody could withdraw what its person agreed to."""
        return False
