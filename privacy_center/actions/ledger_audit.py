"""Asking for a verification of the ledger."""

from celery import current_app
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

VERIFY_LEDGER = "privacy_center.verify_ledger"


def request_audit() -> bool:
    """Wake a worker to verify the ledger; False when the broker is away. The nightly run comes
    whatever happens here."""
    try:
        current_app.send_task(VERIFY_LEDGER, queue="default", retry=False)
    except (OperationalError, RedisError):
        return False
    return True
