"""Whether the database is as it was: a refused request leaves no trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps

OWN_APPS = ("account", "privacy_center", "recommendations", "sessions")


def _rows() -> dict[str, list[dict[str, object]]]:
    """Every row of the tables that requests may write, by table."""
    return {
        model._meta.db_table: list(model._base_manager.order_by("pk").values())
        for app in OWN_APPS
        for model in apps.get_app_config(app).get_models(include_auto_created=True)
    }


@contextmanager
def unchanged() -> Iterator[None]:
    """Fails if anything was written meanwhile."""
    before = _rows()
    yield
    after = _rows()
    assert [table for table in before if after[table] != before[table]] == []
