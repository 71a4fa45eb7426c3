"""What a mood asks for: the one table by which a last check-in moves practices to the front.

It only ever moves: nothing is taken off a shelf because of how somebody feels.
"""

from dataclasses import dataclass

from recommendations.models import Intention, Label, Mood


@dataclass(frozen=True)
class Wish:
    """What would do good now: intentions, and topics by their slugs."""

    intentions: tuple[Intention, ...] = ()
    topics: tuple[str, ...] = ()


WISHES: dict[Mood, Wish] = {
    Mood.RESTLESS: Wish((Intention.CALM, Intention.EASE), ("breath", "body", "walking")),
    Mood.LOW: Wish((Intention.EASE, Intention.CALM), ("kindness", "nature", "animals")),
    Mood.TIRED: Wish((Intention.SLEEP, Intention.CALM), ("rain", "sea", "night")),
    Mood.EVEN: Wish(),
    Mood.CALM: Wish((Intention.CALM, Intention.SLEEP), ("silence", "stars", "nature")),
    Mood.BRIGHT: Wish((Intention.FOCUS, Intention.MORNING), ("walking", "craft", "gratitude")),
}

# Words say more than valence and energy, where the person chose some.
TOPICS: dict[Label, tuple[str, ...]] = {
    Label.CALM: ("silence",),
    Label.CONTENT: ("nature", "home"),
    Label.GRATEFUL: ("gratitude", "kindness"),
    Label.HOPEFUL: ("morning", "kindness"),
    Label.RESTLESS: ("breath", "walking"),
    Label.WORRIED: ("worry", "breath"),
    Label.OVERWHELMED: ("breath", "patience"),
    Label.ANGRY: ("anger", "patience"),
    Label.SAD: ("grief", "kindness"),
    Label.LONELY: ("kindness", "animals", "home"),
    Label.SORE: ("body",),
    Label.SLEEPLESS: ("sleep", "night"),
}


def wish_of(mood: Mood, labels: tuple[Label, ...]) -> Wish:
    """What a check-in asks for; `labels` are empty where none were chosen or none is readable."""
    wish = WISHES[mood]
    topics = (*wish.topics, *(topic for label in labels for topic in TOPICS[label]))
    return Wish(wish.intentions, tuple(dict.fromkeys(topics)))
