"""Celery's entry points: they carry no data and only wake somebody up."""

from privacy_center.tasks import consent, erasure, ledger

__all__ = ["consent", "erasure", "ledger"]
