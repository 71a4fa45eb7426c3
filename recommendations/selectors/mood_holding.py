"""What is held because of each yes to mood, right now: in a sentence, counts and months."""

from collections import Counter
from datetime import date, datetime
from uuid import UUID

from django.db.models import Count, Min
from django.db.models.functions import TruncMonth
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy_center.interface import Holding
from recommendations.models import CheckIn
from recommendations.selectors.history import Month, last_twelve
from recommendations.selectors.mood import SHAPES_FOR
from recommendations.weights import MOST_OF_ONE_MOOD


def stored_moods(subject_id: UUID, *, now: datetime) -> Holding:
    """Every check-in that is kept."""
    rows = list(
        CheckIn.objects.filter(subject_id=subject_id)
        .annotate(month=TruncMonth("at"))
        .values_list("month")
        .annotate(count=Count("pk"), oldest=Min("at"))
    )
    if not rows:
        return Holding(_("Nothing is held yet."))
    months: Counter[date] = Counter()
    for month, in_month, _first in rows:
        months[month.date()] += in_month
    count, oldest = months.total(), min(first for _month, _count, first in rows)
    sentence = ngettext(
        "Held now: %(count)d check-in, from %(date)s.",
        "Held now: %(count)d check-ins; the oldest from %(date)s.",
        count,
    )
    shown = last_twelve([Month(*item) for item in months.items()], today=now.date())
    return Holding(
        sentence % {"count": count, "date": date_format(oldest, _("j F Y"))},
        kept=ngettext("%(count)d check-in", "%(count)d check-ins", count) % {"count": count},
        count=count,
        oldest=oldest,
        months=tuple(month.count for month in shown),
    )


def personalizing_mood(subject_id: UUID, *, now: datetime) -> Holding:
    """The one check-in that shapes the person's shelves, and until when."""
    recent = CheckIn.objects.filter(subject_id=subject_id, at__gt=now - SHAPES_FOR, at__lte=now)
    last = recent.order_by("-at").values_list("at", flat=True).first()
    if last is None:
        return Holding(_("No check-in of the last twelve hours, so nothing shapes your shelves."))
    until = date_format(last + SHAPES_FOR, _("j F Y, H:i"))
    return Holding(
        _("Your last check-in shapes your shelves until %(until)s UTC.") % {"until": until}, count=1
    )


def trained_moods(subject_id: UUID) -> Holding:
    """What the model may learn of the person's check-ins: how often each mood, up to a limit."""
    moods = CheckIn.objects.filter(subject_id=subject_id).values("mood").annotate(n=Count("pk"))
    count = sum(min(mood["n"], MOST_OF_ONE_MOOD) for mood in moods)
    if not count:
        return Holding(_("Nothing to learn from yet."))
    sentence = ngettext(
        "%(count)d check-in of yours counts, without its words.",
        "%(count)d check-ins of yours count, without their words.",
        count,
    )
    return Holding(sentence % {"count": count}, count=count)
