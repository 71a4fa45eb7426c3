"""Item weights from Surprise's own algorithms, for a site that configures one of them.

They cannot forget: who leaves is forgotten by training again (trainer.py). Nothing of them is kept
but the weights from practice to practice.
"""

from collections.abc import Callable

import numpy as np
from surprise import SVD, AlgoBase, KNNBaseline, KNNBasic

from recommendations.engine.dtypes import Matrix
from recommendations.engine.interactions import Interactions
from recommendations.engine.trainset import ArrayTrainset

SEED = 0
_OF_ITEMS = {"user_based": False, "name": "cosine"}

ALGORITHMS: dict[str, Callable[[], AlgoBase]] = {
    "svd": lambda: SVD(random_state=SEED),
    "knn_basic": lambda: KNNBasic(sim_options=_OF_ITEMS, verbose=False),
    "knn_baseline": lambda: KNNBaseline(sim_options=_OF_ITEMS, verbose=False),
}


def surprise_item_weights(algorithm: str, vectors: Interactions) -> Matrix:
    """What having heard column i says for column j: float64[n, n], zero diagonal.

    The weights of the vectors are the ratings. For the KNN algorithms it is the similarity that
    Surprise computes; for SVD the cosine of the factors qᵢ and qⱼ. Columns that nobody carries say
    nothing. `algorithm` is one of `ALGORITHMS`.
    """
    weights = np.zeros((vectors.n_practices, vectors.n_practices))
    if not len(vectors.people):
        return weights
    trainset = ArrayTrainset(
        vectors.people, vectors.practices, vectors.weights.astype(np.float64), rating_scale=(1, 3)
    )
    fitted = ALGORITHMS[algorithm]().fit(trainset)
    columns = np.array([trainset.to_raw_iid(item) for item in range(trainset.n_items)])
    similar = _cosine(fitted.qi) if isinstance(fitted, SVD) else np.asarray(fitted.sim)
    weights[np.ix_(columns, columns)] = similar
    np.fill_diagonal(weights, 0.0)
    return weights


def _cosine(factors: Matrix) -> Matrix:
    length = np.linalg.norm(factors, axis=1, keepdims=True)
    unit = factors / np.where(length > 0, length, 1.0)
    return unit @ unit.T
