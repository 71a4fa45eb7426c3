"""Check-ins: one's own, a new one on its own or beside a practice, and letting go of them."""

from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone as clock
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from privacy_center.interface import KeyUnavailable, Person, person
from recommendations.actions.listening import NotConsented
from recommendations.actions.mood import CheckInTaken, check_in, delete_check_ins
from recommendations.forms.mood import CheckInBesideForm, CheckInForm
from recommendations.models import CheckIn, Energy, Practice, Valence
from recommendations.selectors.mood import check_ins_of, next_moment, told
from recommendations.selectors.mood_picture import MoodPicture, mood_picture
from recommendations.selectors.practice import published
from recommendations.views.home import device_zone
from recommendations.views.mood_lines import Line, line

PAGE_SIZE = 20


@require_safe
@never_cache
def mood(request: HttpRequest) -> HttpResponse:
    """The person's own check-ins, with a picture of them, and a form for the next."""
    return _page(request, _form(None, initial={"id": uuid4()}), status=200)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def check_in_now(request: HttpRequest) -> HttpResponse:
    """Keep a check-in on its own. The page of an error stands at this address; loaded again, it
    leads back to the check-ins."""
    if request.method != "POST":
        return redirect("recommendations:mood")
    return _keep(request, None)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def check_in_beside(request: HttpRequest, slug: str) -> HttpResponse:
    """Keep a check-in before or after a practice. The page of an error stands at this address;
    loaded again, it leads back to the practice."""
    practice = get_object_or_404(published(), slug=slug)
    if request.method != "POST":
        return redirect(practice)
    return _keep(request, practice)


@require_POST
@login_required
def delete(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Delete one check-in; somebody else's is not there (input 21)."""
    if not _delete(request, CheckIn.objects.filter(pk=pk)):
        raise Http404
    messages.success(request, _("The check-in is deleted."))
    return redirect("recommendations:mood")


@require_POST
@login_required
def delete_all(request: HttpRequest) -> HttpResponse:
    """Delete every check-in of the person."""
    count = _delete(request, CheckIn.objects.all())
    said = ngettext("%(count)d check-in is deleted.", "%(count)d check-ins are deleted.", count)
    messages.success(request, said % {"count": count})
    return redirect("recommendations:mood")


def new_check_in(who: Person, practice: Practice) -> CheckInForm | None:
    """An empty form for a check-in beside a practice; None for whoever did not say yes to it."""
    if who.subject_id is None or not who.can_store_mood:
        return None
    moment = next_moment(who.subject_id, practice.pk, now=clock.now())
    return _form(practice, initial={"id": uuid4(), "moment": moment})


def _form(
    practice: Practice | None,
    data: QueryDict | None = None,
    *,
    initial: dict[str, object] | None = None,
) -> CheckInForm:
    kind = CheckInBesideForm if practice else CheckInForm
    return kind(data, initial=initial, auto_id="check-in-%s")


def _keep(request: HttpRequest, practice: Practice | None) -> HttpResponse:
    """What is wrong is said beside what was typed; nothing is kept then."""
    form = _form(practice, request.POST)
    if not form.is_valid():
        return _again(request, form, practice, status=400)
    try:
        check_in(person(request), form.felt(practice))
    except NotConsented:
        messages.info(request, _("Nothing was kept: check-ins need your yes first."))
    except CheckInTaken:
        # A page that was sent, gone back to, and sent with other answers: it is a new check-in.
        answers = request.POST.copy()
        answers["id"] = str(uuid4())
        form = _form(practice, answers)
        form.add_error(None, _("This form was kept before. Send it again to keep it as a new one."))
        return _again(request, form, practice, status=409)
    except KeyUnavailable:
        form.add_error(
            None, _("Nothing was kept: your words cannot be encrypted just now. Try again later.")
        )
        return _again(request, form, practice, status=503)
    else:
        messages.success(request, _("Your check-in is kept."))
    return redirect(practice or "recommendations:mood")


def _again(
    request: HttpRequest, form: CheckInForm, practice: Practice | None, *, status: int
) -> HttpResponse:
    if practice is None:
        return _page(request, form, status=status)
    context = {"form": form, "practice": practice}
    return render(request, "recommendations/check_in.html", context, status=status)


def _page(request: HttpRequest, form: CheckInForm, *, status: int) -> HttpResponse:
    who, zone = person(request), device_zone(request)
    context: dict[str, object] = {"form": form}
    if who.subject_id:
        pages = Paginator(check_ins_of(who.subject_id), PAGE_SIZE)
        page = pages.get_page(request.GET.get("page"))
        picture = mood_picture(who.subject_id, now=clock.now(), zone=zone)
        context |= {
            "page_obj": page,
            "told": [told(own) for own in page],
            "count": pages.count,
            "picture": picture,
            "lines": _lines(picture),
        }
    # Times by the person's own clock.
    with clock.override(zone):
        return render(request, "recommendations/mood.html", context, status=status)


def _lines(picture: MoodPicture) -> list[Line]:
    return [
        line(
            picture.weeks,
            lambda week: week.valence,
            title=_("How it felt"),
            top=str(Valence.VERY_LIGHT.label),
            bottom=str(Valence.VERY_HEAVY.label),
        ),
        line(
            picture.weeks,
            lambda week: week.energy,
            title=_("Energy"),
            top=str(Energy.WIDE_AWAKE.label),
            bottom=str(Energy.WORN_OUT.label),
        ),
    ]


def _delete(request: HttpRequest, check_ins: QuerySet[CheckIn]) -> int:
    try:
        return delete_check_ins(person(request), check_ins)
    except NotConsented:
        return 0
