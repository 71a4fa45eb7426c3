"""The shelves of the home page, for a person who shares and for one who shares nothing.

Everybody gets the same shelves of the same size: what differs is only what stands on them and
where that comes from. (Without a yes to storing, "Listen again" is kept and drawn by the device.)
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
from django.conf import settings
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from privacy_center.interface import Person
from recommendations.engine.diversity import overlap, spread
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.models import Intention, Practice
from recommendations.selectors.behavior import served_to
from recommendations.selectors.catalog import Catalog, CatalogRow, Kinded, catalog_of
from recommendations.selectors.listening import Habit
from recommendations.selectors.mood import LastMood, last_mood
from recommendations.selectors.release import model_of, served
from recommendations.selectors.shelf_texts import ShelfTexts, at_least, shelf_texts, times_heard
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


# A practice by its id, and why it stands on a shelf.
Item = tuple[int, str]


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
    language: str | None

    @property
    def texts(self) -> ShelfTexts:
        return shelf_texts(self.language)

    @property
    def has_hidden(self) -> bool:
        """Whether the person hides anything."""
        return self.rows is not self.catalog.rows

    def open(self, rows: Sequence[Kinded]) -> Sequence[Kinded]:
        """Those of some published practices that the person does not hide."""
        if not self.has_hidden:
            return rows
        return [row for row in rows if row[0] in self.open_ids]


def shelves(
    person: Person, *, now: datetime, intention: Intention | None, utc_offset_minutes: int
) -> list[Shelf]:
    """The home page's shelves, best first; a shelf with nothing to say is left out."""
    basis = _basis(person, now)
    moment = moment_at(now, utc_offset_minutes=utc_offset_minutes)
    found = [
        _for_you(basis),
        _because(basis),
        _again(basis),
        _for_moment(basis, moment, intention),
        _everybodys(basis, _popular),
        _everybodys(basis, _short),
    ]
    return [shelf for shelf in found if shelf and shelf.cards]


def _basis(person: Person, now: datetime) -> Basis:
    found = served_to(person, now=now)
    site, own, person = found.site, found.behavior, found.person
    model, catalog, hidden = model_of(site.active), catalog_of(site.edition), own.hidden
    mood = last_mood(person, own.check_in, catalog=catalog)
    taste = taste_of(person, model, history=own.history, hidden=hidden, mood=mood)
    rows, open_ids = catalog.rows, catalog.published
    if hidden:
        rows, open_ids = [row for row in rows if row[0] not in hidden], open_ids - hidden
    return Basis(catalog, rows, open_ids, own.history, model, taste, mood, get_language())


def _cards(items: Iterable[Item], basis: Basis, *, is_explained: bool) -> list[Card]:
    """What a person hides is on none of their shelves, also not on those that are everybody's."""
    practices, open_ids = basis.catalog.practices, basis.open_ids
    return [Card(practices[pk], why, is_explained) for pk, why in items if pk in open_ids]


def _for_you(basis: Basis) -> Shelf:
    taste, mood, texts = basis.taste, basis.mood, basis.texts
    if taste is None or basis.model is None:
        kinded = ((pk, kind) for pk, kind, _intention, _seconds in basis.rows)
        wanted = len(basis.rows) if mood else SHELF_SIZE
        items = [(pk, texts.editors_choice) for pk, _kind in islice(_mixed(kinded), wanted)]
        if first := _suiting_first(items, mood):
            cards = _cards(first, basis, is_explained=True)
            return Shelf("for-you", texts.for_you, texts.by_editors_and_mood, cards, True, True)
        cards = _cards(items[:SHELF_SIZE], basis, is_explained=False)
        return Shelf("for-you", texts.begin, texts.by_editors, cards)
    # Twice a shelf where there may be something to put in front.
    wanted = SHELF_SIZE * (2 if mood else 1)
    picked = best_spread(taste, basis.model, basis.open_ids, basis.catalog, n=wanted)
    items = list(zip(picked, _reasons(taste, basis.model, picked, basis), strict=True))
    note = texts.by_history if taste.heard else texts.by_mood
    first = _suiting_first(items, mood)
    if first and taste.heard:
        note = texts.by_both
    cards = _cards(first or items[:SHELF_SIZE], basis, is_explained=True)
    is_by_mood = taste.has_mood or bool(first)
    return Shelf("for-you", texts.for_you, note, cards, True, is_by_mood)


def _suiting_first(items: Sequence[Item], mood: LastMood | None) -> Sequence[Item]:
    """A shelf with what suits the last check-in in front; empty if nothing does."""
    if mood is None or not any(mood.suits(pk) for pk, _why in items):
        return ()
    ordered = sorted(items, key=lambda item: not mood.suits(item[0]))
    return [(pk, mood.because if mood.suits(pk) else why) for pk, why in ordered[:SHELF_SIZE]]


def _because(basis: Basis) -> Shelf | None:
    """Neighbors of what was heard last; without a history, of what the editors put first."""
    taste, texts = basis.taste, basis.texts
    if not basis.rows:
        return None
    if taste is None or basis.model is None or not taste.heard_last:
        first = basis.rows[0][0]
        title = texts.goes_well_with % {"title": basis.catalog.practices[first].title}
        items = [(pk, texts.goes_well) for pk in _neighbors(first, basis.model, basis.catalog)]
        return Shelf("because", title, texts.one_place, _cards(items, basis, is_explained=False))
    skipped = set(taste.practice_ids)
    near = _neighbors(taste.heard_last, basis.model, basis.catalog, n=SHELF_SIZE * 3)
    items = [(pk, texts.goes_well) for pk in near if pk not in skipped]
    cards = _cards(items, basis, is_explained=True)[:SHELF_SIZE]
    title = _because_of(taste.heard_last, basis)
    return Shelf("because", title, texts.what_people_like, cards, is_personal=True)


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


def _again(basis: Basis) -> Shelf:
    """What the person came back to; their own history, so storing it is enough."""
    items = [
        (habit.practice_id, times_heard(habit.heard, language=basis.language))
        for habit in basis.history[:SHELF_SIZE]
    ]
    cards, texts = _cards(items, basis, is_explained=False), basis.texts
    return Shelf("again", texts.again, texts.from_history, cards, is_personal=True)


def _for_moment(basis: Basis, moment: Moment, asked: Intention | None) -> Shelf:
    taste, mood, texts = basis.taste, basis.mood, basis.texts
    intention = asked or moment.intention
    title = str(ASKED[intention] if asked else moment.title)
    why = texts.asked if asked else texts.time_of_day
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
        cards = _cards(items, basis, is_explained=True)
        return Shelf("moment", title, texts.by_hour_and_mood, cards, True, True)
    cards = _cards([(pk, why) for pk in picked], basis, is_explained=taste is not None)
    if taste is None:
        return Shelf("moment", title, texts.by_hour, cards)
    return Shelf("moment", title, texts.by_hour_and_history, cards, is_personal=True)


# By release, as long as it is served: a shelf for each maker, edition of the catalog and language.
_made: WeakKeyDictionary[ItemWeights, dict[object, Shelf]] = WeakKeyDictionary()


def _everybodys(basis: Basis, make: Callable[[Basis], Shelf]) -> Shelf | None:
    """A shelf that is the same for all who hide nothing, made for the first of them."""
    edition = basis.catalog.edition
    if basis.model is None or edition is None or basis.has_hidden:
        return make(basis)
    made, key = _made.setdefault(basis.model, {}), (make, edition, basis.language)
    if key not in made:
        made[key] = make(basis)
    return made[key]


def _popular(basis: Basis) -> Shelf:
    """Counts of fewer than 20 people are never shown, nor ranked by; empty without a model."""
    model, texts = basis.model, basis.texts
    note = texts.counted % {"people": settings.SMALLEST_GROUP}
    if model is None:
        return Shelf("popular", texts.popular, note, ())
    counts = model.people_per_practice
    best = top_n(counts.astype(np.float64), n=SHELF_SIZE)
    best = best[counts[best] >= settings.SMALLEST_GROUP]
    pairs = zip(model.practice_ids[best].tolist(), counts[best].tolist(), strict=True)
    items = [(pk, at_least(n // 10 * 10, language=basis.language)) for pk, n in pairs]
    return Shelf("popular", texts.popular, note, _cards(items, basis, is_explained=False))


def _short(basis: Basis) -> Shelf:
    texts, rows = basis.texts, basis.open(basis.catalog.short)
    if basis.model is not None:
        rows = _by_popularity(rows, basis.model)
    items = [(pk, texts.five_minutes) for pk, _kind in islice(_mixed(rows), SHELF_SIZE)]
    cards = _cards(items, basis, is_explained=False)
    return Shelf("short", texts.little_time, texts.short, cards)


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
    alike = overlap(catalog.tags[[catalog.places[pk] for pk, _score in candidates]])
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

    def reason(position: int | None) -> str:
        if position is None:
            return ""
        if basis.mood and taste.practice_ids[position] < 0:
            return basis.mood.because
        return _because_of(taste.practice_ids[position], basis)

    return [reason(position) for position in taste.strongest(model, practice_ids)]


def _because_of(practice_id: int, basis: Basis) -> str:
    """Also of a practice that was unpublished since."""
    practice = basis.catalog.practices.get(practice_id)
    return basis.texts.because % {"title": practice.title if practice else basis.texts.something}


def similar(practice: Practice, *, now: datetime) -> Shelf:
    """What goes well with a practice: the model's neighbors, or the most alike by content."""
    site = served(now)
    catalog = catalog_of(site.edition)
    ids = _neighbors(practice.pk, model_of(site.active), catalog)
    cards = [Card(catalog.practices[pk]) for pk in ids if pk in catalog.published]
    return Shelf("similar", _("Goes well with this"), _("The same for everybody."), cards)
