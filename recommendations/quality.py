"""How good, how diverse and how discreet a candidate is, before it becomes the active release.

Measured on a sample of consenting people, without training again. What too few people carry is left
out: every figure here is of at least `FEWEST_PEOPLE`.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from surprise import SVD, KNNBaseline

from recommendations.engine.dtypes import IntegerMatrix, Matrix
from recommendations.engine.evaluation import rating_errors
from recommendations.engine.interactions import Interactions
from recommendations.engine.leave_last_out import SHELF_PLACES, clearly_worse, leave_last_out
from recommendations.engine.membership import membership_audit
from recommendations.engine.metrics import Estimate
from recommendations.engine.ranking import ItemWeights
from recommendations.engine.trainset import ArrayTrainset
from recommendations.selectors.quality import Sample
from recommendations.selectors.training_data import Ratings

# Figures by name, as a release keeps them. An interval is three: `x`, `x_low` and `x_high`.
Metrics: TypeAlias = dict[str, float]

SEED = 0
HELD_OUT = 0.2
MOST_RATINGS = 50_000
FEWEST_PEOPLE = 20
FEWEST_RATINGS = 100
# With fewer people an interval says too little to hold a release back by.
FEWEST_TO_COMPARE = 100


def candidate_quality(inverse: Matrix, *, items: ItemWeights, sample: Sample) -> Metrics:
    """How well a candidate ranks: nDCG@10 and recall@20 with intervals, coverage@12, again@12.

    "For you" is judged on the practice that was new to each person last, by the weights that are
    served and as if the model had never seen it (`leave_last_out`). "Listen again" is judged on
    returns: the share of people whose last return was to one of the first 12 of that shelf.
    `inverse` is the P that `items` were made of: float64[c, c], practices first.
    """
    metrics: Metrics = {}
    held_out = sample.listens.last_new()
    ranked_people = int((held_out >= 0).sum())
    if ranked_people >= FEWEST_PEOPLE:
        ranked = leave_last_out(
            inverse,
            vectors=sample.vectors,
            held_out=held_out,
            n_practices=len(items.practice_ids),
            items=items,
        )
        metrics |= _interval("ndcg@10", Estimate.of_mean(ranked.ndcg))
        metrics |= _interval("recall@20", Estimate.of_mean(ranked.recall))
        metrics |= {"coverage@12": round(ranked.coverage, 4), "people_ranked": ranked_people}
    places = sample.listens.return_places()
    returned = places[places > 0]
    if len(returned) >= FEWEST_PEOPLE:
        found = (returned <= SHELF_PLACES).astype(np.float64)
        metrics |= _interval("again@12", Estimate.of_mean(found))
    return metrics


def is_clearly_worse(candidate: Mapping[str, float], *, than: Mapping[str, float]) -> bool:
    """Whether a candidate is held back for its nDCG@10, by the figures of the active release."""
    if min(figures.get("people_ranked", 0) for figures in (candidate, than)) < FEWEST_TO_COMPARE:
        return False
    return clearly_worse(_estimate(candidate), than=_estimate(than))


def membership_quality(
    matrix: IntegerMatrix, *, vectors: Interactions, regularization: float, items: ItemWeights
) -> Metrics:
    """The areas of `membership_audit` with their intervals; nothing when too few people share.

    `matrix` is the S that the candidate was made of; it is as it was afterwards.
    """
    figures = membership_audit(
        matrix,
        vectors,
        regularization=regularization,
        n_practices=len(items.practice_ids),
        n_neighbors=items.neighbors.shape[1],
    )
    if figures is None:
        return {}
    return {
        **_interval("auc_members", figures.members),
        **_interval("auc_members_informed", figures.members_informed),
        **_interval("auc_forgotten", figures.forgotten),
        **_interval("auc_forgotten_informed", figures.forgotten_informed),
        "people_audited": 2 * figures.people,
    }


def has_forgotten(metrics: Mapping[str, float]) -> bool:
    """Whether no attacker of the audit could tell forgotten people from those who were never in;
    also when nobody was audited."""
    return all(
        metrics.get(f"{name}_low", 0.0) <= 0.5 <= metrics.get(f"{name}_high", 1.0)
        for name in ("auc_forgotten", "auc_forgotten_informed")
    )


def rating_quality(ratings: Ratings) -> Metrics:
    """The RMSE of Surprise's SVD and KNNBaseline on a random fifth of the ratings."""
    if len(ratings.values) < FEWEST_RATINGS:
        return {}
    order = np.random.default_rng(SEED).permutation(len(ratings.values))[:MOST_RATINGS]
    held_out, kept = np.split(order, [int(HELD_OUT * len(order))])
    trainset = ArrayTrainset(ratings.people[kept], ratings.practices[kept], ratings.values[kept])
    testset = list(
        zip(
            ratings.people[held_out].tolist(),
            ratings.practices[held_out].tolist(),
            ratings.values[held_out].tolist(),
            strict=True,
        )
    )
    predictors = {
        "svd": SVD(random_state=SEED),
        "knn_baseline": KNNBaseline(sim_options={"user_based": False}, verbose=False),
    }
    return {
        f"rmse_{name}": round(
            rating_errors(predictor, trainset=trainset, testset=testset)["rmse"], 4
        )
        for name, predictor in predictors.items()
    }


def _interval(name: str, estimate: Estimate) -> Metrics:
    return {
        name: round(estimate.value, 4),
        f"{name}_low": round(estimate.low, 4),
        f"{name}_high": round(estimate.high, 4),
    }


def _estimate(metrics: Mapping[str, float]) -> Estimate:
    return Estimate(metrics["ndcg@10"], metrics["ndcg@10_low"], metrics["ndcg@10_high"])
