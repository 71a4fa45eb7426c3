"""The Gram matrix and its digest from the rows of consenting people, in the plainest way.

An oracle: it shares no code with the engine, the trainer or the query that feeds them.
"""

import hashlib
from collections import Counter
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from privacy_center.models import ConsentState
from recommendations.models import Favorite, Listen, Practice


def consenting() -> set[UUID]:
    """Who said yes to both storing and training, and still does."""
    says_yes: list[set[UUID]] = [
        {s.subject_id for s in ConsentState.objects.all() if (s.purpose, s.decision) == wanted}
        for wanted in (("listening:store", "given"), ("listening:train", "given"))
    ]
    return says_yes[0] & says_yes[1]


def gram_from_scratch() -> NDArray[np.int64]:
    """Σ xᵤ xᵤᵀ over consenting people and published practices: int64[n, n], by ascending id."""
    ids = practice_ids()
    heard: Counter[tuple[UUID, int]] = Counter()
    whole: Counter[tuple[UUID, int]] = Counter()
    favorites: set[tuple[UUID, int]] = set()
    for listen in Listen.objects.all():
        key = (listen.subject_id, listen.practice_id)
        heard[key] += listen.completion >= 0.5
        whole[key] += listen.completion >= 0.9
    for favorite in Favorite.objects.all():
        favorites.add((favorite.subject_id, favorite.practice_id))
    total = np.zeros((len(ids), len(ids)), dtype=np.int64)
    for subject_id in consenting():
        vector = np.zeros(len(ids), dtype=np.int64)
        for index, practice_id in enumerate(ids):
            key = (subject_id, practice_id)
            is_heard, is_favorite = heard[key] > 0, key in favorites
            vector[index] += is_heard or is_favorite
            vector[index] += whole[key] >= 3
            vector[index] += is_heard and is_favorite
        total += np.outer(vector, vector)
    return total


def practice_ids() -> list[int]:
    """The published practices, ascending."""
    return sorted(practice.pk for practice in Practice.objects.filter(is_published=True))


def digest_from_scratch() -> str:
    """SHA-256 of `gram 1 n`, a line feed, the ids and the rows, all as little-endian int64."""
    ids = np.array(practice_ids(), dtype="<i8")
    rows = gram_from_scratch().astype("<i8")
    text = f"gram 1 {len(ids)}\n".encode()
    return hashlib.sha256(text + ids.tobytes() + rows.tobytes()).hexdigest()
