"""Check-ins: how a person said they feel. Health data, stored only under an explicit yes.

Triggers refuse a row without a live `mood:store`, and refuse to let that consent end while rows
are left (migration `0005_mood`).
"""

import uuid

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Case, Q, Value, When
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recommendations.models.practice import Practice


class Valence(models.IntegerChoices):
    """How it feels, from heavy to light."""

    VERY_HEAVY = -2, _("Very heavy")
    HEAVY = -1, _("Heavy")
    IN_BETWEEN = 0, _("In between")
    LIGHT = 1, pgettext_lazy("mood", "Light")
    VERY_LIGHT = 2, _("Very light")


class Energy(models.IntegerChoices):
    """How much energy there is, from none to plenty."""

    WORN_OUT = -2, _("Worn out")
    TIRED = -1, _("Tired")
    STEADY = 0, _("Steady")
    AWAKE = 1, _("Awake")
    WIDE_AWAKE = 2, _("Wide awake")


class Label(models.TextChoices):
    """Words to choose from, at most five. They are stored encrypted, with the note."""

    CALM = "calm", pgettext_lazy("mood", "Calm")
    CONTENT = "content", _("Content")
    GRATEFUL = "grateful", _("Grateful")
    HOPEFUL = "hopeful", _("Hopeful")
    RESTLESS = "restless", _("Restless")
    WORRIED = "worried", _("Worried")
    OVERWHELMED = "overwhelmed", _("Overwhelmed")
    ANGRY = "angry", _("Angry")
    SAD = "sad", _("Sad")
    LONELY = "lonely", _("Lonely")
    SORE = "sore", _("Sore")
    SLEEPLESS = "sleepless", _("Sleepless")


class Mood(models.IntegerChoices):
    """The six fields of valence and energy; all that the model learns of a check-in."""

    RESTLESS = 1, _("heavy and awake")
    LOW = 2, _("heavy and tired")
    TIRED = 3, _("tired")
    EVEN = 4, _("in between")
    CALM = 5, _("light and calm")
    BRIGHT = 6, _("light and awake")

    @property
    def context_id(self) -> int:
        """The mood's id among the columns of the Gram matrix; practices have the positive ones."""
        return -self.value


class Moment(models.TextChoices):
    """When the person checked in."""

    BEFORE = "before", _("Before")
    AFTER = "after", _("After")
    NONE = "none", _("On its own")


MOST_LABELS = 5
LONGEST_NOTE = 500

# As for names of practices, but of several lines; an empty note is none.
is_plain_note = RegexValidator(
    r"^(?=[\s\S]*[^\s\u200b-\u200d\u2060\ufeff])"
    r"[^\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*\Z",
    _("Use visible text without control characters or direction marks."),
)

_MOOD = Case(
    When(valence__lt=0, energy__gt=0, then=Value(Mood.RESTLESS.value)),
    When(valence__lt=0, then=Value(Mood.LOW.value)),
    When(valence=0, energy__lt=0, then=Value(Mood.TIRED.value)),
    When(valence=0, then=Value(Mood.EVEN.value)),
    When(energy__lte=0, then=Value(Mood.CALM.value)),
    default=Value(Mood.BRIGHT.value),
)


class CheckIn(models.Model):
    """How a person said they feel; the id is made by the client, so sending twice is safe.

    `sealed` is JSON `{"labels": [...], "note": "..."}`, encrypted under the person's own key.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    subject_id = models.UUIDField()
    consent_id = models.UUIDField(help_text="The record that says this may be stored.")
    practice = models.ForeignKey(
        Practice, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    moment = models.CharField(max_length=6, choices=Moment)
    valence = models.SmallIntegerField(choices=Valence)
    energy = models.SmallIntegerField(choices=Energy)
    mood = models.GeneratedField(
        expression=_MOOD, output_field=models.SmallIntegerField(choices=Mood), db_persist=True
    )
    sealed = models.BinaryField(help_text="Labels and note; unreadable without the person's key.")
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["subject_id", "-at"], name="check_in_by_subject")]
        constraints = [
            models.CheckConstraint(
                condition=Q(valence__gte=-2, valence__lte=2), name="check_in_valence_is_of_five"
            ),
            models.CheckConstraint(
                condition=Q(energy__gte=-2, energy__lte=2), name="check_in_energy_is_of_five"
            ),
            models.CheckConstraint(
                condition=Q(moment="none", practice=None)
                | Q(moment__in=["before", "after"], practice__isnull=False),
                name="check_in_before_or_after_a_practice",
            ),
        ]

    def __str__(self) -> str:
        return f"check-in {self.pk}"
