"""A synthetic population: people with tastes, hours and moods. Nobody in it exists.

Everyone is a mixture of a few habits, seeded, so that the same population comes out each time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from recommendations.models import Practice

DAYS = 60
SEED = 20_260
# Shares of the three presets, in the order of `PRESETS`.
PRESET_SHARES = (0.30, 0.25, 0.45)


@dataclass(frozen=True)
class Habit:
    """A way of using the site: what draws somebody, and at what hour."""

    kinds: dict[str, float]
    topics: dict[str, float]
    intentions: dict[str, float]
    hour: float


HABITS: tuple[Habit, ...] = (
    Habit({"soundscape": 1.5}, {"rain": 2.0, "sea": 1.0, "night": 0.8}, {"sleep": 1.5}, 22.5),
    Habit({"story": 2.2}, {"travel": 1.0, "animals": 1.0, "stars": 1.2}, {"sleep": 1.2}, 22.0),
    Habit({"guided": 1.2}, {"worry": 2.0, "body": 1.2, "sleep": 0.8}, {"calm": 1.2}, 21.0),
    Habit({"breathing": 1.8}, {"breath": 1.5, "beginners": 1.0}, {"calm": 1.0}, 13.0),
    Habit(
        {"guided": 0.8}, {"morning": 1.8, "gratitude": 1.4, "walking": 1.0}, {"morning": 2.0}, 7.0
    ),
    Habit({"soundscape": 1.0}, {"focus": 1.6, "work": 1.8, "craft": 0.8}, {"focus": 2.2}, 10.0),
    Habit({"guided": 1.0}, {"grief": 2.0, "kindness": 1.8, "patience": 1.0}, {"ease": 2.0}, 19.0),
    Habit({"soundscape": 1.2}, {"nature": 1.8, "animals": 1.0, "sea": 1.0}, {"ease": 1.0}, 16.0),
)


@dataclass(frozen=True)
class SyntheticListen:
    practice: Practice
    started_at: datetime
    seconds: int


@dataclass(frozen=True)
class SyntheticPerson:
    """What one made-up person chose and did. `preset` counts within `PRESETS`."""

    preset: int
    listens: Sequence[SyntheticListen]
    favorites: Sequence[Practice]
    ratings: Sequence[tuple[Practice, int]]


def population(
    count: int, *, practices: Sequence[Practice], now: datetime, seed: int = SEED
) -> Iterator[SyntheticPerson]:
    """`count` people who use `practices` over the last 60 days."""
    random = np.random.default_rng(seed)
    draws = np.stack([_appeal(habit, practices) for habit in HABITS])
    for _ in range(count):
        yield _person(random, practices, draws, now)


def _appeal(habit: Habit, practices: Sequence[Practice]) -> NDArray[np.float64]:
    """How strongly each practice draws somebody with this habit (log scale)."""
    return np.array(
        [
            habit.kinds.get(practice.kind, 0.0)
            + habit.intentions.get(practice.intention, 0.0)
            + sum(habit.topics.get(topic.slug, 0.0) for topic in practice.topics.all())
            for practice in practices
        ]
    )


def _person(
    random: Generator,
    practices: Sequence[Practice],
    draws: NDArray[np.float64],
    now: datetime,
) -> SyntheticPerson:
    mixture = random.dirichlet(np.full(len(HABITS), 0.25))
    liking = mixture @ draws + random.gumbel(0.0, 0.35, len(practices))
    hour = float(mixture @ np.array([habit.hour for habit in HABITS]))
    calls = int(np.clip(random.lognormal(2.7, 0.7), 3, 90))
    listens = [_listen(random, practices, liking, hour, now) for _ in range(calls)]
    heard = list({listen.practice.pk: listen.practice for listen in listens}.values())
    place = {practice.pk: index for index, practice in enumerate(practices)}
    best = sorted(heard, key=lambda practice: -liking[place[practice.pk]])
    return SyntheticPerson(
        preset=int(random.choice(len(PRESET_SHARES), p=PRESET_SHARES)),
        listens=listens,
        favorites=best[: int(random.integers(0, 3))],
        ratings=[
            (p, _rating(random, liking[place[p.pk]])) for p in heard if random.random() < 0.15
        ],
    )


def _listen(
    random: Generator,
    practices: Sequence[Practice],
    liking: NDArray[np.float64],
    hour: float,
    now: datetime,
) -> SyntheticListen:
    """One sitting. A hard day (the mood) pulls toward ease and calm."""
    is_hard_day = random.random() < 0.25
    comfort = np.array([p.intention in ("ease", "calm") for p in practices]) * 1.2
    pull = liking + comfort if is_hard_day else liking
    chances = np.exp(1.4 * (pull - pull.max()))
    chosen = int(random.choice(len(practices), p=chances / chances.sum()))
    practice = practices[chosen]
    stays = random.beta(6.0, 1.2) if liking[chosen] > np.median(liking) else random.beta(2.0, 2.0)
    at = now - timedelta(days=float(random.uniform(1, DAYS)))
    at = at.replace(hour=0, minute=0) + timedelta(hours=float(random.normal(hour, 1.0)) % 24)
    return SyntheticListen(practice, at, round(practice.seconds_to_complete * stays))


def _rating(random: Generator, liking: float) -> int:
    return int(np.clip(round(random.normal(2.6 + 0.35 * liking, 0.8)), 1, 5))
