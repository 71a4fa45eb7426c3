"""What people do with practices. Every row names the consent record it was stored under.

Triggers refuse a row without a live `listening:store`, and refuse to let that consent end while
rows are left (migrations `0002_no_purpose_no_row`, `0004_history_and_taste`).
"""

import uuid

from django.db import models

from recommendations.models.practice import Practice


class Stored(models.Model):
    """Behavior of a data subject, stored under a consent record."""

    subject_id = models.UUIDField()
    consent_id = models.UUIDField(help_text="The record that says this may be stored.")
    # A practice that somebody heard is unpublished, not deleted.
    practice = models.ForeignKey(Practice, on_delete=models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Listen(Stored):
    """One sitting with one practice; the id is made by the client, so sending twice is safe."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    started_at = models.DateTimeField()
    seconds = models.PositiveIntegerField(help_text="Seconds heard.")
    position = models.PositiveIntegerField(help_text="Where the person was, in seconds.")
    completion = models.FloatField(help_text="Share of the practice that was heard, 0 to 1.")
    is_excluded = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Stays in the history, and is used neither for shelves nor for training.",
    )

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-started_at"], name="listen_by_subject")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(completion__gte=0, completion__lte=1),
                name="listen_completion_is_a_share",
            )
        ]

    def __str__(self) -> str:
        return f"listen {self.pk}"


class Rating(Stored):
    """How a practice left the person, 1 (heavier) to 5 (lighter)."""

    value = models.PositiveSmallIntegerField()
    rated_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "practice"], name="one_rating_each"),
            models.CheckConstraint(
                condition=models.Q(value__gte=1, value__lte=5), name="rating_is_1_to_5"
            ),
        ]

    def __str__(self) -> str:
        return f"rating {self.pk}"


class Favorite(Stored):
    """A practice the person wants to find again."""

    created_at = models.DateTimeField()
    is_excluded = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Stays a favorite, and is used neither for shelves nor for training.",
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "practice"], name="one_favorite_each")
        ]

    def __str__(self) -> str:
        return f"favorite {self.pk}"


class HiddenPractice(Stored):
    """A practice the person does not want to see on a shelf."""

    hidden_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_id", "practice"], name="one_hidden_each")
        ]

    def __str__(self) -> str:
        return f"hidden practice {self.pk}"
