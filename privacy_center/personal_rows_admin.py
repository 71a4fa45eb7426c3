"""Rows about people in the admin: one person at a time, and only after a reason was given.

The reason is asked for by `admin/staff_access.py`; superusers give one too.
"""

from collections.abc import Callable
from typing import ClassVar, cast
from urllib.parse import urlencode
from uuid import UUID

from django.core.exceptions import BadRequest
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from privacy_center.models import Account
from privacy_center.read_only_admin import Context, ReadOnlyAdmin
from privacy_center.selectors.staff_access import has_access, open_subjects

GIVE_REASON = "admin:privacy_center_staffaccess_add"


class _ReasonNeeded(Exception):
    def __init__(self, subject_id: UUID) -> None:
        self.subject_id = subject_id


class PersonalRowsAdmin(ReadOnlyAdmin):
    """A list is of one person, named by `?subject_id=`; without one it only asks for whom.

    `subject_field` is the field that holds the data subject's id. Nothing leads from what people
    did to who they are: there is no search here.
    """

    subject_field: ClassVar[str] = "subject_id"
    search_fields = ()

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        self.check_reading(request)
        subject_id = self._chosen(request)
        if subject_id is None:
            return self.choose_view(request)
        if not is_open(request, subject_id):
            return _ask_why(request, subject_id)
        return super().changelist_view(request, extra_context)

    def choose_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        """The list without a person: where to open one, and who is open already."""
        context = {
            **self.admin_site.each_context(request),
            "title": str(self.opts.verbose_name_plural).capitalize(),
            "opts": self.opts,
            "subject_field": self.subject_field,
            "open_subjects": open_subjects(_staff(request), at=timezone.now()),
            "can_open": request.user.has_perm("privacy_center.add_staffaccess"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/privacy_center/choose_person.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        self.check_reading(request)
        return _or_ask_why(
            request,
            lambda: super(PersonalRowsAdmin, self).change_view(
                request, object_id, form_url, extra_context
            ),
        )

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Context = None
    ) -> HttpResponse:
        self.check_reading(request)
        return _or_ask_why(
            request,
            lambda: super(PersonalRowsAdmin, self).history_view(request, object_id, extra_context),
        )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Model]:
        """Of the person in the address alone, whatever other filters say."""
        rows = super().get_queryset(request)
        subject_id = self._chosen(request)
        return rows.filter(**{self.subject_field: subject_id}) if subject_id else rows

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Model | None:
        """Every page of one row gets it here: without a live reason there is no row."""
        row: Model | None = super().get_object(request, object_id, from_field)
        if row is not None:
            subject_id: UUID = getattr(row, self.subject_field)
            if not is_open(request, subject_id):
                raise _ReasonNeeded(subject_id)
        return row

    def _chosen(self, request: HttpRequest) -> UUID | None:
        text = request.GET.get(self.subject_field, "")
        try:
            return UUID(text) if text else None
        except ValueError as error:
            raise BadRequest("A pseudonym is a UUID.") from error


def is_open(request: HttpRequest, subject_id: UUID) -> bool:
    """Whether whoever asks has given a reason for this person that still holds."""
    return has_access(_staff(request), subject_id, at=timezone.now())


def _staff(request: HttpRequest) -> Account:
    return cast(Account, request.user)


def _or_ask_why(request: HttpRequest, page: Callable[[], HttpResponse]) -> HttpResponse:
    try:
        return page()
    except _ReasonNeeded as needed:
        return _ask_why(request, needed.subject_id)


def _ask_why(request: HttpRequest, subject_id: UUID) -> HttpResponseRedirect:
    asked = urlencode({"subject": str(subject_id), "next": request.get_full_path()})
    return HttpResponseRedirect(f"{reverse(GIVE_REASON)}?{asked}")
