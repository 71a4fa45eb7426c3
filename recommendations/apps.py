"""The catalog, listening, the model and the shelves."""

from django.apps import AppConfig


class RecommendationsConfig(AppConfig):
    name = "recommendations"

    def ready(self) -> None:
        from privacy_center.interface import register_holder
        from recommendations.holder import HOLDER

        register_holder(HOLDER)
