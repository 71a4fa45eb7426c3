"""Accounts, for superusers: who may sign in, and which role they have."""

from django.contrib import admin
from django.http import HttpRequest

from privacy_center.models import Account

FILTERS = ("is_staff", "is_active", "groups")


@admin.register(Account)
class AccountAdmin(admin.ModelAdmin):
    """Staff roles are given here; passwords are changed by their owners."""

    list_display = ("email", "is_active", "is_staff", "joined")
    list_filter = FILTERS
    search_fields = ("email",)
    ordering = ("email",)
    fields = ("email", "is_active", "is_staff", "is_superuser", "groups", "joined")
    readonly_fields = ("joined",)
    filter_horizontal = ("groups",)

    @admin.display(description="Joined on")
    def joined(self, account: Account) -> str:
        """The day alone: the second would lead to the pseudonym that was made in it."""
        return f"{account.created_at:%-d %B %Y}" if account.pk else ""

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Never from here: without the account nobody could withdraw what its person agreed to."""
        return False

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter but those offered: none leads to a pseudonym, or to what is secret."""
        return lookup in {f"{name}__{end}" for name in FILTERS for end in ("exact", "id__exact")}
