"""A day's jobs: people who wait for a picture or three, and batches of up to ten thousand; seeded."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from dreamcore.params import DreamParams
from dreamcore.planner import REFERENCE
from dreamcore.workload import count_work

if TYPE_CHECKING:
    from numpy.random import Generator

DAY_S = 86_400
BATCH_JOBS_PER_S = 780
"""Jobs of a batch that a janitor makes in a second: docs/scale.md."""

RENDER_SCATTER = 0.15
"""Standard deviation of log(measured / estimated) over the renders of docs/planner.md."""

SIDES_PX = (512, 768, 1024, 1536, 2048, 3072, 4096, 6144)
MODELS = {"squeezenet": 0.7, "inception_v3": 0.2, "vgg16": 0.1}


@dataclass(frozen=True, slots=True)
class Job:
    """What the farm is asked for.

    Attributes
    ----------
    work_s : what the dispatcher charges, in seconds of the reference device.
    true_work_s : what it takes; the estimate is off by `RENDER_SCATTER`.
    octaves : after each of which a killed worker's successor can go on.
    """

    number: int
    owner: str
    arrived_s: float
    work_s: float
    true_work_s: float
    model: str = "squeezenet"
    priority: int = 0
    octaves: int = 4
    bulk: bool = False


@dataclass(frozen=True)
class Day:
    """What comes in during a day.

    Attributes
    ----------
    visits : of people at the farm; each submits one to five pictures.
    batches : of jobs; their sizes have a Pareto tail.
    """

    visits: int = 40_000
    batches: int = 250
    smallest_batch: int = 100
    largest_batch: int = 10_000
    tail: float = 0.9
    people: int = 2000
    bulk_owners: int = 20


def make_day(seed: int, day: Day | None = None) -> list[Job]:
    """Return a day's jobs in order of their arrival; the same seed gives the same day."""
    wanted, random = day or Day(), np.random.default_rng(seed)
    asked = [*_visits(random, wanted), *_batches(random, wanted)]
    asked.sort()
    return [_job(random, number, *one) for number, one in enumerate(asked)]


@lru_cache
def reference_seconds(side_px: int, model: str) -> float:
    """Return what the default dream of a square picture weighs."""
    return REFERENCE.seconds(count_work(DreamParams(model=model), (side_px, side_px)))


def _visits(random: Generator, day: Day) -> list[tuple[float, str, bool]]:
    """Return who comes when, more of them in the afternoon than at night."""
    hours = np.arange(24)
    weights = 1 + 0.85 * np.cos((hours - 15) / 24 * 2 * math.pi)
    begun = random.choice(hours, size=day.visits, p=weights / weights.sum()) * 3600 + random.uniform(
        0, 3600, day.visits
    )
    pictures = random.integers(1, 6, day.visits)
    owners = random.integers(0, day.people, day.visits)
    return [
        (float(start + 20 * number), f"person-{owner}", False)
        for start, count, owner in zip(begun, pictures, owners, strict=True)
        for number in range(count)
        if start + 20 * number < DAY_S
    ]


def _batches(random: Generator, day: Day) -> list[tuple[float, str, bool]]:
    sizes = day.smallest_batch * (1 + random.pareto(day.tail, day.batches))
    starts = random.uniform(6 * 3600, 20 * 3600, day.batches)
    owners = random.integers(0, day.bulk_owners, day.batches)
    return [
        (float(start + number / BATCH_JOBS_PER_S), f"studio-{owner}", True)
        for start, size, owner in zip(starts, sizes.clip(max=day.largest_batch).astype(int), owners, strict=True)
        for number in range(size)
    ]


def _job(random: Generator, number: int, arrived_s: float, owner: str, bulk: bool) -> Job:  # noqa: FBT001  # a tuple's part
    side = SIDES_PX[min(int(random.geometric(0.4)) - 1, len(SIDES_PX) - 1)]
    model = str(random.choice(list(MODELS), p=list(MODELS.values())))
    work_s = reference_seconds(side, model)
    true = work_s * math.exp(random.normal(0, RENDER_SCATTER))
    return Job(number, owner, arrived_s, work_s, true, model=model, bulk=bulk)
