"""The officer's desk of notices: what is live, what is drafted, and whom a change would ask."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import Count

from privacy_center.models import YES, ConsentInForce, ConsentState, Notice
from privacy_center.purposes import Purpose
from privacy_center.selectors.consent import people_by_purpose
from privacy_center.selectors.decision_months import shown
from privacy_center.selectors.notice import FIRST_LANGUAGE, text_in


@dataclass(frozen=True)
class NoticeLine:
    """One purpose: its live version, the draft if there is one, and the versions before.

    `people` have it on now; `suspended` said yes to an older version and did not renew it. None
    where there are some, and fewer than may be shown.
    """

    purpose: Purpose
    title: str
    live: Notice
    draft: Notice | None
    earlier: Sequence[Notice]
    people: int | None
    suspended: int | None


def notice_lines() -> list[NoticeLine]:
    """Every purpose, in the order of the table that people see."""
    versions: dict[str, list[Notice]] = {}
    for notice in Notice.objects.order_by("-version").prefetch_related("texts"):
        versions.setdefault(notice.purpose, []).append(notice)
    people, yes = people_by_purpose(), _yes()
    return [_line(purpose, versions[purpose], people, yes) for purpose in Purpose]


def people_with(purpose: Purpose) -> int | None:
    """For how many people the purpose is in force; None when they are too few to say."""
    return shown(ConsentInForce.objects.filter(purpose=purpose).count())


def notice_before(notice: Notice) -> Notice | None:
    """The version before; None for the first."""
    return Notice.objects.filter(purpose=notice.purpose, version=notice.version - 1).first()


def _line(
    purpose: Purpose, versions: Sequence[Notice], people: dict[str, int], yes: dict[int, int]
) -> NoticeLine:
    published = [notice for notice in versions if notice.published_at]
    live = published[0]
    return NoticeLine(
        purpose=purpose,
        title=text_in(live, FIRST_LANGUAGE).title,
        live=live,
        draft=next((notice for notice in versions if not notice.published_at), None),
        earlier=published[1:],
        people=shown(people.get(purpose, 0)),
        suspended=shown(sum(yes.get(notice.pk, 0) for notice in published[1:])),
    )


def _yes() -> dict[int, int]:
    rows = ConsentState.objects.filter(decision__in=YES).values_list("record__notice")
    return dict(rows.annotate(count=Count("pk")).order_by())
