"""The Gram matrix and its digest from the rows of consenting people, in the plainest way.

An oracle: it shares no code with the engine, the trainer or the query that feeds them.
"""

import hashlib
from collections import Counter
from uuid import UUID

import numpy as np
from django.utils import timezone
from numpy.typing import NDArray

from privacy_center.models import ConsentState, Notice
from recommendations.models import CheckIn, Favorite, Listen, Practice

MOODS = [-6, -5, -4, -3, -2, -1]


def consenting(signal: str) -> set[UUID]:
    """Who said yes to both storing and training of a signal, to today's words, and still does."""
    says_yes: list[set[UUID]] = [set(), set()]
    for state in ConsentState.objects.select_related("record__notice"):
        for place, use in enumerate(("store", "train")):
            if state.purpose == f"{signal}:{use}" and _is_in_force(state):
                says_yes[place].add(state.subject_id)
    return says_yes[0] & says_yes[1]


def _is_in_force(state: ConsentState) -> bool:
    published = Notice.objects.filter(purpose=state.purpose, published_at__isnull=False)
    newest = max(notice.version for notice in published)
    return (
        state.decision in ("given", "renewed")
        and state.record.notice.version == newest
        and state.valid_until is not None
        and state.valid_until > timezone.now()
    )


def mood_id(valence: int, energy: int) -> int:
    """The column of a check-in, by where it stands among heavy and light, tired and awake."""
    if valence < 0:
        return -1 if energy > 0 else -2
    if valence == 0:
        return -3 if energy < 0 else -4
    return -6 if energy > 0 else -5


def gram_from_scratch() -> NDArray[np.int64]:
    """Σ xᵤ xᵤᵀ over consenting people, moods and practices: int64[n, n], by ascending id.

    What somebody listened to counts with a yes for listening, how they felt with one for mood.
    """
    ids = column_ids()
    heard: Counter[tuple[UUID, int]] = Counter()
    whole: Counter[tuple[UUID, int]] = Counter()
    felt: Counter[tuple[UUID, int]] = Counter()
    favorites: set[tuple[UUID, int]] = set()
    for listen in Listen.objects.filter(is_excluded=False):
        key = (listen.subject_id, listen.practice_id)
        heard[key] += listen.completion >= 0.5
        whole[key] += listen.completion >= 0.9
    for favorite in Favorite.objects.filter(is_excluded=False):
        favorites.add((favorite.subject_id, favorite.practice_id))
    for check_in in CheckIn.objects.all():
        felt[check_in.subject_id, mood_id(check_in.valence, check_in.energy)] += 1
    total = np.zeros((len(ids), len(ids)), dtype=np.int64)
    share_listening, share_mood = consenting("listening"), consenting("mood")
    for subject_id in share_listening | share_mood:
        vector = np.zeros(len(ids), dtype=np.int64)
        for index, column_id in enumerate(ids):
            key = (subject_id, column_id)
            if column_id < 0 and subject_id in share_mood:
                vector[index] = min(felt[key], 3)
            elif column_id > 0 and subject_id in share_listening:
                is_heard, is_favorite = heard[key] > 0, key in favorites
                vector[index] += is_heard or is_favorite
                vector[index] += whole[key] >= 3
                vector[index] += is_heard and is_favorite
        total += np.outer(vector, vector)
    return total


def column_ids() -> list[int]:
    """Moods by their negative ids, then the practices, ascending."""
    return MOODS + sorted(practice.pk for practice in Practice.objects.all())


def digest_from_scratch() -> str:
    """SHA-256 of `gram 2 n`, a line feed, the n ids that anybody has something of, and their rows,
    all as little-endian int64."""
    total = gram_from_scratch()
    kept = [index for index in range(len(total)) if total[index, index]]
    ids = np.array(column_ids(), dtype="<i8")[kept]
    rows = total[kept][:, kept].astype("<i8")
    text = f"gram 2 {len(ids)}\n".encode()
    return hashlib.sha256(text + ids.tobytes() + rows.tobytes()).hexdigest()
