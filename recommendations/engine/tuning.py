"""Choosing a model's settings: learn from what was before a day, rank what was new after it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recommendations.engine.diversity import NEAR, likeness, spread
from recommendations.engine.dtypes import Indices, Matrix, Scores
from recommendations.engine.ease import ease_weights
from recommendations.engine.evaluation import Ranking, rank
from recommendations.engine.gram import content_gram, gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.metrics import Estimate, ndcg_at
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import top_n

SHELF_PLACES = 12
_POOL = 4 * SHELF_PLACES
_BLOCK_PEOPLE = 512


@dataclass(frozen=True)
class Settings:
    """What a model is made with: λ, α, how behavior is weighed (a name), and EDLAE's dropout."""

    regularization: float
    content_weight: int
    weighting: str
    dropout: float = 0.0


CHOICES: Mapping[str, Sequence[float]] = {
    "regularization": (10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0),
    "content_weight": (0, 1, 2, 5, 10, 30),
    "dropout": (0.0, 0.1, 0.3, 0.5),
}


@dataclass(frozen=True, eq=False)
class Split:
    """Histories before a day, and what was new to the same people after it.

    `train` are the histories by the name of the weighting; `test` what each person heard after
    that day for the first time. `tags` are arrays of practices that share something; practices
    that fewer than `fewest` people heard before enter by their tags alone.
    """

    train: Mapping[str, Interactions]
    test: Interactions
    tags: Sequence[Indices]
    fewest: int

    def scores(self, settings: Settings) -> Callable[[Indices], Scores]:
        """The scores of the model with these settings: float64[people, practices]."""
        train = self.train[settings.weighting]
        matrix = gram(train)
        is_rare = people_per_practice(train) < self.fewest
        matrix[is_rare, :] = 0
        matrix[:, is_rare] = 0
        matrix += content_gram(
            self.tags, weight=settings.content_weight, n_practices=train.n_practices
        )
        weights: Matrix = ease_weights(
            matrix, regularization=settings.regularization, dropout=settings.dropout
        )
        vectors = train.matrix
        return lambda people: np.asarray(vectors[people] @ weights)


@dataclass(frozen=True)
class Outcome:
    """How good the settings are. `gain` is the mean difference of nDCG@10 to the settings in use,
    over the same people, and `gain_error` its standard error."""

    settings: Settings
    ndcg: Estimate
    recall: Estimate
    coverage: float
    gain: float
    gain_error: float

    @property
    def is_clearly_better(self) -> bool:
        """Whether the 95% interval of the gain lies above 0."""
        return self.gain - 1.96 * self.gain_error > 0


@dataclass(frozen=True)
class Tuning:
    """All settings that were tried, in order, and those to use.

    They are chosen on one half of the people. `confirmed` is the outcome of the best ones on the
    other half, which had no part in the choice: unless they are clearly better there, what is in
    use stays.
    """

    outcomes: Sequence[Outcome]
    confirmed: Outcome
    recommended: Settings
    people: int


@dataclass(frozen=True)
class ShelfOutcome:
    """A shelf of 12 by `spread` with this balance: nDCG@12, pairs of near-duplicates on it, and
    the share of the catalog that is on somebody's shelf."""

    balance: float
    ndcg: Estimate
    near: float
    coverage: float


def tune(split: Split, *, current: Settings, on_outcome: Callable[[Outcome], object]) -> Tuning:
    """Vary one setting at a time around the best so far, until none is better than that.

    `on_outcome` is called after each that was tried. Raises ValueError when nobody has anything to
    rank on both sides.
    """
    people = np.unique(split.test.people)
    chooses = np.random.default_rng(0).permutation(len(people)) % 2 == 0
    if len(people) < 2:
        raise ValueError("Nobody heard something new after the split, so nothing can be chosen.")
    found: dict[Settings, tuple[Ranking, Outcome]] = {}

    def attempt(settings: Settings) -> Outcome:
        if settings not in found:
            ranking = _rank(split, settings)
            base = found[current][0] if found else ranking
            found[settings] = ranking, _outcome(settings, ranking, base, chooses)
            on_outcome(found[settings][1])
        return found[settings][1]

    best, before = attempt(current), None
    while best is not before:
        before = best
        for settings in _neighbors(best.settings, split.train):
            candidate = attempt(settings)
            best = candidate if candidate.ndcg.value > best.ndcg.value else best
    confirmed = _outcome(best.settings, found[best.settings][0], found[current][0], ~chooses)
    return Tuning(
        outcomes=[outcome for _ranking, outcome in found.values()],
        confirmed=confirmed,
        recommended=best.settings if confirmed.is_clearly_better else current,
        people=len(people),
    )


def shelf_outcomes(
    split: Split, settings: Settings, *, balances: Sequence[float]
) -> Iterator[ShelfOutcome]:
    """What holding back near-duplicates costs, and what it does, on the same split."""
    alike = _alike(split)
    people = np.unique(split.test.people)
    candidates = list(_candidates(split, settings, people))
    relevant = np.diff(split.test.offsets)[people]
    for balance in balances:
        hits = np.zeros((len(people), SHELF_PLACES), dtype=np.bool_)
        near, shown = [], np.zeros(split.test.n_practices, dtype=np.bool_)
        for place, (person, (pool, scores)) in enumerate(zip(people, candidates, strict=True)):
            among = alike[np.ix_(pool, pool)]
            order = spread(scores, alike=among, n=SHELF_PLACES, balance=balance)
            shelf = pool[order]
            hits[place, : len(shelf)] = np.isin(shelf, split.test.practices_of(person))
            near.append(np.triu(among[np.ix_(order, order)] >= NEAR, 1).sum())
            shown[shelf] = True
        ndcg = Estimate.of_mean(ndcg_at(SHELF_PLACES, hits=hits, relevant=relevant))
        yield ShelfOutcome(balance, ndcg, float(np.mean(near)), float(shown.mean()))


def _candidates(
    split: Split, settings: Settings, people: Indices
) -> Iterator[tuple[Indices, Scores]]:
    """Of each person the best practices that are new to them, and their scores."""
    train, scores = split.train[settings.weighting], split.scores(settings)
    for first in range(0, len(people), _BLOCK_PEOPLE):
        block = people[first : first + _BLOCK_PEOPLE]
        for person, row in zip(block, scores(block), strict=True):
            pool = top_n(row, n=_POOL, exclude=train.practices_of(person))
            yield pool, row[pool]


def _rank(split: Split, settings: Settings) -> Ranking:
    return rank(split.scores(settings), train=split.train[settings.weighting], test=split.test)


def _outcome(
    settings: Settings, ranking: Ranking, base: Ranking, is_counted: NDArray[np.bool_]
) -> Outcome:
    ndcg = ranking.ndcg[is_counted]
    gains = ndcg - base.ndcg[is_counted]
    return Outcome(
        settings,
        Estimate.of_mean(ndcg),
        Estimate.of_mean(ranking.recall[is_counted]),
        ranking.coverage(SHELF_PLACES),
        float(gains.mean()),
        float(gains.std() / len(gains) ** 0.5),
    )


def _neighbors(settings: Settings, weightings: Mapping[str, Interactions]) -> Iterator[Settings]:
    """The same settings with one of them changed."""
    for weighting in weightings:
        yield replace(settings, weighting=weighting)
    for value in CHOICES["regularization"]:
        yield replace(settings, regularization=value)
    for value in CHOICES["content_weight"]:
        yield replace(settings, content_weight=int(value))
    for value in CHOICES["dropout"]:
        yield replace(settings, dropout=value)


def _alike(split: Split) -> Matrix:
    """How alike practices are by their tags: float64[n, n]."""
    own: list[set[str]] = [set() for _ in range(split.test.n_practices)]
    for number, tag in enumerate(split.tags):
        for practice in tag.tolist():
            own[practice].add(str(number))
    return likeness(own)
