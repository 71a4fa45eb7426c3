"""Practices, what people did with them, and what was learned."""

from recommendations.models.catalog_edition import CatalogEdition
from recommendations.models.listening import Favorite, HiddenPractice, Listen, Rating
from recommendations.models.mood import CheckIn, Energy, Label, Moment, Mood, Valence
from recommendations.models.practice import Intention, Kind, Practice, Topic, Voice
from recommendations.models.release import Release
from recommendations.models.vector import ModelAudit, ModelState, TrainingVector, VectorChange

__all__ = [
    "CatalogEdition",
    "CheckIn",
    "Energy",
    "Favorite",
    "HiddenPractice",
    "Intention",
    "Kind",
    "Label",
    "Listen",
    "ModelAudit",
    "ModelState",
    "Moment",
    "Mood",
    "Practice",
    "Rating",
    "Release",
    "Topic",
    "TrainingVector",
    "Valence",
    "VectorChange",
    "Voice",
]
