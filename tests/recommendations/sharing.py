"""Many people who share their listening, made at once: what measuring needs to say anything."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID, uuid4

from django.utils import timezone

from privacy_center.actions.consent import grant_to_imported
from privacy_center.actions.subject import create_imported_subjects
from privacy_center.purposes import Purpose
from recommendations.models import Listen, Practice, TrainingVector
from recommendations.selectors.training_data import vectors_of
from recommendations.vectors import packed

SHARE = (Purpose.LISTENING_STORE, Purpose.LISTENING_TRAIN)


class Sitting(NamedTuple):
    """One listen: `completion` is the share that was heard."""

    practice: Practice
    at: datetime
    completion: float = 1.0


def share(histories: Sequence[Sequence[Practice]]) -> list[UUID]:
    """A person for each history, who heard these practices to the end an hour apart."""
    now = timezone.now()
    return share_sittings(
        [
            [
                Sitting(practice, now - timedelta(hours=len(history) - place))
                for place, practice in enumerate(history)
            ]
            for history in histories
        ]
    )


def share_sittings(histories: Sequence[Sequence[Sitting]]) -> list[UUID]:
    """A person for each history, who shares it; their ids in that order."""
    began = timezone.now() - timedelta(days=100)
    subject_ids = list(create_imported_subjects(len(histories), at=began))
    consents = grant_to_imported(subject_ids, SHARE, at=began)
    Listen.objects.bulk_create(
        Listen(
            id=uuid4(),
            subject_id=subject_id,
            consent_id=consents[subject_id],
            practice=sitting.practice,
            started_at=sitting.at,
            seconds=sitting.practice.seconds,
            position=0,
            completion=sitting.completion,
        )
        for subject_id, history in zip(subject_ids, histories, strict=True)
        for sitting in history
    )
    return subject_ids


def contribute(subject_ids: Sequence[UUID]) -> None:
    """Their vectors are in G, as far as the rows say."""
    stored = packed(vectors_of(subject_ids))
    TrainingVector.objects.bulk_create(
        TrainingVector(subject_id=subject_id, vector=vector)
        for subject_id, vector in zip(subject_ids, stored, strict=True)
    )
