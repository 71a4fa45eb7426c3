"""Notices: drafting, comparing, previewing and publishing what people read before they decide."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone, translation

from privacy_center.actions.notice import NotPublishable, draft_notice, publish_notice
from privacy_center.forms.notice import NoticeForm, NoticeTextForm
from privacy_center.models import Notice, NoticeText
from privacy_center.models.notice import document_digest
from privacy_center.purposes import Purpose
from privacy_center.read_only_admin import Context
from privacy_center.selectors.consent import RENEW_WITHIN
from privacy_center.selectors.notice import text_in
from privacy_center.selectors.notice_desk import notice_before, notice_lines, people_with
from privacy_center.selectors.notice_diff import Difference, notice_differences

FACTS = ("valid_days", "kinds", "legal_basis", "special_category", "retention")


class NoticeTextInline(admin.StackedInline):
    model = NoticeText
    form = NoticeTextForm
    max_num = len(settings.LANGUAGES)
    can_delete = False
    verbose_name_plural = "the words, in every language of the site"

    def get_extra(self, request: HttpRequest, obj: Model | None = None, **kwargs: object) -> int:
        return len(_missing(obj))

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("privacy_center.view_notice"))

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_edit(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_edit(request, obj)


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    """A draft is edited; a published version is for good, and only read (triggers agree)."""

    form = NoticeForm
    inlines = (NoticeTextInline,)
    actions = None
    change_form_template = "admin/privacy_center/notice.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Drafts are made of the live version, by the list's own button."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _may_edit(request, obj)

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        if self.has_change_permission(request, obj):
            return ("purpose", "version", *FACTS)
        return ("purpose", "version", "published_at", "digest", "valid_days", "processing")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Model | None = None
    ) -> tuple[str, ...]:
        return ("purpose", "version")

    def get_formset_kwargs(
        self, request: HttpRequest, obj: Notice, inline: admin.options.InlineModelAdmin, prefix: str
    ) -> dict[str, Any]:
        """A language without a text has an empty form, last."""
        kwargs: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        return kwargs | {"initial": [{"language": code} for code in _missing(obj)]}

    def get_urls(self) -> list[URLPattern]:
        def page(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
            guarded: Callable[..., HttpResponse] = self.admin_site.admin_view(view)
            return guarded

        name = "privacy_center_notice"
        return [
            path("draft/<str:purpose>/", page(self.draft_view), name=f"{name}_draft"),
            path("<int:notice_id>/preview/", page(self.preview_view), name=f"{name}_preview"),
            path("<int:notice_id>/publish/", page(self.publish_view), name=f"{name}_publish"),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: Context = None) -> HttpResponse:
        """One line a purpose, in place of all versions in a row."""
        if request.method not in ("GET", "HEAD") or not self.has_view_permission(request):
            raise PermissionDenied
        context = self._context(request, "Notices") | {
            "lines": notice_lines(),
            "can_change": self.has_change_permission(request),
        }
        return TemplateResponse(request, "admin/privacy_center/notices.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: Context = None,
    ) -> HttpResponse:
        notice = self.get_object(request, object_id)
        context = {**(extra_context or {}), "show_save_and_add_another": False, "show_save": False}
        if isinstance(notice, Notice):
            context |= {
                "title": _name(notice) if notice.published_at else f"{_name(notice)}: draft",
                "subtitle": None,
                "differences": _differences(notice),
            }
        return super().change_view(request, object_id, form_url, context)

    def draft_view(self, request: HttpRequest, purpose: str) -> HttpResponse:
        """Make the draft of a purpose's next version, or open the one that is there."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if purpose not in set(Purpose):
            raise Http404
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        draft = draft_notice(Purpose(purpose))
        return redirect("admin:privacy_center_notice_change", draft.pk)

    def preview_view(self, request: HttpRequest, notice_id: int) -> HttpResponse:
        """The notice as people will see it, in one of the site's languages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        notice = get_object_or_404(Notice, pk=notice_id)
        languages = dict(settings.LANGUAGES)
        language = request.GET.get("language", settings.LANGUAGE_CODE)
        if language not in languages or not notice.texts.exists():
            raise Http404
        before = notice_before(notice)
        context = {
            "notice": notice,
            "name": _name(notice),
            "text": text_in(notice, language),
            "before": text_in(before, language) if before else None,
            "languages": settings.LANGUAGES,
            "language": language,
        }
        with translation.override(language):
            return render(request, "admin/privacy_center/notice_preview.html", context)

    def publish_view(self, request: HttpRequest, notice_id: int) -> HttpResponse:
        """What publishing would do; and, sent from that page, doing it."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        draft = get_object_or_404(Notice, pk=notice_id, published_at=None)
        if request.method == "POST":
            return self._publish(request, draft)
        return self._confirm(request, draft, status=200)

    def _publish(self, request: HttpRequest, draft: Notice) -> HttpResponse:
        """Only what was read: a draft that changed meanwhile is shown again."""
        if request.POST.get("read") != document_digest(draft.document):
            return self._confirm(request, draft, status=409)
        try:
            publish_notice(draft, at=timezone.now(), read=request.POST["read"])
        except NotPublishable as reason:
            self.message_user(request, str(reason), messages.ERROR)
            return redirect("admin:privacy_center_notice_change", draft.pk)
        self.log_change(request, draft, "Published.")
        self.message_user(request, f"{_name(draft)} is live.", messages.SUCCESS)
        return redirect("admin:privacy_center_notice_changelist")

    def _confirm(self, request: HttpRequest, draft: Notice, *, status: int) -> HttpResponse:
        context = self._context(request, f"Publish {_name(draft)}") | {
            "notice": draft,
            "people": people_with(Purpose(draft.purpose)),
            "days": RENEW_WITHIN.days,
            "differences": _differences(draft),
            "read": document_digest(draft.document),
            "has_changed": status != 200,
        }
        return TemplateResponse(
            request, "admin/privacy_center/notice_publish.html", context, status=status
        )

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}

    def response_change(self, request: HttpRequest, obj: Notice) -> HttpResponse:
        """Back to the draft, with its difference anew."""
        self.message_user(request, "The draft is saved. Nobody sees it yet.", messages.SUCCESS)
        return redirect("admin:privacy_center_notice_change", obj.pk)


def _may_edit(request: HttpRequest, obj: Model | None) -> bool:
    is_published = isinstance(obj, Notice) and obj.published_at is not None
    return not is_published and bool(request.user.has_perm("privacy_center.change_notice"))


def _missing(obj: Model | None) -> list[str]:
    """The languages that the notice has no text in."""
    there = {text.language for text in obj.texts.all()} if isinstance(obj, Notice) else set()
    return [code for code, _name in settings.LANGUAGES if code not in there]


def _name(notice: Notice) -> str:
    return f"{notice.purpose}, version {notice.version}"


def _differences(notice: Notice) -> list[Difference]:
    before = notice_before(notice)
    return notice_differences(before, notice) if before else []
