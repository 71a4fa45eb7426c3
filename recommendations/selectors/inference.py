"""What is inferred about a person, as they may see and change it: what counts and how much, what
they lean to, and what follows from it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from privacy_center.interface import Person
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.models import Kind, Practice
from recommendations.selectors.explanation import Part, parts_by_practice
from recommendations.selectors.listening import Habit, counted_habits, hidden_ids
from recommendations.selectors.release import current_model
from recommendations.selectors.taste import Taste, taste_of
from recommendations.weights import weight_parts

MOST_FOLLOWING = 8
MOST_TOPICS = 8


@dataclass(frozen=True)
class Counted:
    """A practice that counts, its weight of 1 to 3, and one reason for each part of it."""

    practice: Practice
    weight: int
    reasons: Sequence[str]


@dataclass(frozen=True)
class Leaning:
    """How much of the weight is on one kind or topic. `share` is 0 to 100, of all weight."""

    name: str
    weight: int
    share: int


@dataclass(frozen=True)
class Following:
    """A practice that the history speaks for. `share` is 0 to 100, of the highest score."""

    practice: Practice
    score: float
    share: int
    parts: Sequence[Part]


@dataclass(frozen=True)
class LeftOut:
    """A practice, or a part of what was done with it, that the person left out."""

    practice: Practice
    listens: int
    is_favorite: bool


@dataclass(frozen=True)
class Inference:
    """All of it. `weight` is the sum over what counts; without a model nothing can follow."""

    counted: Sequence[Counted]
    weight: int
    kinds: Sequence[Leaning]
    topics: Sequence[Leaning]
    follows: Sequence[Following]
    left_out: Sequence[LeftOut]
    hidden: Sequence[Practice]
    has_model: bool


_LEFT_OUT = """
SELECT practice_id, sum(listen)::int, sum(favorite)::int
FROM (
    SELECT practice_id, 1 AS listen, 0 AS favorite
    FROM recommendations_listen WHERE subject_id = %(subject_id)s AND is_excluded
    UNION ALL
    SELECT practice_id, 0, 1
    FROM recommendations_favorite WHERE subject_id = %(subject_id)s AND is_excluded
) AS left_out
GROUP BY practice_id
"""


def inference(person: Person, *, now: datetime) -> Inference | None:
    """What the site infers about this person now; None without a live yes to shaping shelves."""
    if person.subject_id is None or not person.can_personalize:
        return None
    history, hidden = counted_habits(person.subject_id), hidden_ids(person)
    model = current_model(now)
    taste = taste_of(person, model, history=history)
    best = _best(taste, model, hidden)
    out = _left_out(person.subject_id)
    own = {habit.practice_id for habit in history}
    practices = _practices({*own, *best, *hidden, *out})
    counted = _counted(history, practices)
    return Inference(
        counted=counted,
        weight=sum(one.weight for one in counted),
        kinds=_kinds(counted),
        topics=_topics(counted),
        follows=_follows(taste, model, [practices[pk] for pk in best if pk in practices]),
        left_out=[LeftOut(practices[pk], n, bool(marks)) for pk, (n, marks) in out.items()],
        hidden=_by_title(practices[pk] for pk in hidden),
        has_model=model is not None,
    )


def _practices(ids: Iterable[int]) -> dict[int, Practice]:
    """Also what is unpublished by now: the weights must add up."""
    return Practice.objects.prefetch_related("topics").in_bulk(list(ids))


def _counted(history: Sequence[Habit], practices: Mapping[int, Practice]) -> list[Counted]:
    """The heaviest first, else the one heard last."""
    parts = weight_parts(
        np.array([habit.heard for habit in history], dtype=np.int32),
        np.array([habit.whole for habit in history], dtype=np.int32),
        np.array([habit.favorites for habit in history], dtype=np.int32),
    )
    counted = [
        Counted(practices[habit.practice_id], int(own.sum()), _reasons(habit, own.tolist()))
        for habit, own in zip(history, parts.T, strict=True)
    ]
    return sorted(counted, key=lambda one: -one.weight)


def _reasons(habit: Habit, parts: Sequence[int]) -> list[str]:
    heard = ngettext("heard once", "heard %(count)d times", habit.heard) % {"count": habit.heard}
    whole = _("to the end %(count)d times") % {"count": habit.whole}
    reasons = (
        heard if habit.heard else _("one of your favorites"),
        whole,
        _("one of your favorites"),
    )
    return [reason for reason, part in zip(reasons, parts, strict=True) if part]


def _kinds(counted: Sequence[Counted]) -> list[Leaning]:
    weights: Counter[str] = Counter()
    for one in counted:
        weights[str(Kind(one.practice.kind).label)] += one.weight
    return _leanings(weights, total=weights.total())


def _topics(counted: Sequence[Counted]) -> list[Leaning]:
    weights: Counter[str] = Counter()
    for one in counted:
        for topic in one.practice.topics.all():
            weights[topic.name] += one.weight
    return _leanings(weights, total=sum(one.weight for one in counted))[:MOST_TOPICS]


def _leanings(weights: Counter[str], *, total: int) -> list[Leaning]:
    ordered = sorted(weights.items(), key=lambda item: (-item[1], item[0]))
    return [Leaning(name, weight, round(100 * weight / total)) for name, weight in ordered]


def _best(taste: Taste | None, model: ItemWeights | None, hidden: set[int]) -> list[int]:
    """The ids of the practices with the highest scores, that are neither known nor hidden."""
    if taste is None or model is None:
        return []
    skipped = np.isin(model.practice_ids, list(hidden))
    skipped[taste.history] = True
    best = top_n(taste.scores, n=MOST_FOLLOWING, exclude=np.flatnonzero(skipped))
    return [int(model.practice_ids[i]) for i in best if taste.scores[i] > 0]


def _follows(
    taste: Taste | None, model: ItemWeights | None, practices: Sequence[Practice]
) -> list[Following]:
    if taste is None or model is None:
        return []
    parts = parts_by_practice(taste, model, [practice.pk for practice in practices])
    score = {
        practice.pk: float(taste.scores[np.searchsorted(model.practice_ids, practice.pk)])
        for practice in practices
    }
    highest = max(score.values(), default=1.0)
    return [
        Following(
            practice,
            score[practice.pk],
            round(100 * score[practice.pk] / highest),
            parts[practice.pk],
        )
        for practice in practices
        if practice.is_published
    ]


def _left_out(subject_id: UUID) -> dict[int, tuple[int, int]]:
    """How many listens and favorites are left out, by practice id."""
    with connection.cursor() as cursor:
        cursor.execute(_LEFT_OUT, {"subject_id": subject_id})
        return {pk: (listens, favorites) for pk, listens, favorites in cursor.fetchall()}


def _by_title(practices: Iterable[Practice]) -> list[Practice]:
    return sorted(practices, key=lambda practice: practice.title)
