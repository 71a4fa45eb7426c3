"""Measure an algorithm: ranking on held-out practices, rating errors by Surprise's measures."""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from surprise import SVD, AlgoBase, KNNBaseline, Trainset, accuracy

from recommendations.engine.dtypes import Indices, Integers, Scores
from recommendations.engine.ease import DEFAULT_REGULARIZATION, EASE
from recommendations.engine.interactions import Interactions
from recommendations.engine.metrics import ndcg_at, recall_at
from recommendations.engine.popularity import Popularity
from recommendations.engine.ranker import Ranker
from recommendations.engine.ranking import top_n
from recommendations.engine.readers import Pairs, read_pairs
from recommendations.engine.trainset import ArrayTrainset, RawId

# float64[people, practices] for an array of people.
ScoreBlock: TypeAlias = Callable[[Indices], Scores]

ALGORITHMS: dict[str, Callable[[float], AlgoBase]] = {
    "ease": lambda regularization: EASE(regularization=regularization),
    "svd": lambda _: SVD(random_state=0),
    "knn_baseline": lambda _: KNNBaseline(sim_options={"user_based": False}, verbose=False),
    "popularity": lambda _: Popularity(),
}

_NDCG_PLACES = 10
_RECALL_PLACES = 20
_BLOCK_PEOPLE = 512
# An algorithm that can only be asked pair by pair is asked for this many people.
_SAMPLED_PEOPLE = 100
_SAMPLE_SEED = 0


def evaluate(
    train: Path,
    *,
    test: Path,
    algorithm: str = "ease",
    regularization: float = DEFAULT_REGULARIZATION,
) -> dict[str, float | int | str]:
    """Fit on one file, rank for the people of the other; the forms are those of `read_pairs`.

    Returns `ndcg@10`, `recall@20`, `fit_seconds`, the numbers of `people`, `practices` and
    `interactions` learned from, and `people_ranked`, how many the means are over. Every pair of
    the files is a rating of 1: the files say what was heard, not how it was liked. Raises
    ValueError for an unknown algorithm and for files that cannot be evaluated.
    """
    if algorithm not in ALGORITHMS:
        raise ValueError(f"There is no algorithm {algorithm}; choose from {', '.join(ALGORITHMS)}.")
    heard, held_out = _aligned(read_pairs(train), read_pairs(test))
    trainset = ArrayTrainset(
        heard.people, heard.practices, np.ones(len(heard.people)), rating_scale=(1, 1)
    )
    started = time.perf_counter()
    fitted = ALGORITHMS[algorithm](regularization).fit(trainset)
    fit_seconds = time.perf_counter() - started
    pair_by_pair = not isinstance(fitted, Ranker | SVD)
    return {
        "algorithm": algorithm,
        **evaluate_ranking(
            score_block(fitted, n_practices=heard.n_practices),
            train=heard,
            test=held_out,
            people_limit=_SAMPLED_PEOPLE if pair_by_pair else None,
        ),
        "fit_seconds": round(fit_seconds, 3),
        "people": trainset.n_users,
        "practices": heard.n_practices,
        "interactions": len(heard.people),
    }


def evaluate_ranking(
    scores: ScoreBlock,
    *,
    train: Interactions,
    test: Interactions,
    people_limit: int | None = None,
) -> dict[str, float | int]:
    """`ndcg@10` and `recall@20` over the people of `test`, and `people_ranked`, their number.

    What a person heard in `train` is left out of their ranking. With `people_limit` a seeded
    sample of the people is taken. Raises ValueError when nobody has anything held out.
    """
    ranking = rank(scores, train=train, test=test, people_limit=people_limit)
    return {
        "ndcg@10": float(ranking.ndcg.mean()),
        "recall@20": float(ranking.recall.mean()),
        "people_ranked": len(ranking.people),
    }


@dataclass(frozen=True, eq=False)
class Ranking:
    """The first places of each person, and which of them were hits.

    `people` are those who were ranked, `columns` int[people, places] what stood there, best first
    and -1 where there was nothing left, `hits` bool[people, places], `relevant` int[people] how
    many practices each had held out.
    """

    people: Indices
    columns: Indices
    hits: NDArray[np.bool_]
    relevant: Integers
    n_practices: int

    @property
    def ndcg(self) -> Scores:
        """nDCG@10 of each person."""
        return ndcg_at(_NDCG_PLACES, hits=self.hits, relevant=self.relevant)

    @property
    def recall(self) -> Scores:
        """Recall@20 of each person."""
        return recall_at(_RECALL_PLACES, hits=self.hits, relevant=self.relevant)

    def coverage(self, places: int) -> float:
        """The share of the catalog that is among the first places of at least one person."""
        shown = np.unique(self.columns[:, :places])
        return int((shown >= 0).sum()) / self.n_practices


def rank(
    scores: ScoreBlock,
    *,
    train: Interactions,
    test: Interactions,
    people_limit: int | None = None,
) -> Ranking:
    """Rank the catalog for the people of `test`; the arguments are those of `evaluate_ranking`."""
    people = _sample(np.unique(test.people), people_limit)
    if not len(people):
        raise ValueError("Nobody has a held-out practice, so there is nothing to evaluate.")
    columns = np.full((len(people), _RECALL_PLACES), -1)
    hits = np.zeros(columns.shape, dtype=np.bool_)
    for first in range(0, len(people), _BLOCK_PEOPLE):
        block = people[first : first + _BLOCK_PEOPLE]
        for place, (person, row) in enumerate(zip(block, scores(block), strict=True), first):
            best = top_n(row, n=_RECALL_PLACES, exclude=train.practices_of(person))
            columns[place, : len(best)] = best
            hits[place, : len(best)] = np.isin(best, test.practices_of(person), assume_unique=True)
    return Ranking(people, columns, hits, np.diff(test.offsets)[people], test.n_practices)


def rating_errors(
    algorithm: AlgoBase,
    *,
    trainset: Trainset,
    testset: Iterable[tuple[RawId, RawId, float]],
) -> dict[str, float]:
    """Fit a rating predictor and give Surprise's own `rmse` and `mae` on (user, item, rating)."""
    predictions = algorithm.fit(trainset).test(testset)
    return {
        "rmse": float(accuracy.rmse(predictions, verbose=False)),
        "mae": float(accuracy.mae(predictions, verbose=False)),
    }


def score_block(fitted: AlgoBase, *, n_practices: int) -> ScoreBlock:
    """The scores of a fitted algorithm whose raw ids are indices of people and practices.

    Rankers and SVD are asked for whole blocks. Every other algorithm is asked pair by pair, as
    Surprise does, which takes minutes for thousands of people.
    """
    if isinstance(fitted, Ranker):
        return _ranker_scores(fitted, n_practices)
    if isinstance(fitted, SVD) and fitted.biased:
        return _svd_scores(fitted, n_practices)
    return _pairwise_scores(fitted, n_practices)


def _ranker_scores(ranker: Ranker, n_practices: int) -> ScoreBlock:
    items = _inner_items(ranker.trainset, n_practices)

    def scores(people: Indices) -> Scores:
        known = ranker.score_block(_inner_users(ranker.trainset, people))
        return np.where(items >= 0, known[:, items], ranker.default_prediction())

    return scores


def _svd_scores(svd: SVD, n_practices: int) -> ScoreBlock:
    """μ + bᵤ + bᵢ + qᵢᵀpᵤ, with zeros for whoever is unknown, as `SVD.estimate` has it."""
    items = _inner_items(svd.trainset, n_practices)
    item_bias = _rows_or_zero(svd.bi, items)
    item_factors = _rows_or_zero(svd.qi, items)

    def scores(people: Indices) -> Scores:
        users = _inner_users(svd.trainset, people)
        bias = svd.trainset.global_mean + _rows_or_zero(svd.bu, users)[:, np.newaxis] + item_bias
        result: Scores = bias + _rows_or_zero(svd.pu, users) @ item_factors.T
        return result

    return scores


def _pairwise_scores(fitted: AlgoBase, n_practices: int) -> ScoreBlock:
    def scores(people: Indices) -> Scores:
        estimates = (
            fitted.predict(person, practice, clip=False).est
            for person in people.tolist()
            for practice in range(n_practices)
        )
        flat = np.fromiter(estimates, dtype=np.float64, count=len(people) * n_practices)
        return flat.reshape(len(people), n_practices)

    return scores


def _inner_users(trainset: Trainset, people: Indices) -> NDArray[np.intp]:
    return _inner_ids(trainset.to_inner_uid, people.tolist())


def _inner_items(trainset: Trainset, n_practices: int) -> NDArray[np.intp]:
    return _inner_ids(trainset.to_inner_iid, range(n_practices))


def _inner_ids(to_inner: Callable[[RawId], int], raw_ids: Iterable[int]) -> NDArray[np.intp]:
    """Inner ids; -1 for what the training set does not know."""

    def inner(raw_id: int) -> int:
        try:
            return to_inner(raw_id)
        except ValueError:
            return -1

    return np.array([inner(raw_id) for raw_id in raw_ids], dtype=np.intp)


def _rows_or_zero(table: NDArray[np.float64], rows: Indices) -> NDArray[np.float64]:
    """table[rows], with zeros where the row is -1."""
    known = (rows >= 0).reshape(-1, *[1] * (table.ndim - 1))
    return np.where(known, table[rows], 0.0)


def _sample(people: Indices, limit: int | None) -> Indices:
    if limit is None or len(people) <= limit:
        return people
    chosen = np.random.default_rng(_SAMPLE_SEED).choice(len(people), size=limit, replace=False)
    return people[np.sort(chosen)]


def _aligned(train: Pairs, test: Pairs) -> tuple[Interactions, Interactions]:
    """Both files with their ids replaced by common indices, in the order of the ids."""
    people = np.unique(np.concatenate((train.people, test.people)))
    practices = np.unique(np.concatenate((train.practices, test.practices)))
    heard, held_out = (
        Interactions.from_rows(
            np.searchsorted(people, pairs.people),
            practices=np.searchsorted(practices, pairs.practices),
            n_people=len(people),
            n_practices=len(practices),
        )
        for pairs in (train, test)
    )
    return heard, held_out
