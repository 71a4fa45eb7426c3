"""The catalog, listening and the model in the admin."""

from recommendations.admin import listening, practice, release, vector

__all__ = ["listening", "practice", "release", "vector"]
