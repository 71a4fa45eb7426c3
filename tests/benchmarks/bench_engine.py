"""The engine beside its peers (implicit's ALS, Surprise's predict loop, inverting again) and beside
what the machine can do at most (a bare product, memory traffic), in one run.

BENCH_PEOPLE makes the large training set smaller.
"""

import os
import sys
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from implicit.als import AlternatingLeastSquares  # type: ignore[import-untyped]
from scipy.linalg.blas import dsyr, dsyrk, ssyrk
from surprise import SVD
from threadpoolctl import threadpool_info, threadpool_limits  # type: ignore[import-untyped]

from recommendations.engine.dtypes import Indices, IntegerMatrix, Matrix, Scores
from recommendations.engine.ease import DEFAULT_REGULARIZATION, ease_weights
from recommendations.engine.evaluation import ScoreBlock, evaluate_ranking
from recommendations.engine.gram import digest, gram, mirror
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.popularity import people_per_practice
from recommendations.engine.ranking import ItemWeights, top_n
from recommendations.engine.readers import Pairs, read_pairs
from recommendations.engine.trainset import ArrayTrainset
from tests.benchmarks.timing import bar, clocked, timed
from tests.recommendations.engine.movielens import Split, movielens

CATALOGS = (3260, 10_000)
FORGOTTEN = 256
FEWEST_TIMES_FASTER = {"forgetting": 300, "top-n": 100, "ML-1M": 2, "large": 20}
MOST_PRODUCTS = 2.0
LEAST_NDCG = 0.430
PEOPLE = int(os.environ.get("BENCH_PEOPLE", "1000000"))
PRACTICES = 2000
LISTENS = 30


@dataclass(frozen=True)
class Columns:
    """What both sides start from: a row a pair, ordered by person and practice."""

    people: Indices
    practices: Indices
    weights: Indices
    n_people: int
    n_practices: int

    def first(self, rows: int) -> "Columns":
        return Columns(
            self.people[:rows],
            self.practices[:rows],
            self.weights[:rows],
            self.n_people,
            self.n_practices,
        )


def main() -> int:
    """Print the tables; returns the number of bars that were missed."""
    kernels = {f"{pool['internal_api']} {pool.get('architecture')}" for pool in threadpool_info()}
    print(f"Load before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; {', '.join(kernels)}")
    missed = [line for size in CATALOGS for line in bench_forgetting(size)]
    with tempfile.TemporaryDirectory() as folder:
        split = movielens(Path(folder), people=6040, practices=3260)
        train, test = aligned(split)
        print(f"\n{'MovieLens 1M' if split.is_real else 'Synthetic, of the size of ML-1M'}:")
        missed += bench_gram(train)
        missed += bench_movielens(train, test, is_real=split.is_real)
        missed += bench_top_n(train)
    missed += bench_large()
    print(f"\nLoad after: {os.getloadavg()[0]:.1f}")
    for line in missed:
        print(f"MISSED: {line}")
    return len(missed)


def bench_forgetting(size: int) -> list[str]:
    """A person taken out of P, against inverting G again, and against the memory traffic of it."""
    print(f"\nForgetting a person, {size:,} practices:")
    columns = population(20_000, practices=size)
    people = heard(columns)
    matrix = gram(people)
    times = 3 if size < 5000 else 1
    inverse, inverting = timed(
        partial(ItemInverse.of, matrix, regularization=DEFAULT_REGULARIZATION), times=times
    )
    _, many = timed(partial(forget, inverse, people, range(FORGOTTEN)))
    each = many / FORGOTTEN
    alone = min(
        timed(partial(forget, inverse, people, [person]))[1]
        for person in range(FORGOTTEN, FORGOTTEN + 5)
    )
    gone = columns.first(int(people.offsets[FORGOTTEN + 5]))
    residual = inverse.residual(matrix - gram(heard(gone)))
    syr, copying = limits(inverse.matrix)
    print(f"  inverting again (Cholesky)      {inverting * 1e3:10.1f} ms")
    ratio = inverting / each
    print(f"  ours, {FORGOTTEN} people one by one    {each * 1e3:10.3f} ms each  {ratio:7.0f}x")
    print(
        f"  ours, one alone, P read at once {alone * 1e3:10.1f} ms      {inverting / alone:7.0f}x"
    )
    print(f"  limit: bare BLAS syr, one half  {syr * 1e3:10.1f} ms      {inverting / syr:7.0f}x")
    print(f"  limit: P copied in memory       {copying * 1e3:10.1f} ms")
    print(f"  residual after {FORGOTTEN + 5} people      {residual:10.1e}")
    return [
        *bar(ratio >= FEWEST_TIMES_FASTER["forgetting"], f"forgetting at {size}: {ratio:.0f}x"),
        *bar(residual < 1e-8, f"the residual at {size} practices: {residual:.1e}"),
    ]


def forget(inverse: ItemInverse, people: Interactions, chosen: range | list[int]) -> Matrix:
    """All of them taken out, one after the other, and P as it is then."""
    for person in chosen:
        rows = slice(people.offsets[person], people.offsets[person + 1])
        inverse.update(people.practices[rows], people.weights[rows], sign=-1)
    return inverse.matrix


def limits(matrix: Matrix) -> tuple[float, float]:
    """Seconds of the bare rank-one update of one triangle, and of moving P once."""
    vector = np.full(len(matrix), 1e-9)
    target = matrix.copy()
    _, syr = timed(lambda: dsyr(1e-9, vector, lower=1, a=target.T, overwrite_a=1), times=5)
    _, copying = timed(lambda: np.copyto(target, matrix), times=5)
    return syr, copying


def bench_gram(people: Interactions) -> list[str]:
    """The exact ways to make G, which must agree to the last bit."""
    ours, seconds = timed(partial(gram, people), times=3)
    whole, whole_seconds = timed(partial(whole_gram, people), times=2)
    single, single_seconds = timed(partial(dense_gram, people, single=True), times=2)
    double, double_seconds = timed(partial(dense_gram, people, single=False), times=2)
    ids = np.arange(people.n_practices)
    _, digesting = timed(partial(digest, ours, column_ids=ids), times=3)
    print(f"  G: ours, half of it, in threads {seconds * 1e3:10.1f} ms")
    print(f"  G: sparse int64, all of it      {whole_seconds * 1e3:10.1f} ms")
    print(f"  G: dense float32 syrk           {single_seconds * 1e3:10.1f} ms, exact below 2^24")
    print(f"  G: dense float64 syrk           {double_seconds * 1e3:10.1f} ms, exact below 2^53")
    print(f"  its digest                      {digesting * 1e3:10.1f} ms")
    is_same = all(np.array_equal(ours, other) for other in (whole, single, double))
    return bar(is_same, "the Grams agree")


def whole_gram(people: Interactions) -> IntegerMatrix:
    matrix = people.matrix
    return (matrix.T.tocsr() @ matrix).toarray().astype(np.int64, copy=False)


def dense_gram(people: Interactions, *, single: bool) -> IntegerMatrix:
    """G by floating-point BLAS: exact as long as no cell passes the last exact integer."""
    dtype, syrk = (np.float32, ssyrk) if single else (np.float64, dsyrk)
    upper = np.zeros((people.n_practices, people.n_practices), dtype=dtype, order="F")
    for block in people.blocks(max_rows=1 << 17, dtype=np.int64):
        upper = syrk(1.0, block.toarray().astype(dtype).T, beta=1.0, c=upper, overwrite_c=1)
    matrix = np.ascontiguousarray(upper).astype(np.int64)
    mirror(matrix)
    return matrix


def bench_movielens(train: Interactions, test: Interactions, *, is_real: bool) -> list[str]:
    """Training and ranking quality, beside implicit's ALS at its defaults."""
    columns = Columns(
        train.people, train.practices, train.weights, train.n_people, train.n_practices
    )
    weights, ours, our_cpu = clocked(partial(train_ease, columns), times=5)
    model, theirs, their_cpu = clocked(partial(train_als, columns, quiet=True), times=3)
    matrix = train.matrix

    def own_scores(people: Indices) -> Scores:
        return np.asarray(matrix[people] @ weights)

    quality = ndcg(own_scores, train, test)
    their_quality = ndcg(lambda people: als_scores(model, people), train, test)
    _, serving = timed(partial(served, weights, train), times=3)
    ratio = theirs / ours
    print(f"  training: ours                  {seconds(ours, our_cpu)}  nDCG@10 {quality:.4f}")
    print(
        f"  training: implicit's ALS        {seconds(theirs, their_cpu)}"
        f"  nDCG@10 {their_quality:.4f}  {ratio:7.1f}x ({their_cpu / our_cpu:.1f}x)"
    )
    print(f"  choosing the weights to serve   {serving * 1e3:10.1f} ms")
    missed = bar(ratio >= FEWEST_TIMES_FASTER["ML-1M"], f"training on ML-1M: {ratio:.1f}x")
    if is_real:
        missed += bar(quality >= max(LEAST_NDCG, their_quality), f"nDCG@10 {quality:.4f}")
    return missed


def train_ease(columns: Columns) -> Matrix:
    return ease_weights(gram(heard(columns)), regularization=DEFAULT_REGULARIZATION)


def train_als(columns: Columns, *, quiet: bool) -> AlternatingLeastSquares:
    """At its defaults, as its documentation asks: BLAS on one thread, its own on all cores."""
    offsets = np.concatenate(([0], np.cumsum(np.bincount(columns.people))))
    matrix = sp.csr_matrix(
        (columns.weights.astype(np.float32), columns.practices, offsets),
        shape=(columns.n_people, columns.n_practices),
    )

    def progress(iteration: int, seconds: float, _loss: float | None) -> None:
        if not quiet:
            print(f"    ALS iteration {iteration + 1}: {seconds:.1f} s", flush=True)

    with threadpool_limits(1, "blas"):
        model = AlternatingLeastSquares(random_state=0)
        model.fit(matrix, show_progress=False, callback=progress)
    return model


def als_scores(model: AlternatingLeastSquares, people: Indices) -> Scores:
    scores: Scores = (model.user_factors[people] @ model.item_factors.T).astype(np.float64)
    return scores


def ndcg(scores: ScoreBlock, train: Interactions, test: Interactions) -> float:
    return float(evaluate_ranking(scores, train=train, test=test)["ndcg@10"])


def bench_top_n(train: Interactions) -> list[str]:
    """A shelf for a person from their history alone, beside the bare product and Surprise."""
    matrix = ease_weights(gram(train), regularization=DEFAULT_REGULARIZATION)
    items = served(matrix, train)
    people = range(0, train.n_people, 6)
    histories = [train.practices_of(person) for person in people]
    ones = [np.ones(len(history), dtype=np.int64) for history in histories]

    def shelves() -> None:
        for history, weights in zip(histories, ones, strict=True):
            top_n(items.score(history, weights=weights), n=20, exclude=history)

    def served_products() -> None:
        for history, weights in zip(histories, ones, strict=True):
            parts = items.weights[history] * weights[:, np.newaxis]
            np.bincount(
                items.neighbors[history].ravel(), weights=parts.ravel(), minlength=len(matrix)
            )

    def dense_products() -> None:
        for history, weights in zip(histories, ones, strict=True):
            weights @ matrix[history]

    ours, kept, dense = (
        timed(work, times=5)[1] / len(people) for work in (shelves, served_products, dense_products)
    )
    theirs = surprise_seconds(train, range(10))
    print(f"  fold-in and top 20: ours        {ours * 1e3:10.3f} ms a person")
    print(f"  limit: its bare product         {kept * 1e3:10.3f} ms  {ours / kept:7.2f}x of it")
    print(f"  limit: with all of B            {dense * 1e3:10.3f} ms  {ours / dense:7.2f}x of it")
    print(f"  Surprise's predict, SVD         {theirs * 1e3:10.3f} ms  {theirs / ours:7.0f}x")
    return [
        *bar(ours <= MOST_PRODUCTS * kept, f"fold-in: {ours / kept:.2f} bare products"),
        *bar(theirs >= FEWEST_TIMES_FASTER["top-n"] * ours, f"top-n: {theirs / ours:.0f}x"),
    ]


def surprise_seconds(train: Interactions, people: range) -> float:
    """Seconds a person of asking SVD for every practice and sorting, as Surprise's FAQ does it."""
    trainset = ArrayTrainset(train.people, train.practices, np.ones(len(train.people)))
    svd = SVD(n_epochs=1, random_state=0).fit(trainset)

    def lists() -> list[list[float]]:
        return [
            sorted(svd.predict(person, item).est for item in range(train.n_practices))[-20:]
            for person in people
        ]

    return timed(lists)[1] / len(people)


def bench_large() -> list[str]:
    """Many people from arrays in memory: G, the inverse, the weights; beside implicit's ALS."""
    columns = population(PEOPLE, practices=PRACTICES)
    print(f"\n{PEOPLE:,} people, {PRACTICES:,} practices, {len(columns.people):,} pairs:")
    _, ours, our_cpu = clocked(partial(train_and_choose, columns))
    print(f"  ours                            {seconds(ours, our_cpu)}")
    _, theirs, their_cpu = clocked(partial(train_als, columns, quiet=False))
    print(
        f"  implicit's ALS                  {seconds(theirs, their_cpu)}"
        f"  {theirs / ours:7.1f}x ({their_cpu / our_cpu:.1f}x)"
    )
    ratio = theirs / ours
    return bar(ratio >= FEWEST_TIMES_FASTER["large"], f"training, {PEOPLE:,} people: {ratio:.1f}x")


def train_and_choose(columns: Columns) -> ItemWeights:
    """From the arrays to what is served; prints the parts."""
    people, checking = timed(partial(heard, columns))
    matrix, adding = timed(partial(gram, people))
    weights, inverting = timed(partial(ease_weights, matrix, regularization=DEFAULT_REGULARIZATION))
    items, choosing = timed(partial(served, weights, people))
    print(f"    arrays checked {checking:.2f} s, G {adding:.2f} s, B {inverting:.2f} s,")
    print(f"    weights to serve chosen {choosing:.2f} s")
    return items


def seconds(wall: float, cpu: float) -> str:
    return f"{wall:8.2f} s ({cpu:.2f} s of processors)"


def served(weights: Matrix, people: Interactions) -> ItemWeights:
    return ItemWeights.from_matrix(
        weights,
        practice_ids=np.arange(len(weights)),
        people_per_practice=people_per_practice(people),
    )


def population(people: int, *, practices: int) -> Columns:
    """People with about 30 listens each, of practices of very different popularity."""
    rng = np.random.default_rng(3)
    popularity = np.cumsum(1.0 / np.arange(1, practices + 1) ** 0.6)
    listens = np.searchsorted(popularity / popularity[-1], rng.random(people * LISTENS))
    listens = np.sort(listens.astype(np.int32).reshape(people, LISTENS), axis=1)
    is_new = np.diff(listens, axis=1, prepend=-1) > 0
    person = np.repeat(np.arange(people, dtype=np.int32), is_new.sum(axis=1))
    return Columns(person, listens[is_new], np.ones(len(person), dtype=np.int8), people, practices)


def heard(columns: Columns) -> Interactions:
    return Interactions(
        columns.people, columns.practices, columns.weights, columns.n_people, columns.n_practices
    )


def aligned(split: Split) -> tuple[Interactions, Interactions]:
    """Both files over the same people and practices."""
    train, test = read_pairs(split.train), read_pairs(split.test)
    n_people = 1 + max(int(pairs.people.max()) for pairs in (train, test))
    n_practices = 1 + max(int(pairs.practices.max()) for pairs in (train, test))

    def rows(pairs: Pairs) -> Interactions:
        return Interactions.from_rows(
            pairs.people, practices=pairs.practices, n_people=n_people, n_practices=n_practices
        )

    return rows(train), rows(test)


if __name__ == "__main__":
    sys.exit(main())
