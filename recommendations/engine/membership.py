"""Membership inference: can somebody who sees a release tell whether a person is in it?

A release has to keep the people who are in it from being told apart as far as it can, and it must
say nothing at all of those who were forgotten. Both are measured, by attacking it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from recommendations.engine.dtypes import Indices, IntegerMatrix, Scores
from recommendations.engine.gram import add_vectors
from recommendations.engine.interactions import Interactions
from recommendations.engine.inverse import ItemInverse
from recommendations.engine.metrics import Estimate
from recommendations.engine.ranking import DEFAULT_NEIGHBORS, ItemWeights

PEOPLE_A_GROUP = 200
FEWEST_A_GROUP = 20
_PLACES = 6


@dataclass(frozen=True)
class MembershipFigures:
    """How well attackers tell people from people who were never in: .5 is a coin, 1 is certainty.

    Areas under the curve. `members` and `forgotten` are told by somebody who holds the release
    alone, `…_informed` by somebody who also holds a release that knows neither group. `people` is
    the size of each of the two groups.
    """

    members: Estimate
    members_informed: Estimate
    forgotten: Estimate
    forgotten_informed: Estimate
    people: int

    @property
    def has_forgotten(self) -> bool:
        """Whether no attacker can tell the forgotten from those who were never in."""
        return 0.5 in self.forgotten and 0.5 in self.forgotten_informed


def attack(
    items: ItemWeights, vectors: Interactions, *, reference: ItemWeights | None = None
) -> Scores:
    """How much a release looks as if it knew each person: float64[n_people], more is likelier.

    The attacker knows the person's whole history and scores each practice of it by the others (no
    practice speaks about itself). Alone with the release they take the mean share of the catalog
    that ranks below; on MovieLens 1M that tells more than the scores, as those differ most by how
    much people hear. With a `reference`, a release that does not know the person, they take the
    mean of what the scores have gained: calibration by difficulty (Watson et al., "On the
    Importance of Difficulty Calibration in Membership Inference Attacks", ICLR 2022), which finds
    far more. That mean is rounded to six places: weights are float32 on a grid of 2⁻²⁴, and whether
    a value falls to this or that side of a step says nothing of anybody. Columns of `vectors` are
    rows of `items`. Whoever has no practice gets 0.
    """
    n_practices = len(items.practice_ids)
    matrix = vectors.matrix
    statistics = np.zeros(vectors.n_people)
    for person in range(vectors.n_people):
        begin, end = matrix.indptr[person : person + 2]
        history, weights = matrix.indices[begin:end], matrix.data[begin:end]
        own = history[history < n_practices]
        if not len(own):
            continue
        scores = items.score(history, weights=weights)
        if reference is None:
            below = np.searchsorted(np.sort(scores), scores[own])
            statistics[person] = below.mean() / n_practices
        else:
            known = reference.score(history, weights=weights)
            statistics[person] = round(float((scores - known)[own].mean()), _PLACES)
    return statistics


def auc_with_interval(in_scores: Scores, out_scores: Scores) -> Estimate:
    """How often somebody who is in scores higher than somebody who is not, ties counting half.

    That is the Mann–Whitney statistic and the area under the ROC curve. The 95% interval is
    normal, with the variance of DeLong, DeLong and Clarke-Pearson (Biometrics 44, 1988), eq. 4 to
    6, in the form for one curve. Raises ValueError when a side has fewer than two people.
    """
    if min(len(in_scores), len(out_scores)) < 2:
        raise ValueError("Each side needs at least two people to be compared.")
    rows = in_scores[:, np.newaxis]
    wins = (rows > out_scores) + 0.5 * (rows == out_scores)
    variances = wins.mean(axis=1).var(ddof=1) / len(in_scores)
    variances += wins.mean(axis=0).var(ddof=1) / len(out_scores)
    return Estimate.normal(float(wins.mean()), error=float(np.sqrt(variances)))


def membership_audit(
    gram_served: IntegerMatrix,
    vectors: Interactions,
    *,
    regularization: float,
    n_practices: int,
    n_neighbors: int = DEFAULT_NEIGHBORS,
    seed: int = 0,
) -> MembershipFigures | None:
    """Attack releases that are made as real ones are, from the S of a release: int64[c, c].

    `vectors` are people of S (with S's columns, and without what S leaves out); two groups of them
    are drawn. A release that knows neither is made from S; then each group in turn is learned,
    attacked, forgotten by `ItemInverse.update` as withdrawals are, and attacked again while the
    other group was never in. So everybody is a member, a forgotten person and a stranger once, and
    chance does not decide between the groups: if forgetting is exact, the two rounds mirror each
    other and their common area is .5, whoever was drawn.

    S is changed while the audit runs and is as it was afterwards. Costs one inversion, four updates
    a person and five item models. Each group is a quarter of those with two entries, one of them a
    practice, and at most 200 people; None when that leaves fewer than 20.
    """
    people = _attackable(vectors, n_practices=n_practices)
    size = min(PEOPLE_A_GROUP, len(people) // 4)
    if size < FEWEST_A_GROUP:
        return None
    drawn = np.random.default_rng(seed).permutation(people)
    first, second = _only(vectors, drawn[:size]), _only(vectors, drawn[size : 2 * size])
    inverse = _inverse_without(gram_served, first, second, regularization=regularization)

    def release() -> ItemWeights:
        return ItemWeights.from_matrix(
            inverse.item_weights(),
            practice_ids=np.arange(n_practices, dtype=np.int64),
            people_per_practice=np.zeros(n_practices, dtype=np.int64),
            context_ids=np.arange(n_practices - len(gram_served), 0, dtype=np.int64),
            n_neighbors=n_neighbors,
        )

    members, forgotten = _Attacks(), _Attacks()
    before = release()
    for inside, outside in ((first, second), (second, first)):
        _update(inverse, inside, sign=1)
        members.add(release(), reference=before, inside=inside, outside=outside)
        _update(inverse, inside, sign=-1)
        after = release()
        forgotten.add(after, reference=before, inside=inside, outside=outside)
        # Should something of this group be left, the next round does not count it as a stranger's.
        before = after
    return MembershipFigures(
        members=members.area(informed=False),
        members_informed=members.area(informed=True),
        forgotten=forgotten.area(informed=False),
        forgotten_informed=forgotten.area(informed=True),
        people=first.n_people,
    )


class _Attacks:
    """The statistics of both attackers over both rounds."""

    def __init__(self) -> None:
        self._statistics: dict[tuple[bool, bool], list[Scores]] = {}

    def add(
        self,
        items: ItemWeights,
        *,
        reference: ItemWeights,
        inside: Interactions,
        outside: Interactions,
    ) -> None:
        for informed in (False, True):
            for is_inside, group in ((True, inside), (False, outside)):
                known = reference if informed else None
                statistics = attack(items, group, reference=known)
                self._statistics.setdefault((informed, is_inside), []).append(statistics)

    def area(self, *, informed: bool) -> Estimate:
        """Of both rounds together: everybody is on both sides, so the interval is rather a little
        wide than narrow."""
        inside, outside = (
            np.concatenate(self._statistics[informed, is_inside]) for is_inside in (True, False)
        )
        return auc_with_interval(inside, outside)


def _attackable(vectors: Interactions, *, n_practices: int) -> Indices:
    """Those with at least two entries, one of them a practice: one can be scored by the others."""
    entries = np.bincount(vectors.people, minlength=vectors.n_people)
    is_practice = vectors.practices < n_practices
    practices = np.bincount(vectors.people[is_practice], minlength=vectors.n_people)
    return np.flatnonzero((entries > 1) & (practices > 0))


def _only(vectors: Interactions, people: Indices) -> Interactions:
    rows = vectors.matrix[people]
    return Interactions(
        np.repeat(np.arange(len(people)), np.diff(rows.indptr)),
        rows.indices,
        rows.data,
        len(people),
        vectors.n_practices,
    )


def _inverse_without(
    matrix: IntegerMatrix, *groups: Interactions, regularization: float
) -> ItemInverse:
    """(S − the groups + λI)⁻¹. Integers come back exactly, so S needs no copy."""
    for group in groups:
        add_vectors(matrix, group, sign=-1)
    try:
        return ItemInverse.of(matrix, regularization=regularization)
    finally:
        for group in groups:
            add_vectors(matrix, group, sign=1)


def _update(inverse: ItemInverse, group: Interactions, *, sign: Literal[1, -1]) -> None:
    matrix = group.matrix
    for person in range(group.n_people):
        row = slice(matrix.indptr[person], matrix.indptr[person + 1])
        inverse.update(matrix.indices[row], matrix.data[row], sign=sign)
