"""What people can say yes or no to: purposes, what each needs, and the presets made of them.

The words people read before they decide are notices (models/notice.py), not code.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Purpose(StrEnum):
    """`signal:use`, or a single purpose. The value is what stands in the database and the API."""

    LISTENING_STORE = "listening:store"
    LISTENING_PERSONALIZE = "listening:personalize"
    LISTENING_TRAIN = "listening:train"
    MOOD_STORE = "mood:store"
    MOOD_PERSONALIZE = "mood:personalize"
    MOOD_TRAIN = "mood:train"
    ANALYTICS = "analytics"
    EMAIL = "email"
    SALE = "sale"

    @property
    def needs(self) -> "Purpose | None":
        """The purpose without which this one cannot be on: nothing is used that is not stored."""
        signal, _, use = self.value.partition(":")
        return Purpose(f"{signal}:store") if use in ("personalize", "train") else None

    @property
    def dependents(self) -> tuple["Purpose", ...]:
        """The purposes that end when this one ends."""
        return tuple(p for p in Purpose if p.needs is self)


LISTENING = (Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN)
MOOD = (Purpose.MOOD_STORE, Purpose.MOOD_PERSONALIZE, Purpose.MOOD_TRAIN)

# What can be granted today. Nobody is asked for a yes that nothing would use.
OFFERED = frozenset((*LISTENING, *MOOD))

# What a browser's signal (Global Privacy Control) speaks against: a person's data in the hands of,
# or at work for, anybody but that person.
GPC_COVERS = (Purpose.SALE, Purpose.ANALYTICS, Purpose.LISTENING_TRAIN, Purpose.MOOD_TRAIN)


@dataclass(frozen=True)
class Preset:
    """A choice in people's words about their listening: exactly these purposes of it on.

    No preset speaks of mood: that is health data, and is asked for by itself.
    """

    key: str
    title: Promise
    summary: Promise
    points: tuple[Promise, ...]
    purposes: frozenset[Purpose]


PRESETS: tuple[Preset, ...] = (
    Preset(
        "just-listening",
        _("Just listening"),
        _("Nothing about your listening leaves this device."),
        (
            _("What you play is noted in this browser only."),
            _("Shelves are the same for everybody."),
        ),
        frozenset(),
    ),
    Preset(
        "just-for-me",
        _("Just for me"),
        _("We keep your history and shape your shelves with it."),
        (
            _("Your history is kept, and follows you to other devices."),
            _("Shelves are shaped by your history, and it is used for nothing else."),
        ),
        frozenset({Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE}),
    ),
    Preset(
        "community",
        _("Community"),
        _("Your history also helps to shape everyone's shelves."),
        (
            _("Your history is kept, and shapes your shelves."),
            _("It is counted with other people's. Leave, and the model is made again without you."),
        ),
        frozenset(
            {Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN}
        ),
    ),
)


def preset_of(purposes: Iterable[Purpose]) -> Preset | None:
    """The preset that is exactly these purposes of listening; None if chosen one by one."""
    chosen = frozenset(purposes) & frozenset(LISTENING)
    return next((preset for preset in PRESETS if preset.purposes == chosen), None)
