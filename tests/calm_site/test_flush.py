"""Between two tests the database is emptied, also while a request is still running."""

from threading import Event

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from privacy_center.models import Account
from tests.contracts.apart import apart, until_one_waits_for_a_lock


def _execute(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)


def _read(table: str) -> None:
    _execute(f"SELECT 1 FROM {connection.ops.quote_name(table)} LIMIT 1")  # noqa: S608


@pytest.mark.django_db(transaction=True)
def test_a_flush_in_a_deadlock_with_a_running_request_begins_again(alice: Account) -> None:
    first, *_others, last = connection.introspection.django_table_names(only_existing=True)
    has_begun = Event()

    def request() -> None:
        with transaction.atomic():
            _execute("SET LOCAL deadlock_timeout = '1min'")  # it is the flush that is ended
            _read(last)
            has_begun.set()
            until_one_waits_for_a_lock()
            _read(first)

    running = apart(request)
    assert has_begun.wait(timeout=30)
    _execute("SET deadlock_timeout = '3s'")  # on a slow machine, too, both wait by then
    with CaptureQueriesContext(connection) as queries:
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
    _execute("RESET deadlock_timeout")
    assert running.error() is None
    assert sum("TRUNCATE" in query["sql"] for query in queries) == 2
    assert not Account.objects.exists()
