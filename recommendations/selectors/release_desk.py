"""Releases as staff look at them: their figures, what waits for the next one, and how late it is.

Nothing here says whose change it is, and what fewer than twenty people did is withheld.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.conf import settings
from django.db.models import Count, Min, Q

from recommendations.models import ModelAudit, ModelState, Release, VectorChange

CURVE_RELEASES = 60
LATEST_RELEASES = 12
LATEST_AUDITS = 14
# Law 3: a withdrawal is felt within this time.
FELT_WITHIN = timedelta(seconds=60)
FEW = "few"
UNKNOWN = "–"


def _span(seconds: float) -> str:
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 or not seconds else f"{seconds:.1f} s"


def moment_text(moment: datetime | None) -> str:
    """A moment to the second; what it is without a moment, too."""
    return UNKNOWN if moment is None else f"{moment:%-d %b %Y, %H:%M:%S}"


class Unit(Enum):
    """What a number counts, and so how it is written."""

    RATIO = "ratio"
    SHARE = "share"
    COUNT = "count"
    SECONDS = "seconds"

    def text(self, value: float) -> str:
        write: dict[Unit, Callable[[float], str]] = {
            Unit.RATIO: "{:.3f}".format,
            Unit.SHARE: "{:.1%}".format,
            Unit.COUNT: "{:,.0f}".format,
            Unit.SECONDS: _span,
        }
        return write[self](value)


@dataclass(frozen=True)
class Figure:
    """A number, and the interval it lies in with 95% confidence, where that was measured."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Measure:
    """A figure that releases have: its name among their metrics, and what it says, in words."""

    name: str
    title: str
    unit: Unit
    says: str
    # A value to compare with: .5 is what a coin would do.
    rule: float | None = None


_COIN = 0.5
QUALITY = Measure(
    "ndcg@10",
    "Ranking, nDCG@10",
    Unit.RATIO,
    "How far in front the practice stands that was new to a person last, had the model never seen "
    "it. 1 would be always first.",
)
COVERAGE = Measure(
    "coverage@12",
    "Coverage of the first 12",
    Unit.SHARE,
    "The share of the catalog that is among somebody’s first twelve.",
)
MEMBERS = Measure(
    "auc_members",
    "Membership: who is in",
    Unit.RATIO,
    "How well people who are in can be told from strangers, by the release alone. 0.5 is a coin, "
    "1 is certainty.",
    _COIN,
)
FORGOTTEN = Measure(
    "auc_forgotten",
    "Membership: who was forgotten",
    Unit.RATIO,
    "The same for people who were forgotten. The interval must hold 0.5.",
    _COIN,
)
LAG = Measure(
    "lag_seconds",
    "Training lag",
    Unit.SECONDS,
    "From the oldest change in a release to its publication.",
)
# All that a release's own page can say, in this order.
MEASURES = (
    QUALITY,
    Measure(
        "recall@20",
        "Among the first 20",
        Unit.SHARE,
        "How often that practice is among the first twenty.",
    ),
    COVERAGE,
    Measure(
        "again@12",
        "Listen again finds a return",
        Unit.SHARE,
        "How often somebody’s last return was to one of the first twelve of “Listen again”.",
    ),
    Measure("people_ranked", "People it was measured on", Unit.COUNT, "A sample of those in it."),
    MEMBERS,
    Measure(
        "auc_members_informed",
        "Who is in, to an informed attacker",
        Unit.RATIO,
        "By somebody who also holds a release without them.",
        _COIN,
    ),
    FORGOTTEN,
    Measure(
        "auc_forgotten_informed",
        "Who was forgotten, to an informed attacker",
        Unit.RATIO,
        "By somebody who also holds a release without them. The interval must hold 0.5.",
        _COIN,
    ),
    Measure(
        "people_audited",
        "People in the membership audit",
        Unit.COUNT,
        "Members and forgotten people, half and half.",
    ),
    Measure(
        "rmse_svd", "Rating error of SVD", Unit.RATIO, "In stars: RMSE of Surprise’s SVD, beside."
    ),
    Measure(
        "rmse_knn_baseline",
        "Rating error of KNN",
        Unit.RATIO,
        "In stars: RMSE of Surprise’s KNNBaseline, beside.",
    ),
    Measure("fit_seconds", "Time to make the weights", Unit.SECONDS, "A part of the whole run."),
    LAG,
)


def figure(release: Release, measure: Measure) -> Figure | None:
    """What a release says about itself; None where it was not measured."""
    known: dict[str, float] = release.metrics
    value = known.get(measure.name)
    if value is None:
        return None
    return Figure(value, known.get(f"{measure.name}_low"), known.get(f"{measure.name}_high"))


def seconds_to_publication(release: Release) -> float | None:
    """How long a release took, from its start until it was out; None if it is not."""
    if release.published_at is None:
        return None
    return (release.published_at - release.started_at).total_seconds()


def is_few(count: int) -> bool:
    """Whether a number of people is too small to be shown; nobody at all may be."""
    return 0 < count < settings.SMALLEST_GROUP


def people_figure(release: Release) -> Figure | None:
    """How many people a release has learned from; None when they are few."""
    return None if is_few(release.people) else Figure(release.people)


def interactions_figure(release: Release) -> Figure | None:
    """How much a release has learned; None when it is of few people."""
    return None if is_few(release.people) else Figure(release.interactions)


@dataclass(frozen=True)
class Point:
    at: datetime
    figure: Figure | None


@dataclass(frozen=True)
class Series:
    """One measure of release after release, oldest first."""

    measure: Measure
    points: Sequence[Point]


def release_series() -> list[Series]:
    """What the last sixty published releases say, measure by measure, in one query."""
    published = Release.objects.filter(published_at__isnull=False).order_by("-published_at")
    releases = list(published[:CURVE_RELEASES])[::-1]

    def series(measure: Measure, read: Callable[[Release], Figure | None]) -> Series:
        points = [Point(r.published_at, read(r)) for r in releases if r.published_at is not None]
        return Series(measure, points)

    def measured(measure: Measure) -> Series:
        return series(measure, lambda release: figure(release, measure))

    return [
        measured(QUALITY),
        measured(COVERAGE),
        series(_PEOPLE, people_figure),
        series(_INTERACTIONS, interactions_figure),
        series(_SECONDS, _took),
        measured(LAG),
        measured(MEMBERS),
        measured(FORGOTTEN),
    ]


_PEOPLE = Measure("people", "People", Unit.COUNT, "How many people it has learned from.")
_INTERACTIONS = Measure(
    "interactions", "Interactions", Unit.COUNT, "How many pairs of a person and a practice."
)
_SECONDS = Measure("seconds", "Time to make it", Unit.SECONDS, "From its start to publication.")


def _took(release: Release) -> Figure | None:
    seconds = seconds_to_publication(release)
    return None if seconds is None else Figure(seconds)


def held_release() -> Release | None:
    """The latest run, if it was held back: nothing has replaced it yet."""
    latest = Release.objects.order_by("-started_at").first()
    return latest if latest and latest.state == Release.State.HELD else None


def is_quality_accepted() -> bool:
    """Whether the next release is published whatever its quality."""
    return ModelState.objects.filter(is_quality_accepted=True).exists()


@dataclass(frozen=True)
class Queue:
    """Changes of one kind: how many wait, how many are taken up and not out yet, and since when
    the oldest of them all."""

    kind: VectorChange.Kind
    waiting: int
    taken_up: int
    oldest: datetime | None

    def is_late(self, now: datetime) -> bool:
        """Whether somebody waits to be forgotten for longer than the law allows."""
        is_forgetting = self.kind == VectorChange.Kind.FORGET
        return is_forgetting and self.oldest is not None and self.oldest < now - FELT_WITHIN


def queues() -> list[Queue]:
    """What the next release must take in, by kind, in one query."""
    counted = VectorChange.objects.order_by().values_list("kind")
    rows = counted.annotate(
        waiting=Count("pk", filter=Q(batch=None)),
        taken_up=Count("pk", filter=Q(batch__isnull=False)),
        oldest=Min("created_at"),
    )
    found = {kind: (waiting, taken_up, oldest) for kind, waiting, taken_up, oldest in rows}
    order = (VectorChange.Kind.FORGET, VectorChange.Kind.LEARN, VectorChange.Kind.CATALOG)
    return [Queue(kind, *found.get(kind.value, (0, 0, None))) for kind in order]


@dataclass(frozen=True)
class Training:
    """What the trainer does: since when it makes a release now, and its last sign of life."""

    since: datetime | None
    seen_at: datetime | None


def training() -> Training:
    run = Release.objects.filter(state=Release.State.TRAINING).order_by("-started_at").first()
    seen_at = ModelState.objects.values_list("seen_at", flat=True).first()
    return Training(run.started_at if run else None, seen_at)


def latest_published() -> list[Release]:
    """The last releases that were out, newest first."""
    published = Release.objects.filter(published_at__isnull=False).order_by("-published_at")
    return list(published[:LATEST_RELEASES])


def latest_audits() -> list[ModelAudit]:
    """The last comparisons of the model with a rebuild, newest first."""
    return list(ModelAudit.objects.order_by("-at")[:LATEST_AUDITS])
