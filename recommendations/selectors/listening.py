"""What a person did, as they may see it and as their shelves use it."""

from dataclasses import dataclass
from uuid import UUID

from django.db import connection

from privacy_center.interface import Person
from recommendations.models import Favorite, HiddenPractice, Listen, Rating
from recommendations.weights import HEARD_FROM, WHOLE_FROM


@dataclass(frozen=True)
class Habit:
    """One practice in a person's history."""

    practice_id: int
    heard: int
    whole: int
    favorites: int


_HABITS = """
SELECT practice_id, heard, whole, favorites FROM habits_of(%s, %s, %s)
ORDER BY heard_last DESC NULLS LAST, practice_id
"""


def counted_habits(subject_id: UUID) -> list[Habit]:
    """What counts of a history, by practice, the one heard last first: all but what the person left
    out of their taste."""
    with connection.cursor() as cursor:
        cursor.execute(_HABITS, [subject_id, HEARD_FROM, WHOLE_FROM])
        return [Habit(*row) for row in cursor.fetchall()]


def hidden_ids(person: Person) -> set[int]:
    """Practices that the person does not want on a shelf; empty without a yes to shaping them."""
    if person.subject_id is None or not person.can_personalize:
        return set()
    rows = HiddenPractice.objects.filter(subject_id=person.subject_id)
    return set(rows.values_list("practice_id", flat=True))


def favorite_ids(subject_id: UUID) -> list[int]:
    """Practices marked as favorites, newest first."""
    rows = Favorite.objects.filter(subject_id=subject_id).order_by("-created_at", "pk")
    return list(rows.values_list("practice_id", flat=True))


def is_favorite(subject_id: UUID, practice_id: int) -> bool:
    return Favorite.objects.filter(subject_id=subject_id, practice_id=practice_id).exists()


def rating_of(subject_id: UUID, practice_id: int) -> int | None:
    """The person's own rating of a practice, 1 to 5."""
    rating = Rating.objects.filter(subject_id=subject_id, practice_id=practice_id).first()
    return rating.value if rating else None


def resume_position(subject_id: UUID, practice_id: int) -> int:
    """Where the person stopped last time, in seconds; 0 when they heard it to the end."""
    listen = (
        Listen.objects.filter(subject_id=subject_id, practice_id=practice_id)
        .order_by("-started_at")
        .first()
    )
    return 0 if listen is None or listen.completion >= WHOLE_FROM else listen.position
