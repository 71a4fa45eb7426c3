"""Asking to be erased, and taking it back while there is time."""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils.translation import gettext as _

from privacy_center.eraser import close, open_erasure, whom
from privacy_center.models import Account, Erasure
from privacy_center.selectors.subject import hold_subject, subject_of
from privacy_center.tasks.erasure import wake_eraser

# What people can choose from: now, or after some days in which they can come back.
GRACES = (timedelta(0), timedelta(days=7), timedelta(days=30))

State = Erasure.State


class ErasureRefused(Exception):
    """This account cannot be erased by its own person. The message says why, for the person."""


def ask_erasure(account: Account, *, at: datetime, grace: timedelta, language: str) -> Erasure:
    """Have an account erased, at once or after a grace. Asked for twice, it is the same erasure.

    At once means that its sessions have ended when this returns; the rest follows in seconds.
    Raises `ErasureRefused` for members of staff, and ValueError for a grace that is not offered.
    """
    if grace not in GRACES:
        raise ValueError("not a grace that is offered")
    subject = subject_of(account)
    if account.is_staff or subject is None:
        raise ErasureRefused(
            _(
                "Accounts of staff are closed by an administrator: who opened people’s data must "
                "stay known. Nothing was changed."
            )
        )
    with transaction.atomic():
        held = hold_subject(subject.pk)
        erasure = open_erasure(held, at=at, due_at=at + grace, language=language)
        if erasure.due_at > at + grace:
            erasure.due_at = at + grace
            erasure.save(update_fields=["due_at"])
        if erasure.due_at <= at:
            close(whom(erasure))
            wake_eraser(erasure.pk)
    return erasure


def cancel_erasure(number: str, *, at: datetime) -> bool:
    """Take it back; whether it was in time. What has begun goes on to its end."""
    with transaction.atomic():
        rows = Erasure.objects.select_for_update().filter(number=number, state=State.WAITING)
        erasure = rows.filter(due_at__gt=at).first()
        if erasure is None:
            return False
        erasure.state = State.CANCELLED
        erasure.forget_whom()
        erasure.save()
    return True
