"""Celery's entry points: ids in, one call, safe to run twice."""

from recommendations.tasks import training

__all__ = ["training"]
