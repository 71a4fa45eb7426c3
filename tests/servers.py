"""The embedded PostgreSQL and Valkey around a test run; loaded as a plugin before settings are."""

import atexit
import os
import shutil
import tempfile
from contextlib import ExitStack
from pathlib import Path

import pytest

_stack = ExitStack()
# Also after a run that ended before it began.
atexit.register(_stack.close)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """A folder and servers of its own for every process that runs tests; the demo's data is never
    touched. The process that only hands tests out to others needs none."""
    hands_out = getattr(early_config.known_args_namespace, "numprocesses", None)
    if hands_out and "PYTEST_XDIST_WORKER" not in os.environ:
        return
    from calm_site import embedded

    var = Path(tempfile.mkdtemp(prefix="stillwater-test-"))
    _stack.callback(shutil.rmtree, var, ignore_errors=True)
    os.environ["STILLWATER_VAR"] = str(var)
    # Playwright's synchronous API keeps an event loop on the test's own thread.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    if "DATABASE_URL" not in os.environ:
        found = _stack.enter_context(embedded.servers(var, durable=False))
        os.environ |= {"DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url}
    os.environ.setdefault("DEMO", "1")
