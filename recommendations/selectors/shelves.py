"""The shelves of the home page, for a person who shares and for one who shares nothing.

Everybody gets the same shelves of the same size: what differs is only what stands on them and
where that comes from. (Without a yes to storing, "Listen again" is kept and drawn by the device.)
"""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from privacy_center.interface import Person
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.models import Intention, Practice
from recommendations.selectors.listening import Habit, habits, hidden_ids
from recommendations.selectors.mood import LastMood, last_mood
from recommendations.selectors.practice import alike, by_ids, published
from recommendations.selectors.release import current_model
from recommendations.selectors.taste import Taste, taste_of

SHELF_SIZE = 12
MOST_OF_ONE_KIND = 5
SHORT_SECONDS = 5 * 60 + 29
_MENTION = re.compile(r"\{(\d+)\}")


@dataclass(frozen=True)
class Card:
    """A practice on a shelf, and why it stands there."""

    practice: Practice
    why: str = ""
    why_url: str = ""


@dataclass(frozen=True)
class Shelf:
    key: str
    title: str
    note: str
    cards: Sequence[Card]
    is_personal: bool = False
    is_by_mood: bool = False


@dataclass(frozen=True)
class Moment:
    """A time of day at the person's own place, and what people mostly want then."""

    title: Promise
    intention: Intention
    hours: range


MOMENTS = (
    Moment(gettext_lazy("For this morning"), Intention.MORNING, range(5, 10)),
    Moment(gettext_lazy("For the day"), Intention.FOCUS, range(10, 17)),
    Moment(gettext_lazy("For this evening"), Intention.CALM, range(17, 21)),
)
NIGHT = Moment(gettext_lazy("For tonight"), Intention.SLEEP, range(21, 29))
ASKED: dict[Intention, Promise] = {
    Intention.SLEEP: gettext_lazy("For sleep"),
    Intention.CALM: gettext_lazy("For calm"),
    Intention.FOCUS: gettext_lazy("For focus"),
    Intention.EASE: gettext_lazy("For ease"),
    Intention.MORNING: gettext_lazy("For morning"),
}


def moment_at(now: datetime, *, utc_offset_minutes: int) -> Moment:
    """The moment of a person's day, by the clock of their own device."""
    hour = (now + timedelta(minutes=utc_offset_minutes)).hour
    return next((moment for moment in MOMENTS if hour in moment.hours), NIGHT)


@dataclass(frozen=True)
class Plan:
    """A shelf by practice ids, before the practices are read (all shelves in one query)."""

    key: str
    title: str
    note: str
    items: Sequence[tuple[int, str]]
    is_personal: bool = False
    is_by_mood: bool = False


CatalogRow = tuple[int, str, str, int]


def shelves(
    person: Person, *, now: datetime, intention: Intention | None, utc_offset_minutes: int
) -> list[Shelf]:
    """The home page's shelves, best first; a shelf with nothing to say is left out."""
    model = current_model(now)
    hidden = hidden_ids(person)
    rows = published().values_list("pk", "kind", "intention", "seconds")
    catalog = [row for row in rows if row[0] not in hidden]
    history = habits(person)
    mood = last_mood(person, now=now)
    taste = taste_of(person, model, history=history, hidden=hidden, mood=mood)
    moment = moment_at(now, utc_offset_minutes=utc_offset_minutes)
    plans = [
        _for_you(catalog, taste, model, mood),
        _because(catalog, taste, model),
        _again(history),
        _for_moment(catalog, moment, intention, taste, model, mood),
        _popular(model),
        _short(catalog, model),
    ]
    seen = [_without(plan, hidden) for plan in plans if plan]
    kept = [plan for plan in seen if plan.items]
    practices = by_ids({pk for plan in kept for pk, _why in plan.items})
    names = _names(kept)
    return [
        Shelf(
            plan.key,
            _named(plan.title, names),
            plan.note,
            list(_cards(plan, practices, names)),
            is_personal=plan.is_personal,
            is_by_mood=plan.is_by_mood,
        )
        for plan in kept
    ]


def _without(plan: Plan, hidden: Collection[int]) -> Plan:
    """What a person hides is on none of their shelves, also not on those that are everybody's."""
    return replace(plan, items=[item for item in plan.items if item[0] not in hidden])


def _for_you(
    catalog: Sequence[CatalogRow],
    taste: Taste | None,
    model: ItemWeights | None,
    mood: LastMood | None,
) -> Plan:
    if taste is None or model is None:
        rows = [(pk, kind) for pk, kind, _intention, _seconds in catalog]
        picked = [pk for pk, _kind in _mixed(rows)]
        plan = Plan(
            "for-you",
            _("A good place to begin"),
            _("Chosen by our editors, the same for everybody."),
            [(pk, _("An editors' choice")) for pk in picked],
        )
        return _suiting_first(plan, mood, note=_("By our editors and your last check-in."))
    kinds = {pk: kind for pk, kind, _intention, _seconds in catalog}
    scores = taste.scores
    ranked = top_n(scores, n=SHELF_SIZE * 4, exclude=np.array(taste.heard, dtype=np.int64))
    ids = [int(model.practice_ids[i]) for i in ranked if scores[i] > 0]
    mixed = [pk for pk, _kind in _mixed([(pk, kinds[pk]) for pk in ids if pk in kinds])]
    plan = Plan(
        "for-you",
        _("For you"),
        _("Shaped by your own history.") if taste.heard else _("Shaped by your last check-in."),
        [(pk, _strongest_reason(taste, model, pk, mood)) for pk in mixed[: SHELF_SIZE * 2]],
        is_personal=True,
        is_by_mood=taste.has_mood,
    )
    both = _("Shaped by your own history and your last check-in.")
    return _suiting_first(plan, mood, note=both if taste.heard else plan.note)


def _suiting_first(plan: Plan, mood: LastMood | None, *, note: str) -> Plan:
    """A shelf, with what suits the last check-in in front; as it is, if nothing does."""
    if mood is None or not any(mood.suits(pk) for pk, _why in plan.items):
        return replace(plan, items=plan.items[:SHELF_SIZE])
    items = sorted(plan.items, key=lambda item: not mood.suits(item[0]))
    return Plan(
        plan.key,
        _("For you"),
        note,
        [(pk, mood.because if mood.suits(pk) else why) for pk, why in items[:SHELF_SIZE]],
        is_personal=True,
        is_by_mood=True,
    )


def _because(
    catalog: Sequence[CatalogRow], taste: Taste | None, model: ItemWeights | None
) -> Plan | None:
    """Neighbors of what was heard last; without a history, of what the editors put first."""
    if not catalog:
        return None
    if taste is None or model is None or not taste.heard_last:
        first = catalog[0][0]
        return Plan(
            "because",
            _("Goes well with %(title)s") % {"title": _mention(first)},
            _("One place to go on from, the same for everybody."),
            [(pk, _("Goes well with it")) for pk in _neighbors(first, model)],
        )
    skipped = set(taste.practice_ids)
    open_ids = {row[0] for row in catalog}
    near = [pk for pk in _neighbors(taste.heard_last, model, n=SHELF_SIZE * 3) if pk in open_ids]
    return Plan(
        "because",
        _because_of(taste.heard_last),
        _("What people who stay with it like as well."),
        [(pk, _("Goes well with it")) for pk in near if pk not in skipped][:SHELF_SIZE],
        is_personal=True,
    )


def _neighbors(practice_id: int, model: ItemWeights | None, *, n: int = SHELF_SIZE) -> list[int]:
    """What the model says goes well with a practice, best first; without that, the most alike."""
    if near := _learned_neighbors(practice_id, model, n=n):
        return near
    practice = by_ids([practice_id]).get(practice_id)
    return [other.pk for other in alike(practice, n=n)] if practice else []


def _learned_neighbors(practice_id: int, model: ItemWeights | None, *, n: int) -> list[int]:
    if model is None or practice_id not in model.practice_ids:
        return []
    index = int(np.searchsorted(model.practice_ids, practice_id))
    return [int(model.practice_ids[j]) for j in model.similar(index, n=n)]


def _again(history: Sequence[Habit]) -> Plan:
    """What the person came back to; their own history, so storing it is enough."""
    items = [(habit.practice_id, _times(habit.heard)) for habit in history[:SHELF_SIZE]]
    note = _("From the history you keep here.")
    return Plan("again", _("Listen again"), note, items, is_personal=True)


def _times(heard: int) -> str:
    if heard == 0:
        return _("A favorite of yours")
    times = ngettext("You heard it once", "You heard it %(count)s times", heard)
    return times % {"count": number_format(heard)}


def _for_moment(
    catalog: Sequence[CatalogRow],
    moment: Moment,
    asked: Intention | None,
    taste: Taste | None,
    model: ItemWeights | None,
    mood: LastMood | None,
) -> Plan:
    intention = asked or moment.intention
    title = str(ASKED[intention] if asked else moment.title)
    why = _("You asked for it") if asked else _("For this time of day")
    rows = [(pk, kind) for pk, kind, wanted, _seconds in catalog if wanted == intention]
    if taste is not None and model is not None:
        place = {int(pk): score for pk, score in zip(model.practice_ids, taste.scores, strict=True)}
        rows.sort(key=lambda row: -place.get(row[0], 0.0))
    elif model is not None:
        rows = _by_popularity(rows, model)
    if mood:
        rows.sort(key=lambda row: -mood.fit(row[0]))
    picked = [pk for pk, _kind in _mixed(rows)[:SHELF_SIZE]]
    if mood and (any(map(mood.fit, picked)) or (taste and taste.has_mood)):
        items = [(pk, mood.because if mood.fit(pk) else why) for pk in picked]
        note = _("By the hour on your own clock, and by your last check-in.")
        return Plan("moment", title, note, items, is_personal=True, is_by_mood=True)
    items = [(pk, why) for pk in picked]
    if taste is None:
        return Plan("moment", title, _("By the hour on your own clock."), items)
    note = _("By the hour on your own clock, in the order of your history.")
    return Plan("moment", title, note, items, is_personal=True)


def _popular(model: ItemWeights | None) -> Plan | None:
    """Counts of fewer than 20 people are never shown, nor ranked by."""
    if model is None:
        return None
    counts = model.people_per_practice
    shown = top_n(counts.astype(np.float64), n=SHELF_SIZE)
    items = [
        (
            int(model.practice_ids[i]),
            _("At least %(people)s people listen to it") % {"people": _tens(counts[i])},
        )
        for i in shown
        if counts[i] >= settings.SMALLEST_GROUP
    ]
    note = _("Counted among people who share; never fewer than %(people)s.") % {
        "people": settings.SMALLEST_GROUP
    }
    return Plan("popular", _("Popular here"), note, items)


def _tens(count: int) -> str:
    """Rounded down: from one release to the next, an exact count would show a single person."""
    return number_format(int(count) // 10 * 10, force_grouping=True)


def _short(catalog: Sequence[CatalogRow], model: ItemWeights | None) -> Plan:
    rows = [(pk, kind) for pk, kind, _i, seconds in catalog if seconds <= SHORT_SECONDS]
    if model is not None:
        rows = _by_popularity(rows, model)
    items = [(pk, _("Five minutes or less")) for pk, _kind in _mixed(rows)[:SHELF_SIZE]]
    return Plan("short", _("When there is little time"), _("Five minutes or less."), items)


def _by_popularity(rows: Sequence[tuple[int, str]], model: ItemWeights) -> list[tuple[int, str]]:
    counts = dict(zip(model.practice_ids.tolist(), model.people_per_practice.tolist(), strict=True))

    def people(row: tuple[int, str]) -> int:
        count: int = counts.get(row[0], 0)
        return count if count >= settings.SMALLEST_GROUP else 0

    return sorted(rows, key=people, reverse=True)


def _mixed(rows: Iterable[tuple[int, str]]) -> list[tuple[int, str]]:
    """The same order, but what would be the sixth of one kind on a shelf waits its turn."""
    taken: list[tuple[int, str]] = []
    waiting: list[tuple[int, str]] = []
    for row in rows:
        alike_so_far = sum(kind == row[1] for _pk, kind in taken[:SHELF_SIZE])
        if len(taken) < SHELF_SIZE and alike_so_far >= MOST_OF_ONE_KIND:
            waiting.append(row)
        else:
            taken.append(row)
    return taken + waiting


def _strongest_reason(
    taste: Taste, model: ItemWeights, practice_id: int, mood: LastMood | None
) -> str:
    """The part of a history that speaks for a practice most."""
    index = int(np.searchsorted(model.practice_ids, practice_id))
    parts = model.explain(index, history=taste.history, weights=taste.weights)
    position, part = max(parts, key=lambda pair: pair[1], default=(0, 0.0))
    if part <= 0:
        return ""
    if mood and taste.practice_ids[position] < 0:
        return mood.because
    return _because_of(taste.practice_ids[position])


def _because_of(practice_id: int) -> str:
    return _("Because you listened to %(title)s") % {"title": _mention(practice_id)}


def _mention(practice_id: int) -> str:
    """`{id}`, in place of a title that is filled in when practices are read."""
    return f"{{{practice_id}}}"


def _names(plans: Iterable[Plan]) -> dict[int, str]:
    """The titles that plans mention as {id}, of practices that were unpublished since as well."""
    texts = [text for plan in plans for text in (plan.title, *(why for _pk, why in plan.items))]
    mentioned = {int(pk) for text in texts for pk in _MENTION.findall(text)}
    return dict(Practice.objects.filter(pk__in=mentioned).values_list("pk", "title"))


def _named(text: str, names: dict[int, str]) -> str:
    return _MENTION.sub(lambda found: names.get(int(found[1]), _("something like it")), text)


def _cards(plan: Plan, practices: dict[int, Practice], names: dict[int, str]) -> Iterator[Card]:
    for pk, why in plan.items:
        if practice := practices.get(pk):
            is_explained = plan.is_personal and plan.key != "again"
            url = reverse("recommendations:why", args=[practice.slug]) if is_explained else ""
            yield Card(practice, _named(why, names), url)


def similar(practice: Practice, *, now: datetime) -> Shelf:
    """What goes well with a practice: the model's neighbors, or the most alike by content."""
    ids = _neighbors(practice.pk, current_model(now))
    practices = by_ids(ids)
    cards = [Card(practices[pk]) for pk in ids if pk in practices]
    return Shelf("similar", _("Goes well with this"), _("The same for everybody."), cards)
