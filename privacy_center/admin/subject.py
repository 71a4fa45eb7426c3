"""Data subjects: one at a time, by pseudonym, without the way back to the account."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from privacy_center.holders import holders
from privacy_center.models import ConsentState, DataSubject
from privacy_center.personal_rows_admin import PersonalRowsAdmin, is_open
from privacy_center.purposes import Purpose
from privacy_center.read_only_admin import Context
from privacy_center.selectors.consent import consent_states, purposes_in_force


@dataclass(frozen=True)
class Rows:
    """A list of the person's own rows, and how many there are."""

    title: str
    count: int
    address: str


@dataclass(frozen=True)
class Held:
    """A purpose the person decided about, and how much is held because of it: never what."""

    purpose: Purpose
    state: ConsentState
    is_in_force: bool
    count: int


@admin.register(DataSubject)
class DataSubjectAdmin(PersonalRowsAdmin):
    """Where a person's page begins: what they decided, how much is held, and the lists of it."""

    subject_field = "id"
    list_display = ("id", "region", "age_band", "is_synthetic")
    fields = ("region", "age_band", "is_synthetic", "joined", "has_key")
    readonly_fields = ("joined", "has_key")
    change_form_template = "admin/privacy_center/subject.html"

    @admin.display(description="Joined on")
    def joined(self, subject: DataSubject) -> str:
        """The day alone: the second would lead to the account that was made in it."""
        return f"{subject.created_at:%-d %B %Y}"

    @admin.display(description="Key", boolean=True)
    def has_key(self, subject: DataSubject) -> bool:
        return subject.wrapped_key is not None

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        self.check_reading(request)
        subject_id = _uuid(unquote(object_id))
        context: dict[str, object] = {"title": "One person’s data", **(extra_context or {})}
        if subject_id and is_open(request, subject_id):
            context |= {"held": list(_held(subject_id)), "rows": self._rows(request, subject_id)}
        return super().change_view(request, object_id, form_url, context)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """No filter leads from an account to a pseudonym."""
        return lookup == self.subject_field

    def _rows(self, request: HttpRequest, subject_id: UUID) -> list[Rows]:
        """Of every model whose rows are about people and that this role may see."""
        desks = [
            desk
            for desk in self.admin_site._registry.values()
            if isinstance(desk, PersonalRowsAdmin)
            and desk is not self
            and desk.has_view_permission(request)
        ]
        return [
            Rows(
                str(desk.opts.verbose_name_plural).capitalize(),
                desk.model._default_manager.filter(**{desk.subject_field: subject_id}).count(),
                _address(desk, subject_id),
            )
            for desk in desks
        ]


def _address(desk: PersonalRowsAdmin, subject_id: UUID) -> str:
    label, name = desk.opts.app_label, desk.opts.model_name
    return f"{reverse(f'admin:{label}_{name}_changelist')}?{desk.subject_field}={subject_id}"


def _held(subject_id: UUID) -> Iterator[Held]:
    in_force = purposes_in_force(subject_id)
    for purpose, state in sorted(consent_states(subject_id).items(), key=_place):
        found = [holder.held(subject_id, purpose) for holder in holders()]
        count = sum(holding.count for holding in found if holding)
        yield Held(purpose, state, purpose in in_force, count)


def _place(item: tuple[Purpose, ConsentState]) -> int:
    return list(Purpose).index(item[0])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
