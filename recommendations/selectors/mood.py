"""Check-ins, as the person may see them and as their own shelves use the last one."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from privacy_center.interface import Person, unseal
from recommendations.models import CheckIn, Energy, Label, Moment, Mood, Practice, Valence
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
    text = unseal(check_in.subject_id, bytes(check_in.sealed), context=f"check-in {check_in.pk}")
    if text is None:
        return None
    said = json.loads(text)
    return Words(tuple(Label(label) for label in said["labels"]), said["note"])


def told(check_in: CheckIn) -> Told:
    """The check-in with its words."""
    return Told(check_in, words_of(check_in))


def last_mood(person: Person, *, now: datetime) -> LastMood | None:
    """None without a live yes to shelves by mood, or without a check-in of the last 12 hours."""
    if person.subject_id is None or not person.can_personalize_mood:
        return None
    recent = check_ins_of(person.subject_id).filter(at__gt=now - SHAPES_FOR, at__lte=now)
    check_in = recent.first()
    if check_in is None:
        return None
    words = words_of(check_in)
    labels = words.labels if words else ()
    wish = wish_of(Mood(check_in.mood), labels)
    return LastMood(Mood(check_in.mood), _because(check_in, labels), _fits(wish))


def next_moment(subject_id: UUID, practice_id: int, *, now: datetime) -> Moment:
    """What a check-in beside a practice most likely is: after, when one before it is recent."""
    latest = (
        check_ins_of(subject_id)
        .filter(practice_id=practice_id, at__gt=now - PAIRED_WITHIN)
        .values_list("moment", flat=True)
        .first()
    )
    return Moment.AFTER if latest == Moment.BEFORE else Moment.BEFORE


def _because(check_in: CheckIn, labels: tuple[Label, ...]) -> str:
    if labels:
        return _("Because you said you feel %(label)s") % {"label": labels[0].label.lower()}
    valence, energy = Valence(check_in.valence).label, Energy(check_in.energy).label
    return _("Because you said: %(valence)s, %(energy)s") % {
        "valence": str(valence).lower(),
        "energy": str(energy).lower(),
    }


def _fits(wish: Wish) -> dict[int, int]:
    if not (wish.intentions or wish.topics):
        return {}
    wanted = Q(intention__in=wish.intentions) | Q(topics__slug__in=wish.topics)
    rows = (
        Practice.objects.filter(wanted, is_published=True)
        .order_by("pk")
        .values_list("pk", "intention", "topics__slug")
    )
    by_intention = {pk for pk, intention, _topic in rows if intention in wish.intentions}
    by_topic = {pk for pk, _intention, topic in rows if topic in wish.topics}
    return {pk: (pk in by_intention) + (pk in by_topic) for pk in sorted(by_intention | by_topic)}
