"""ArrayTrainset beside Surprise's Trainset, and how well EASE and others rank MovieLens 1M (or a
synthetic set of its size)."""

import gc
import os
import sys
import tempfile
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from surprise import Dataset, Reader, Trainset

from recommendations.engine.dtypes import Indices, Scores
from recommendations.engine.ease import DEFAULT_REGULARIZATION, ease_weights
from recommendations.engine.evaluation import evaluate, evaluate_ranking
from recommendations.engine.gram import gram
from recommendations.engine.interactions import Interactions
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.engine.readers import Pairs, read_pairs
from recommendations.engine.trainset import ArrayTrainset
from tests.benchmarks.timing import bar, timed
from tests.recommendations.engine.frames import Frame
from tests.recommendations.engine.movielens import Split, movielens

MINIMUM_SPEEDUP = 30
MINIMUM_SAVING = 20
MAXIMUM_SECONDS = 15
NDCG_BARS = {1000.0: 0.430, 500.0: 0.427}


@dataclass(frozen=True)
class Cost:
    """The least time of building something, and what it keeps and needs at its peak."""

    seconds: float
    kept: int
    peak: int


def main() -> int:
    """Print the tables; returns the number of bars that were missed."""
    with tempfile.TemporaryDirectory() as folder:
        split = movielens(Path(folder), people=6040, practices=3260)
        print(f"Data: {'MovieLens 1M' if split.is_real else 'synthetic, of the size of ML-1M'}")
        print(f"Load of the machine before: {os.getloadavg()[0]:.1f} (other work spoils the times)")
        pairs = read_pairs(split.train)
        missed = [
            *bench_trainset(pairs),
            *bench_evaluation(split),
            *bench_serving(split),
        ]
    for line in missed:
        print(f"MISSED: {line}")
    return len(missed)


def bench_trainset(pairs: Pairs) -> list[str]:
    """Ours and Surprise's own, built from the same arrays, in file order and shuffled."""
    rng = np.random.default_rng(7)
    ratings = rng.integers(1, 6, size=len(pairs.people)).astype(np.float64)
    shuffled = rng.permutation(len(ratings))
    missed = []
    for name, order in (("file order", slice(None)), ("shuffled", shuffled)):
        columns = (pairs.people[order], pairs.practices[order], ratings[order])
        missed += compare_trainsets(name, columns)
    return missed


def compare_trainsets(name: str, columns: tuple[Indices, Indices, Scores]) -> list[str]:
    frame, reader = Frame(*columns), Reader(rating_scale=(1, 5))
    raw = [(user, item, rating, None) for user, item, rating in frame.itertuples()]
    constructor = Dataset(reader)

    def grouped() -> Trainset:
        trainset = ArrayTrainset(*columns)
        return (trainset, trainset.ur[0], trainset.ir[0])[0]

    builders: dict[str, Callable[[], Trainset]] = {
        "Surprise, load_from_df": lambda: Dataset.load_from_df(frame, reader).build_full_trainset(),
        "Surprise, construct_trainset": lambda: constructor.construct_trainset(raw),
        "ArrayTrainset": lambda: ArrayTrainset(*columns),
        "ArrayTrainset, both sides grouped": grouped,
    }
    costs = {label: cost(build) for label, build in builders.items()}
    theirs = costs["Surprise, load_from_df"]
    print(f"\nTrainset of {len(columns[0]):,} ratings, {name}:")
    for label, own in costs.items():
        print(
            f"  {label:34} {own.seconds * 1e3:8.1f} ms ({theirs.seconds / own.seconds:5.1f}x)"
            f"  keeps {own.kept / 1e6:6.1f} MB ({theirs.kept / own.kept:4.1f}x)"
            f"  peak {own.peak / 1e6:6.1f} MB ({theirs.peak / own.peak:4.1f}x)"
        )
    speedup = theirs.seconds / costs["ArrayTrainset"].seconds
    saving = theirs.kept / costs["ArrayTrainset, both sides grouped"].kept
    return [
        *bar(speedup >= MINIMUM_SPEEDUP, f"trainset, {name}: {speedup:.1f}x faster"),
        *bar(saving >= MINIMUM_SAVING, f"trainset, {name}: {saving:.1f}x less memory"),
    ]


def bench_evaluation(split: Split) -> list[str]:
    """What `manage.py evaluate` does: read, fit, rank everybody."""
    print("\nEvaluation (read, fit, rank all people):")
    missed = []
    for regularization, minimum in NDCG_BARS.items():
        result, seconds = timed(
            partial(evaluate, split.train, test=split.test, regularization=regularization)
        )
        show(f"EASE, λ={regularization:g}", result, seconds)
        if split.is_real:
            missed += bar(float(result["ndcg@10"]) >= minimum, f"EASE at λ={regularization:g}")
        missed += bar(seconds < MAXIMUM_SECONDS, f"EASE evaluated in {seconds:.1f} s")
    for algorithm in ("popularity", "svd"):
        result, seconds = timed(
            partial(evaluate, split.train, test=split.test, algorithm=algorithm)
        )
        show(algorithm, result, seconds)
    return missed


def bench_serving(split: Split) -> list[str]:
    """The quality that k neighbors per practice keep, and the time of one shelf."""
    train, test = read_pairs(split.train), read_pairs(split.test)
    size = 1 + max(int(pairs.practices.max()) for pairs in (train, test))
    heard, held_out = interactions(train, n_practices=size), interactions(test, n_practices=size)
    matrix = ease_weights(gram(heard), regularization=DEFAULT_REGULARIZATION)
    counts = people_per_practice(heard)
    print("\nServed weights (1,000 people):")
    for n_neighbors in (100, 200, 400, 800, size - 1):
        items, seconds = timed(
            partial(
                ItemWeights.from_matrix,
                matrix,
                practice_ids=np.arange(size),
                people_per_practice=counts,
                n_neighbors=n_neighbors,
            )
        )
        quality = evaluate_ranking(
            fold_in(items, heard), train=heard, test=held_out, people_limit=1000
        )
        print(
            f"  {n_neighbors:5} neighbors: nDCG@10 {quality['ndcg@10']:.4f},"
            f" {items.weights.nbytes * 2 / 1e6:5.1f} MB, made in {seconds:.2f} s,"
            f" one shelf in {shelf_milliseconds(items, heard):.2f} ms"
        )
    return []


def fold_in(items: ItemWeights, heard: Interactions) -> Callable[[Indices], Scores]:
    def score(person: int) -> Scores:
        history = heard.practices_of(person)
        return items.score(history, weights=np.ones(len(history), dtype=np.int64))

    return lambda people: np.array([score(person) for person in people])


def shelf_milliseconds(items: ItemWeights, heard: Interactions) -> float:
    history = heard.practices_of(0)
    ones = np.ones(len(history), dtype=np.int64)
    _, seconds = timed(
        lambda: top_n(items.score(history, weights=ones), n=20, exclude=history), times=25
    )
    return seconds * 1e3


def interactions(pairs: Pairs, *, n_practices: int | None = None) -> Interactions:
    return Interactions.from_rows(
        pairs.people,
        practices=pairs.practices,
        n_people=int(pairs.people.max()) + 1,
        n_practices=n_practices or int(pairs.practices.max()) + 1,
    )


def cost(build: Callable[[], object]) -> Cost:
    """Time and memory are measured in separate runs: tracing slows the building down."""
    _, seconds = timed(build, times=5)
    gc.collect()
    tracemalloc.start()
    built = build()
    gc.collect()
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del built
    return Cost(seconds, kept, peak)


def show(name: str, result: dict[str, float | int | str], seconds: float) -> None:
    print(
        f"  {name:14} nDCG@10 {result['ndcg@10']:.4f}  recall@20 {result['recall@20']:.4f}"
        f"  fit {result['fit_seconds']:5.2f} s  total {seconds:5.2f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
