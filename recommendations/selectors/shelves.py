"""The shelves of the home page, for a person who shares and for one who shares nothing.

Everybody gets the same shelves of the same size: what differs is only what stands on them and
where that comes from. (Without a yes to storing, "Listen again" is kept and drawn by the device.)
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

import numpy as np
from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from privacy_center.interface import Person
from recommendations.engine.diversity import likeness, spread
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.models import Intention, Practice
from recommendations.selectors.behavior import served_to
from recommendations.selectors.catalog import Catalog, CatalogRow, Kinded, catalog_of
from recommendations.selectors.listening import Habit
from recommendations.selectors.mood import LastMood, last_mood
from recommendations.selectors.release import model_of, served
from recommendations.selectors.taste import Taste, rows_of, taste_of

SHELF_SIZE = 12
MOST_OF_ONE_KIND = 5


class Card(NamedTuple):
    """A practice on a shelf, and why it stands there."""

    practice: Practice
    why: str = ""
    is_explained: bool = False

    @property
    def why_url(self) -> str:
        """Where the reason is told in full; empty where nothing about the person is in it."""
        if not self.is_explained:
            return ""
        return reverse("recommendations:why", args=[self.practice.slug])


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
    """A shelf by practice ids, before what the person hides is taken away."""

    key: str
    title: str
    note: str
    items: Sequence[tuple[int, str]]
    is_personal: bool = False
    is_by_mood: bool = False


@dataclass(frozen=True, eq=False)
class Basis:
    """What somebody's shelves are made of; `rows` and `open_ids` are the published practices that
    they do not hide."""

    catalog: Catalog
    rows: Sequence[CatalogRow]
    open_ids: Collection[int]
    history: Sequence[Habit]
    model: ItemWeights | None
    taste: Taste | None
    mood: LastMood | None

    def open(self, rows: Sequence[Kinded]) -> Sequence[Kinded]:
        """Those of some published practices that the person does not hide."""
        if self.rows is self.catalog.rows:
            return rows
        return [row for row in rows if row[0] in self.open_ids]


def shelves(
    person: Person, *, now: datetime, intention: Intention | None, utc_offset_minutes: int
) -> list[Shelf]:
    """The home page's shelves, best first; a shelf with nothing to say is left out."""
    basis = _basis(person, now)
    moment = moment_at(now, utc_offset_minutes=utc_offset_minutes)
    plans = [
        _for_you(basis),
        _because(basis),
        _again(basis.history),
        _for_moment(basis, moment, intention),
        _popular(basis.model),
        _short(basis),
    ]
    shown = [(plan, list(_cards(plan, basis))) for plan in plans if plan]
    return [
        Shelf(plan.key, plan.title, plan.note, cards, plan.is_personal, plan.is_by_mood)
        for plan, cards in shown
        if cards
    ]


def _basis(person: Person, now: datetime) -> Basis:
    found = served_to(person, now=now)
    site, own = found.site, found.behavior
    model, catalog, hidden = model_of(site.active), catalog_of(site.edition), own.hidden
    mood = last_mood(person, own.check_in, catalog=catalog)
    taste = taste_of(person, model, history=own.history, hidden=hidden, mood=mood)
    rows, open_ids = catalog.rows, catalog.published
    if hidden:
        rows, open_ids = [row for row in rows if row[0] not in hidden], open_ids - hidden
    return Basis(catalog, rows, open_ids, own.history, model, taste, mood)


def _cards(plan: Plan, basis: Basis) -> Iterator[Card]:
    """What a person hides is on none of their shelves, also not on those that are everybody's."""
    is_explained = plan.is_personal and plan.key != "again"
    for pk, why in plan.items:
        if pk in basis.open_ids:
            yield Card(basis.catalog.practices[pk], why, is_explained)


def _for_you(basis: Basis) -> Plan:
    taste, mood = basis.taste, basis.mood
    if taste is None or basis.model is None:
        kinded = ((pk, kind) for pk, kind, _intention, _seconds in basis.rows)
        wanted = len(basis.rows) if mood else SHELF_SIZE
        picked = [pk for pk, _kind in islice(_mixed(kinded), wanted)]
        why = _("An editors' choice")
        plan = Plan(
            "for-you",
            _("A good place to begin"),
            _("Chosen by our editors, the same for everybody."),
            [(pk, why) for pk in picked],
        )
        return _suiting_first(plan, mood, note=_("By our editors and your last check-in."))
    # Twice a shelf where there may be something to put in front.
    wanted = SHELF_SIZE * (2 if mood else 1)
    picked = best_spread(taste, basis.model, basis.open_ids, basis.catalog, n=wanted)
    plan = Plan(
        "for-you",
        _("For you"),
        _("Shaped by your own history.") if taste.heard else _("Shaped by your last check-in."),
        list(zip(picked, _reasons(taste, basis.model, picked, basis), strict=True)),
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


def _because(basis: Basis) -> Plan | None:
    """Neighbors of what was heard last; without a history, of what the editors put first."""
    taste, why = basis.taste, _("Goes well with it")
    if not basis.rows:
        return None
    if taste is None or basis.model is None or not taste.heard_last:
        first = basis.rows[0][0]
        return Plan(
            "because",
            _("Goes well with %(title)s") % {"title": basis.catalog.practices[first].title},
            _("One place to go on from, the same for everybody."),
            [(pk, why) for pk in _neighbors(first, basis.model, basis.catalog)],
        )
    skipped = set(taste.practice_ids)
    near = _neighbors(taste.heard_last, basis.model, basis.catalog, n=SHELF_SIZE * 3)
    items = [(pk, why) for pk in near if pk in basis.open_ids and pk not in skipped]
    return Plan(
        "because",
        _("Because you listened to %(title)s") % {"title": _title(taste.heard_last, basis)},
        _("What people who stay with it like as well."),
        items[:SHELF_SIZE],
        is_personal=True,
    )


def _neighbors(
    practice_id: int, model: ItemWeights | None, catalog: Catalog, *, n: int = SHELF_SIZE
) -> list[int]:
    """What the model says goes well with a practice, best first; without that, the most alike."""
    return _learned_neighbors(practice_id, model, n=n) or catalog.alike(practice_id, n=n)


def _learned_neighbors(practice_id: int, model: ItemWeights | None, *, n: int) -> list[int]:
    if model is None or practice_id not in model.practice_ids:
        return []
    index = int(np.searchsorted(model.practice_ids, practice_id))
    return [int(model.practice_ids[j]) for j in model.similar(index, n=n)]


def _again(history: Sequence[Habit]) -> Plan:
    """What the person came back to; their own history, so storing it is enough."""
    language = get_language()
    items = [(habit.practice_id, _times(habit.heard, language)) for habit in history[:SHELF_SIZE]]
    note = _("From the history you keep here.")
    return Plan("again", _("Listen again"), note, items, is_personal=True)


@lru_cache(maxsize=4096)
def _times(heard: int, _language: str | None) -> str:
    """In the language that is active, which is told apart for the sake of the cache alone."""
    if heard == 0:
        return _("A favorite of yours")
    times = ngettext("You heard it once", "You heard it %(count)s times", heard)
    return times % {"count": number_format(heard)}


def _for_moment(basis: Basis, moment: Moment, asked: Intention | None) -> Plan:
    taste, mood = basis.taste, basis.mood
    intention = asked or moment.intention
    title = str(ASKED[intention] if asked else moment.title)
    why = _("You asked for it") if asked else _("For this time of day")
    rows = basis.open(basis.catalog.by_intention[intention])
    if taste is not None and basis.model is not None:
        rows = _highest_first(rows, basis.model, taste.scores)
    elif basis.model is not None:
        rows = _by_popularity(rows, basis.model)
    if mood:
        rows = sorted(rows, key=lambda row: -mood.fit(row[0]))
    picked = [pk for pk, _kind in islice(_mixed(rows), SHELF_SIZE)]
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
    best = top_n(counts.astype(np.float64), n=SHELF_SIZE)
    best, language = best[counts[best] >= settings.SMALLEST_GROUP], get_language()
    pairs = zip(model.practice_ids[best].tolist(), counts[best].tolist(), strict=True)
    items = [(pk, _at_least(count // 10 * 10, language)) for pk, count in pairs]
    note = _("Counted among people who share; never fewer than %(people)s.") % {
        "people": settings.SMALLEST_GROUP
    }
    return Plan("popular", _("Popular here"), note, items)


@lru_cache(maxsize=4096)
def _at_least(people: int, _language: str | None) -> str:
    """Of a count that was rounded down to tens: from one release to the next, an exact one would
    show a single person. The language is as in `_times`."""
    shown = number_format(people, force_grouping=True)
    return _("At least %(people)s people listen to it") % {"people": shown}


def _short(basis: Basis) -> Plan:
    why = _("Five minutes or less")
    rows = basis.open(basis.catalog.short)
    if basis.model is not None:
        rows = _by_popularity(rows, basis.model)
    items = [(pk, why) for pk, _kind in islice(_mixed(rows), SHELF_SIZE)]
    return Plan("short", _("When there is little time"), _("Five minutes or less."), items)


def _by_popularity(rows: Sequence[Kinded], model: ItemWeights) -> Sequence[Kinded]:
    counts = model.people_per_practice
    return _highest_first(rows, model, np.where(counts >= settings.SMALLEST_GROUP, counts, 0))


def _highest_first(
    rows: Sequence[Kinded], model: ItemWeights, values: NDArray[np.number]
) -> Sequence[Kinded]:
    """By a number for each practice of the model, 0 for others; equal ones in the order given."""
    places = rows_of(model, [pk for pk, _kind in rows])
    keys = np.where(places >= 0, values[places], 0) if len(values) else np.zeros(len(rows))
    return [rows[i] for i in np.argsort(-keys, kind="stable").tolist()]


def best_spread(
    taste: Taste,
    model: ItemWeights,
    open_ids: Collection[int],
    catalog: Catalog,
    *,
    n: int = SHELF_SIZE,
) -> list[int]:
    """What a taste speaks for most, without a row of near-duplicates: at most n practices."""
    ranked = top_n(taste.scores, n=SHELF_SIZE * 4, exclude=np.array(taste.heard, dtype=np.int64))
    ranked = ranked[taste.scores[ranked] > 0]
    pairs = zip(model.practice_ids[ranked].tolist(), taste.scores[ranked].tolist(), strict=True)
    candidates = [(pk, score) for pk, score in pairs if pk in open_ids]
    alike = likeness([catalog.tags[pk] for pk, _score in candidates])
    scores = np.array([score for _pk, score in candidates])
    return [candidates[i][0] for i in spread(scores, alike=alike, n=n).tolist()]


def _mixed(rows: Iterable[Kinded]) -> Iterator[Kinded]:
    """Where there is an order and no score: the same order, but what would be the sixth of one kind
    on a shelf waits its turn."""
    waiting: list[Kinded] = []
    kinds, coming = Counter[str](), iter(rows)
    for row in coming:
        if kinds[row[1]] == MOST_OF_ONE_KIND:
            waiting.append(row)
            continue
        yield row
        kinds[row[1]] += 1
        if kinds.total() == SHELF_SIZE:
            break
    yield from coming
    yield from waiting


def _reasons(
    taste: Taste, model: ItemWeights, practice_ids: Sequence[int], basis: Basis
) -> list[str]:
    """For each practice, the part of the history that speaks for it most; empty where none does."""
    because = _("Because you listened to %(title)s")

    def reason(position: int | None) -> str:
        if position is None:
            return ""
        if basis.mood and taste.practice_ids[position] < 0:
            return basis.mood.because
        return because % {"title": _title(taste.practice_ids[position], basis)}

    return [reason(position) for position in taste.strongest(model, practice_ids)]


def _title(practice_id: int, basis: Basis) -> str:
    """Also of a practice that was unpublished since."""
    practice = basis.catalog.practices.get(practice_id)
    return practice.title if practice else _("something like it")


def similar(practice: Practice, *, now: datetime) -> Shelf:
    """What goes well with a practice: the model's neighbors, or the most alike by content."""
    site = served(now)
    catalog = catalog_of(site.edition)
    ids = _neighbors(practice.pk, model_of(site.active), catalog)
    cards = [Card(catalog.practices[pk]) for pk in ids if pk in catalog.published]
    return Shelf("similar", _("Goes well with this"), _("The same for everybody."), cards)
