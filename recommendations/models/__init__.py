"""Practices, what people did with them, and what was learned."""

from recommendations.models.listening import Favorite, HiddenPractice, Listen, Rating
from recommendations.models.mood import CheckIn, Energy, Label, Moment, Mood, Valence
from recommendations.models.practice import Intention, Kind, Practice, Topic, Voice
from recommendations.models.release import Release
from recommendations.models.training_change import TrainingChange

__all__ = [
    "CheckIn",
    "Energy",
    "Favorite",
    "HiddenPractice",
    "Intention",
    "Kind",
    "Label",
    "Listen",
    "Moment",
    "Mood",
    "Practice",
    "Rating",
    "Release",
    "Topic",
    "TrainingChange",
    "Valence",
    "Voice",
]
