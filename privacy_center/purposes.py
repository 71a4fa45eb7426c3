"""What people can say yes or no to: purposes, what each needs, and the presets made of them."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


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


@dataclass(frozen=True)
class Wording:
    """What a person reads before deciding. Its hash is kept with the decision (GDPR 7(1))."""

    title: str
    sentence: str

    @property
    def digest(self) -> str:
        """SHA-256, hex, of exactly the words shown."""
        return hashlib.sha256(f"{self.title}\n{self.sentence}".encode()).hexdigest()


WORDINGS: dict[Purpose, Wording] = {
    Purpose.LISTENING_STORE: Wording(
        "Keep my history",
        "We keep what you play, your favorites and your ratings, so that you find them again on "
        "any device. Switch it off and they are deleted at once.",
    ),
    Purpose.LISTENING_PERSONALIZE: Wording(
        "Shape my shelves",
        "We use your history to choose what your own shelves show. Nobody else sees any of it.",
    ),
    Purpose.LISTENING_TRAIN: Wording(
        "Help everyone's shelves",
        "Your history is counted together with other people's, so that the site learns what goes "
        "well together. Switch it off and the next model is made without you, within a minute.",
    ),
    Purpose.MOOD_STORE: Wording(
        "Keep my check-ins",
        "Mood check-ins do not exist yet. You will be asked, separately, when they do.",
    ),
    Purpose.MOOD_PERSONALIZE: Wording(
        "Shape my shelves by mood",
        "Mood check-ins do not exist yet. You will be asked, separately, when they do.",
    ),
    Purpose.MOOD_TRAIN: Wording(
        "Help everyone's shelves by mood",
        "Mood check-ins do not exist yet. You will be asked, separately, when they do.",
    ),
    Purpose.ANALYTICS: Wording(
        "Count my visits",
        "We do not measure visits. You would be asked first.",
    ),
    Purpose.EMAIL: Wording(
        "Write to me",
        "We send no news by mail. You would be asked first.",
    ),
    Purpose.SALE: Wording(
        "Sell or share my data",
        "We never do. This switch cannot be turned on, because nothing here can sell data.",
    ),
}

# What can be granted today. Nobody is asked for a yes that nothing would use.
OFFERED = frozenset(
    {Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN}
)


@dataclass(frozen=True)
class Preset:
    """A choice in people's words: exactly these purposes on, every other offered one off."""

    key: str
    title: str
    summary: str
    points: tuple[str, ...]
    purposes: frozenset[Purpose]

    @property
    def digest(self) -> str:
        """SHA-256, hex, of exactly the words shown with this choice."""
        words = "\n".join((self.title, self.summary, *self.points))
        return hashlib.sha256(words.encode()).hexdigest()


PRESETS: tuple[Preset, ...] = (
    Preset(
        "just-listening",
        "Just listening",
        "Nothing about your listening leaves this device.",
        (
            "Every practice and every feature is open to you.",
            "Your history stays in this browser.",
            "Shelves are the same for everybody.",
        ),
        frozenset(),
    ),
    Preset(
        "just-for-me",
        "Just for me",
        "We keep your history and shape your shelves with it.",
        (
            "Every practice and every feature is open to you.",
            "Your history is kept, and follows you to other devices.",
            "Shelves are shaped by your history, and it is used for nothing else.",
        ),
        frozenset({Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE}),
    ),
    Preset(
        "community",
        "Community",
        "Your history also helps to shape everyone's shelves.",
        (
            "Every practice and every feature is open to you.",
            "Your history is kept, and shapes your shelves.",
            "It is counted with other people's. Leave, and the model is made again without you.",
        ),
        frozenset(
            {Purpose.LISTENING_STORE, Purpose.LISTENING_PERSONALIZE, Purpose.LISTENING_TRAIN}
        ),
    ),
)


def preset_of(purposes: Iterable[Purpose]) -> Preset | None:
    """The preset that is exactly these purposes, or None if they were chosen one by one."""
    chosen = frozenset(purposes)
    return next((preset for preset in PRESETS if preset.purposes == chosen), None)
