"""Practices, what people did with them, and what was learned."""

from recommendations.models.listening import Favorite, Listen, Rating
from recommendations.models.practice import Intention, Kind, Practice, Topic, Voice
from recommendations.models.release import Release
from recommendations.models.training_change import TrainingChange

__all__ = [
    "Favorite",
    "Intention",
    "Kind",
    "Listen",
    "Practice",
    "Rating",
    "Release",
    "Topic",
    "TrainingChange",
    "Voice",
]
