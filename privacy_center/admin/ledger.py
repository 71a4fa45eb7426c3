"""The ledger, read-only: whether it is well today, and the button that verifies it now."""

from collections.abc import Callable

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path

from privacy_center.actions.ledger_audit import request_audit
from privacy_center.models import LedgerAudit, LedgerCheckpoint, LedgerEntry, LedgerKey
from privacy_center.read_only_admin import Context, ReadOnlyAdmin
from privacy_center.selectors.ledger_audit import ledger_health

VERIFY = "privacy_center.add_ledgeraudit"


class LedgerAdmin(ReadOnlyAdmin):
    """Every list of the ledger begins with how it is."""

    change_list_template = "admin/privacy_center/ledger.html"

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        context = {
            "health": ledger_health(),
            "can_verify": request.user.has_perm(VERIFY),
            **(extra_context or {}),
        }
        return super().changelist_view(request, context)


@admin.register(LedgerCheckpoint)
class LedgerCheckpointAdmin(LedgerAdmin):
    list_display = ("size", "signed_at", "root_hash")
    date_hierarchy = "signed_at"
    fields = readonly_fields = ("size", "signed_at", "root_hash", "note")

    @admin.display(description="root")
    def root_hash(self, checkpoint: LedgerCheckpoint) -> str:
        return bytes(checkpoint.root).hex()


@admin.register(LedgerEntry)
class LedgerEntryAdmin(LedgerAdmin):
    """Hashes alone: whose decision a leaf is of, the decision's own page says, with a reason."""

    list_display = ("id", "index", "hash")
    list_filter = (("index", admin.EmptyFieldListFilter),)
    ordering = ("-id",)
    fields = readonly_fields = ("id", "index", "hash")

    @admin.display(description="leaf")
    def hash(self, entry: LedgerEntry) -> str:
        return bytes(entry.leaf_hash).hex()

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        return not lookup.startswith("record")


@admin.register(LedgerKey)
class LedgerKeyAdmin(LedgerAdmin):
    list_display = ("key_id", "since", "verifier_key")


@admin.register(LedgerAudit)
class LedgerAuditAdmin(LedgerAdmin):
    list_display = ("started_at", "finished_at", "entries", "result")
    date_hierarchy = "started_at"
    fields = readonly_fields = ("started_at", "finished_at", "entries", "result", "wrong")

    def get_urls(self) -> list[URLPattern]:
        verify: Callable[..., HttpResponse] = self.admin_site.admin_view(self.verify_view)
        return [
            path("verify/", verify, name="privacy_center_ledgeraudit_verify"),
            *super().get_urls(),
        ]

    def verify_view(self, request: HttpRequest) -> HttpResponse:
        """Start a verification; its result comes as a row here."""
        if not request.user.has_perm(VERIFY):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if request_audit():
            said = "The ledger is being verified. The result comes here; load the page again."
            self.message_user(request, said, messages.SUCCESS)
        else:
            said = "The workers cannot be reached, so nothing was started. Try again shortly."
            self.message_user(request, said, messages.ERROR)
        return redirect("admin:privacy_center_ledgeraudit_changelist")

    @admin.display(description="result")
    def result(self, audit: LedgerAudit) -> str:
        if audit.finished_at is None:
            return "not finished"
        return f"{len(audit.findings)} wrong" if audit.findings else "all agrees"

    @admin.display(description="what is wrong, and where")
    def wrong(self, audit: LedgerAudit) -> str:
        return "\n".join(f"{f['where']}: {f['what']}" for f in audit.findings) or "nothing"
