"""How good a release would be: ranking on held-out listens, and the errors of rating predictors.

Measured on consenting people only, on a seeded sample, so that it costs a few seconds at most.
"""

import numpy as np
from numpy.typing import NDArray
from surprise import SVD, KNNBaseline

from recommendations.engine.dtypes import Indices, IntegerMatrix, Scores
from recommendations.engine.ease import ease_weights
from recommendations.engine.evaluation import evaluate_ranking, rating_errors
from recommendations.engine.gram import gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.trainset import ArrayTrainset
from recommendations.selectors.training_data import Ratings, TrainingData

SEED = 0
HELD_OUT = 0.2
PEOPLE_RANKED = 1000
MOST_RATINGS = 50_000
FEWEST_PEOPLE = 20
FEWEST_RATINGS = 100


def quality(
    data: TrainingData, *, content: IntegerMatrix, regularization: float
) -> dict[str, float]:
    """nDCG@10 and recall@20 on a random fifth of the pairs, and the RMSE of Surprise's SVD and
    KNNBaseline on a random fifth of the ratings. What too few people carry is left out."""
    return {
        **_ranking(
            data.interactions,
            n_practices=len(data.practice_ids),
            content=content,
            regularization=regularization,
        ),
        **_ratings(data.ratings),
    }


def _ranking(
    heard: Interactions, *, n_practices: int, content: IntegerMatrix, regularization: float
) -> dict[str, float]:
    if heard.n_people < FEWEST_PEOPLE:
        return {}
    held_out = np.random.default_rng(SEED).random(len(heard.people)) < HELD_OUT
    # Moods are learned from, and nobody is recommended one.
    held_out &= heard.practices < n_practices
    train, test = _rows(heard, ~held_out), _rows(heard, held_out)
    if not len(test.people):
        return {}
    weights = ease_weights(gram(train) + content, regularization=regularization)
    vectors = train.matrix

    def scores(people: Indices) -> Scores:
        block: Scores = vectors[people].toarray() @ weights
        block[:, n_practices:] = -np.inf
        return block

    figures = evaluate_ranking(
        scores,
        train=train,
        test=test,
        people_limit=PEOPLE_RANKED,
    )
    return {name: round(float(figures[name]), 4) for name in ("ndcg@10", "recall@20")}


def _rows(heard: Interactions, chosen: NDArray[np.bool_]) -> Interactions:
    return Interactions(
        heard.people[chosen],
        heard.practices[chosen],
        heard.weights[chosen],
        heard.n_people,
        heard.n_practices,
    )


def _ratings(ratings: Ratings) -> dict[str, float]:
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
