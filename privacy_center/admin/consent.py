"""Decisions and current answers, read-only: counts of everybody's, rows of one person's."""

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from privacy_center.admin.decision_picture import picture
from privacy_center.models import ConsentRecord, ConsentState
from privacy_center.personal_rows_admin import PersonalRowsAdmin
from privacy_center.read_only_admin import Context
from privacy_center.selectors.decision_months import decision_months


@admin.register(ConsentRecord)
class ConsentRecordAdmin(PersonalRowsAdmin):
    """Without a person: how everybody decided about each purpose, by month."""

    list_display = ("recorded_at", "purpose", "decision", "method", "notice", "valid_until")
    list_filter = ("purpose", "decision", "method")
    list_select_related = ("notice",)
    date_hierarchy = "recorded_at"
    ordering = ("-recorded_at",)
    fields = (
        "id", "subject", "purpose", "decision", "method", "notice", "language", "preset",
        "recorded_at", "valid_until",
    )  # fmt: skip

    def choose_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        pictures = [picture(decisions) for decisions in decision_months(now=timezone.now())]
        return super().choose_view(request, {"pictures": pictures})


@admin.register(ConsentState)
class ConsentStateAdmin(PersonalRowsAdmin):
    list_display = ("purpose", "decision", "since", "valid_until")
    list_filter = ("purpose", "decision")
    ordering = ("purpose",)
