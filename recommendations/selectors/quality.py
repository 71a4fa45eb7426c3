"""Consenting people to measure a model on: their vectors, and what they did in the order of time.

Consent is a join in the very query that reads behavior.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray

from recommendations.engine.interactions import Interactions
from recommendations.engine.listens import Listens
from recommendations.models import TrainingVector
from recommendations.selectors.training_data import Catalog
from recommendations.vectors import unpacked
from recommendations.weights import HEARD_FROM, WHOLE_FROM

PEOPLE_MEASURED = 1000

_BEHAVIOR = f"""
SELECT who.place::int4 - 1, behavior.practice_id, extract(epoch FROM behavior.at)::float8,
       behavior.is_whole, behavior.is_favorite
FROM unnest(%(subjects)s::uuid[]) WITH ORDINALITY AS who (subject_id, place)
JOIN (
    SELECT subject_id, practice_id, started_at AS at, completion >= {WHOLE_FROM} AS is_whole,
           false AS is_favorite, id::text
    FROM recommendations_listen WHERE completion >= {HEARD_FROM} AND NOT is_excluded
    UNION ALL
    SELECT subject_id, practice_id, created_at, false, true, id::text
    FROM recommendations_favorite WHERE NOT is_excluded
) AS behavior USING (subject_id)
JOIN consent_recorded AS train
  ON train.subject_id = who.subject_id AND train.purpose = 'listening:train'
JOIN consent_recorded AS store
  ON store.subject_id = who.subject_id AND store.purpose = 'listening:store'
ORDER BY who.place, behavior.at, behavior.id
"""  # noqa: S608 (constants only)

_CONSENTING = """
SELECT train.subject_id FROM consent_recorded AS train
JOIN consent_recorded AS store
  ON store.subject_id = train.subject_id AND store.purpose = 'listening:store'
WHERE train.purpose = 'listening:train' ORDER BY 1 LIMIT %s
"""


@dataclass(frozen=True, eq=False)
class Behavior:
    """What people did, one row per listen that counts and per favorite, ordered by person, then by
    time. `people` are places in the list of people asked about, `practice_ids` database ids, `at`
    seconds since 1970."""

    people: NDArray[np.int32]
    practice_ids: NDArray[np.int64]
    at: NDArray[np.float64]
    is_whole: NDArray[np.bool_]
    is_favorite: NDArray[np.bool_]
    n_people: int

    def only(self, chosen: NDArray[np.bool_]) -> "Behavior":
        """The chosen rows."""
        return Behavior(
            self.people[chosen],
            self.practice_ids[chosen],
            self.at[chosen],
            self.is_whole[chosen],
            self.is_favorite[chosen],
            self.n_people,
        )

    def listens(self, practice_ids: NDArray[np.int64]) -> Listens:
        """The listens to these practices (ascending ids), as indices into them."""
        known = ~self.is_favorite & np.isin(self.practice_ids, practice_ids)
        return Listens(
            self.people[known],
            np.searchsorted(practice_ids, self.practice_ids[known]),
            self.n_people,
        )


@dataclass(frozen=True, eq=False)
class Sample:
    """People to measure on: person i of `vectors` (the columns of a release, without what it leaves
    out) is person i of `listens`."""

    vectors: Interactions
    listens: Listens


def quality_sample(
    practice_ids: NDArray[np.int64],
    *,
    context_ids: NDArray[np.int64],
    is_rare: NDArray[np.bool_],
    at_most: int = PEOPLE_MEASURED,
) -> Sample:
    """People who are in G and consent as of now: the first by their random ids, so a fair draw
    and much the same one from release to release.

    Columns are the practices (ascending ids), then the contexts; `is_rare` (bool[c]) are those that
    S leaves out. Call it while G holds what `TrainingVector` says.
    """
    rows = TrainingVector.objects.order_by("pk").values_list("subject_id", "vector")
    drawn = {subject_id: bytes(vector) for subject_id, vector in rows[:at_most]}
    behavior = behavior_of(list(drawn))
    # Whoever has withdrawn since has no behavior here, and their vector is left alone.
    present = np.unique(behavior.people)
    stored = list(drawn.values())
    vectors = unpacked(stored[person] for person in present)
    listens = behavior.listens(practice_ids)
    return Sample(
        vectors.served(np.concatenate((practice_ids, context_ids)), is_rare=is_rare),
        Listens(np.searchsorted(present, listens.people), listens.practices, len(present)),
    )


def all_vectors(about: Catalog, is_rare: NDArray[np.bool_]) -> Interactions:
    """Everybody who is in G, by the columns of a release, without what it leaves out."""
    rows = TrainingVector.objects.order_by("pk").values_list("vector", flat=True)
    vectors = unpacked(bytes(vector) for vector in rows.iterator())
    return vectors.served(about.column_ids, is_rare=is_rare)


def behavior_of(subject_ids: Sequence[UUID]) -> Behavior:
    """What these people did, as far as it may be learned from as of now."""
    with connection.cursor() as cursor:
        cursor.execute(_BEHAVIOR, {"subjects": list(subject_ids)})
        rows = cursor.fetchall()
    people, practice_ids, at, is_whole, is_favorite = zip(*rows, strict=True) if rows else [()] * 5
    return Behavior(
        np.array(people, dtype=np.int32),
        np.array(practice_ids, dtype=np.int64),
        np.array(at, dtype=np.float64),
        np.array(is_whole, dtype=np.bool_),
        np.array(is_favorite, dtype=np.bool_),
        len(subject_ids),
    )


def consenting_subjects(*, at_most: int) -> list[UUID]:
    """People whose listening may be learned from as of now: the first by their random ids."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSENTING, [at_most])
        return [subject_id for (subject_id,) in cursor.fetchall()]
