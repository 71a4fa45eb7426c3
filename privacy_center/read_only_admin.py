"""Rows that staff may look at and only the site itself writes."""

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse

Context = dict[str, object] | None


class ReadOnlyAdmin(admin.ModelAdmin):
    """Nobody adds, changes or deletes, one by one or in bulk, superusers included (input 50)."""

    show_full_result_count = False
    actions = None

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        """A date beyond the calendar, typed into the address, is a filter that does not fit."""
        try:
            return super().get_changelist_instance(request)
        except OverflowError as error:
            raise IncorrectLookupParameters from error

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        self.check_reading(request)
        title = str(self.opts.verbose_name_plural).capitalize()
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        self.check_reading(request)
        return super().change_view(request, object_id, form_url, extra_context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context = None
    ) -> HttpResponse:
        self.check_reading(request)
        return super().history_view(request, object_id, extra_context)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: Context = None
    ) -> HttpResponse:
        raise PermissionDenied

    def check_reading(self, request: HttpRequest) -> None:
        """Raises `PermissionDenied` for whoever may not read here, and for every write."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
