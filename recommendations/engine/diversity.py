"""No shelf of near-duplicates: what resembles something better that is already there waits."""

from collections.abc import Collection, Sequence

import numpy as np

from recommendations.engine.dtypes import Indices, Matrix, Scores

# How much the score counts against the likeness; measured in docs/quality.md.
BALANCE = 0.7
# Two practices with this likeness or more are near-duplicates.
NEAR = 0.6


def likeness(tags: Sequence[Collection[str]]) -> Matrix:
    """How alike practices are by their tags: the tags in common over the tags of either (Jaccard),
    float64[n, n] from 0 to 1; 0 for practices without tags."""
    return overlap(carried(tags))


def carried(tags: Sequence[Collection[str]]) -> Matrix:
    """Which practice carries which tag: float64[n, t] of 0 and 1."""
    flat = [tag for own in tags for tag in own]
    names = {tag: place for place, tag in enumerate(dict.fromkeys(flat))}
    carries = np.zeros((len(tags), len(names)))
    rows = np.repeat(np.arange(len(tags)), [len(own) for own in tags])
    carries[rows, [names[tag] for tag in flat]] = 1.0
    return carries


def overlap(carries: Matrix) -> Matrix:
    """`likeness`, of rows of what `carried` returns."""
    common = carries @ carries.T
    counts = common.diagonal()
    either = counts[:, np.newaxis] + counts - common
    alike: Matrix = common / np.maximum(either, 1.0)
    return alike


def spread(scores: Scores, *, alike: Matrix, n: int, balance: float = BALANCE) -> Indices:
    """The first n of some candidates, by score and by how little each resembles those before it.

    `scores` are float64[m], `alike` float64[m, m] from 0 to 1; the result are indices, in order,
    fewer than n if m is. Maximal marginal relevance (Carbonell and Goldstein, SIGIR 1998): next is
    the candidate with the largest balance · score − (1 − balance) · (its likeness to the most alike
    one taken), with the scores stretched to 0 to 1. Equal ones keep their order. With a balance of
    1 that is the order of the scores.
    """
    lowest, highest = scores.min(initial=np.inf), scores.max(initial=-np.inf)
    width = highest - lowest
    relevance = balance * (scores - lowest) / (width if width > 0 else 1.0)
    penalty = np.zeros(len(scores))
    taken = np.empty(min(n, len(scores)), dtype=np.intp)
    for place in range(len(taken)):
        best = int((relevance - penalty).argmax())
        taken[place] = best
        relevance[best] = -np.inf
        np.maximum(penalty, (1.0 - balance) * alike[best], out=penalty)
    return taken
