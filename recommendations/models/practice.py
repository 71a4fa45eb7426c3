"""The catalog: practices and their topics."""

from pathlib import Path

import mutagen
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

AUDIO_SUFFIXES = (".mp3", ".m4a", ".ogg", ".opus", ".flac", ".wav")
LONGEST_SECONDS = 3 * 60 * 60
# A soundscape has no end to reach; ten minutes of it count as a whole listen.
SOUNDSCAPE_COMPLETE_SECONDS = 600

# Controls and direction overrides make text read as something it is not.
is_plain_text = RegexValidator(
    r"^(?=.*\S)[^\x00-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z",
    _("Use visible text without control characters or direction marks."),
)


class Kind(models.TextChoices):
    SOUNDSCAPE = "soundscape", _("Soundscape")
    BREATHING = "breathing", _("Breathing")
    GUIDED = "guided", _("Guided")
    STORY = "story", _("Sleep story")


class Intention(models.TextChoices):
    SLEEP = "sleep", _("Sleep")
    CALM = "calm", _("Calm")
    FOCUS = "focus", _("Focus")
    EASE = "ease", _("Ease")
    MORNING = "morning", _("Morning")


class Voice(models.TextChoices):
    """How the browser's own voice is tuned."""

    LOW = "low", "Low voice"
    WARM = "warm", "Warm voice"
    CLEAR = "clear", "Clear voice"


class Topic(models.Model):
    slug = models.SlugField(unique=True, max_length=32)
    name = models.CharField(max_length=32, validators=[is_plain_text])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


def check_audio(upload: UploadedFile) -> None:
    """Refuse what is not an audio file of a known type, sensible size and sensible length."""
    suffix = Path(upload.name or "").suffix.lower()
    if suffix not in AUDIO_SUFFIXES:
        raise ValidationError(f"Use an audio file: {', '.join(AUDIO_SUFFIXES)}.")
    if (upload.size or 0) > settings.AUDIO_MAX_BYTES:
        limit = settings.AUDIO_MAX_BYTES // (1024 * 1024)
        raise ValidationError(f"The file is larger than {limit} MB.")
    upload.seek(0)
    try:
        audio = mutagen.File(upload)
    except mutagen.MutagenError:
        audio = None
    finally:
        upload.seek(0)
    seconds = getattr(getattr(audio, "info", None), "length", 0) or 0
    if not 0 < seconds <= LONGEST_SECONDS:
        raise ValidationError("This file holds no sound that we can read, or more than 3 hours.")


class Practice(models.Model):
    """Something to listen to. Catalog files and editors both make these."""

    slug = models.SlugField(unique=True, max_length=64)
    title = models.CharField(max_length=80, validators=[is_plain_text])
    summary = models.CharField(max_length=140, validators=[is_plain_text])
    kind = models.CharField(max_length=10, choices=Kind)
    intention = models.CharField(max_length=8, choices=Intention)
    topics = models.ManyToManyField(Topic, related_name="practices")
    voice = models.CharField(max_length=5, choices=Voice, blank=True, default="")
    seconds = models.PositiveIntegerField("length in seconds", validators=[MinValueValidator(10)])
    content = models.JSONField(
        default=dict, blank=True, help_text="What the player reads: layers, pattern or lines."
    )
    soundscape = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        limit_choices_to={"kind": Kind.SOUNDSCAPE},
        related_name="+",
        help_text="Plays quietly underneath.",
    )
    audio = models.FileField(
        upload_to="audio/",
        blank=True,
        validators=[check_audio],
        help_text="If you have a recording; otherwise the browser makes the sound.",
    )
    place = models.PositiveIntegerField(
        default=1000, db_index=True, help_text="The editors' order: small numbers come first."
    )
    is_published = models.BooleanField(default=True)
    file_digest = models.CharField(
        max_length=64,
        blank=True,
        default="",
        editable=False,
        help_text="SHA-256 of the catalog's file as it was last read; empty for an editor's own.",
    )

    class Meta:
        ordering = ["place", "slug"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind__in=Kind.values), name="practice_kind_is_known"
            ),
            models.CheckConstraint(
                condition=models.Q(intention__in=Intention.values),
                name="practice_intention_is_known",
            ),
            models.CheckConstraint(
                condition=models.Q(seconds__gte=10), name="practice_is_not_empty"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("recommendations:practice", args=[self.slug])

    @property
    def minutes(self) -> int:
        """Length in whole minutes, at least one."""
        return max(1, round(self.seconds / 60))

    @property
    def seconds_to_complete(self) -> int:
        """Seconds that count as a whole listen."""
        if self.kind == Kind.SOUNDSCAPE:
            return min(self.seconds, SOUNDSCAPE_COMPLETE_SECONDS)
        return self.seconds
