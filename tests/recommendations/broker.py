"""The broker as the tests see it: messages that wait for a trainer, and messages that are lost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import redis
from django.conf import settings


@contextmanager
def _broker() -> Iterator["redis.Redis"]:
    path = settings.CELERY_BROKER_URL.removeprefix("redis+socket://")
    client = redis.Redis(unix_socket_path=path) if path.startswith("/") else redis.from_url(path)
    with client:
        yield client


def waiting_messages(task: str = "recommendations.train_model") -> int:
    """How many messages of a task wait; others, in the same queue, do not count."""
    with _broker() as broker:
        messages = [*broker.lrange("urgent", 0, -1), *broker.lrange("training", 0, -1)]
    tasks = [json.loads(message)["headers"]["task"] for message in messages]
    return tasks.count(task)


def lose_messages() -> None:
    """Fault 8: the broker is flushed."""
    with _broker() as broker:
        broker.flushdb()
