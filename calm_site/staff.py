"""The admin as a site: who comes in, and what everybody else sees."""

from allauth.account.decorators import secure_admin_login
from django.conf import settings
from django.contrib.admin import AdminSite
from django.http import Http404, HttpRequest, HttpResponse


class StaffSite(AdminSite):
    """Signing in is the site's own; to people who are not staff nothing is here (input 50)."""

    site_header = settings.SITE_NAME
    site_title = settings.SITE_NAME
    index_title = "Staff"

    def has_permission(self, request: HttpRequest) -> bool:
        is_staff = super().has_permission(request)
        if request.user.is_authenticated and not is_staff:
            raise Http404
        return is_staff

    def login(
        self, request: HttpRequest, extra_context: dict[str, object] | None = None
    ) -> HttpResponse:
        self.has_permission(request)
        response: HttpResponse = secure_admin_login(super().login)(request, extra_context)
        return response
