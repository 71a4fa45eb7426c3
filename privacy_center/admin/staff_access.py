"""Opening one person's data: the reason is asked for here, and every reason is listed here."""

from typing import cast

from django.contrib import admin, messages
from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from privacy_center.actions.staff_access import record_access
from privacy_center.forms.staff_access import StaffAccessForm
from privacy_center.models import Account, StaffAccess
from privacy_center.read_only_admin import Context, ReadOnlyAdmin
from privacy_center.selectors.staff_access import ACCESS_LASTS

MINUTES = int(ACCESS_LASTS.total_seconds()) // 60


@admin.register(StaffAccess)
class StaffAccessAdmin(ReadOnlyAdmin):
    """Giving a reason is the one thing to add; nobody changes or deletes one."""

    form = StaffAccessForm
    fields = ("subject", "reason")
    list_display = ("at", "role", "reason", "subject_id")
    list_filter = ("role",)
    date_hierarchy = "at"
    ordering = ("-at", "-id")
    add_form_template = "admin/privacy_center/give_reason.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("privacy_center.add_staffaccess"))

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return ("at", "role", "subject", "reason") if obj else ("subject", "reason")

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Context = None
    ) -> HttpResponse:
        context = {"title": "Open one person’s data", "minutes": MINUTES, **(extra_context or {})}
        return super().add_view(request, form_url, context)

    def save_model(
        self, request: HttpRequest, obj: StaffAccess, form: ModelForm, change: bool
    ) -> None:
        kept = record_access(
            obj.subject_id,
            staff=cast(Account, request.user),
            reason=obj.reason,
            at=timezone.now(),
        )
        obj.pk = kept.pk

    def response_add(
        self, request: HttpRequest, obj: StaffAccess, post_url_continue: str | None = None
    ) -> HttpResponse:
        self.message_user(
            request,
            f"Open to you for {MINUTES} minutes. The person can read why.",
            messages.SUCCESS,
        )
        onward = request.GET.get("next", "")
        is_local = url_has_allowed_host_and_scheme(onward, allowed_hosts=None)
        if is_local and onward.startswith("/"):
            return redirect(onward)
        return redirect("admin:privacy_center_datasubject_change", obj.subject_id)
