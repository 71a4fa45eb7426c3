"""Whether the database is as it was: a refused request leaves no trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection

OWN_APPS = ("account", "privacy_center", "recommendations", "sessions")
_DIGEST = "SELECT md5(string_agg(line::text, ' ' ORDER BY line::text)) FROM {} AS line"


def _digests() -> dict[str, str | None]:
    """A digest of all rows, by table that requests may write."""
    digests: dict[str, str | None] = {}
    with connection.cursor() as cursor:
        for app in OWN_APPS:
            for model in apps.get_app_config(app).get_models(include_auto_created=True):
                table = model._meta.db_table
                cursor.execute(_DIGEST.format(connection.ops.quote_name(table)))
                digests[table] = cursor.fetchone()[0]
    return digests


@contextmanager
def unchanged() -> Iterator[None]:
    """Fails if anything was written meanwhile."""
    before = _digests()
    yield
    after = _digests()
    assert [table for table in before if after[table] != before[table]] == []
