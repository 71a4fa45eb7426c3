"""Check-ins, as the person may see them and as their own shelves use the last one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from privacy_center.interface import Person, unseal
from recommendations.models import CheckIn, Energy, Label, Moment, Mood, Valence
from recommendations.selectors.catalog import Catalog
from recommendations.wishes import Wish, wish_of

SHAPES_FOR = timedelta(hours=12)
PAIRED_WITHIN = timedelta(hours=3)


@dataclass(frozen=True)
class Words:
    """What a check-in says in words; the only part of it that is encrypted."""

    labels: tuple[Label, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Told:
    """A check-in as its person reads it; without `words`, their key is gone and so are they."""

    check_in: CheckIn
    words: Words | None

    @property
    def valence(self) -> str:
        return str(Valence(self.check_in.valence).label)

    @property
    def energy(self) -> str:
        return str(Energy(self.check_in.energy).label)


@dataclass(frozen=True)
class LastMood:
    """What the last check-in says to the person's own shelves.

    `fits` counts, by practice, the intention and the topics it asks for: 1 for either, 2 for both.
    """

    mood: Mood
    because: str
    fits: Mapping[int, int]

    def fit(self, practice_id: int) -> int:
        """How well a practice fits, 0 to 2."""
        return self.fits.get(practice_id, 0)

    def suits(self, practice_id: int) -> bool:
        """Whether nothing fits better."""
        return bool(self.fits) and self.fit(practice_id) == max(self.fits.values())


def check_ins_of(subject_id: UUID) -> QuerySet[CheckIn]:
    """Every check-in of a person, newest first."""
    own = CheckIn.objects.filter(subject_id=subject_id)
    return own.select_related("practice").order_by("-at", "-pk")


def words_of(check_in: CheckIn) -> Words | None:
    """The labels and the note; None when the person's key does not open them any more."""
    sealed, context = bytes(check_in.sealed), _context(check_in.pk)
    return _words(unseal(check_in.subject_id, sealed, context=context))


def _context(check_in_id: UUID) -> str:
    return f"check-in {check_in_id}"


def _words(text: str | None) -> Words | None:
    if text is None:
        return None
    said = json.loads(text)
    return Words(tuple(Label(label) for label in said["labels"]), said["note"])


def told(check_in: CheckIn) -> Told:
    """The check-in with its words."""
    return Told(check_in, words_of(check_in))


@dataclass(frozen=True)
class LastCheckIn:
    """The newest check-in of the last 12 hours, as it is stored."""

    id: UUID
    mood: Mood
    valence: Valence
    energy: Energy
    sealed: bytes


def last_mood(person: Person, check_in: LastCheckIn | None, *, catalog: Catalog) -> LastMood | None:
    """None without a live yes to shelves by mood, or without a check-in."""
    if check_in is None or not person.can_personalize_mood:
        return None
    words = _words(person.unseal(check_in.sealed, context=_context(check_in.id)))
    labels = words.labels if words else ()
    fits = _fits(wish_of(check_in.mood, labels), catalog)
    return LastMood(check_in.mood, _because(check_in, labels), fits)


def next_moment(subject_id: UUID, practice_id: int, *, now: datetime) -> Moment:
    """What a check-in beside a practice most likely is: after, when one before it is recent."""
    latest = (
        check_ins_of(subject_id)
        .filter(practice_id=practice_id, at__gt=now - PAIRED_WITHIN)
        .values_list("moment", flat=True)
        .first()
    )
    return Moment.AFTER if latest == Moment.BEFORE else Moment.BEFORE


def _because(check_in: LastCheckIn, labels: tuple[Label, ...]) -> str:
    if labels:
        return _("Because you said you feel %(label)s") % {"label": labels[0].label.lower()}
    return _("Because you said: %(valence)s, %(energy)s") % {
        "valence": str(check_in.valence.label).lower(),
        "energy": str(check_in.energy.label).lower(),
    }


def _fits(wish: Wish, catalog: Catalog) -> dict[int, int]:
    fits = {
        pk: (intention in wish.intentions) + (not catalog.topics[pk].isdisjoint(wish.topics))
        for pk, _kind, intention, _seconds in catalog.rows
    }
    return {pk: fit for pk, fit in fits.items() if fit}
