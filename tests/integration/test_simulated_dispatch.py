"""The simulation's dispatcher against the real one: the same jobs, given out in the same order."""

from __future__ import annotations

import random

import pytest

from farm.dispatch import Offer
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from infra.simulation.dispatch import Dispatcher
from infra.simulation.jobs import Job

MODELS = ("squeezenet", "vgg16")
WEIGHTS = {"ada": 3.0}


@pytest.fixture
def real(services):
    services.dispatch.weights = '{"ada": 3.0}'
    return services


def enter(services, job):
    """Queue a job in the real farm; return its id, which tells those of one millisecond apart."""
    picture = PictureView(sha256="0" * 64, width=8, height=8)
    spec = JobSpec(
        owner=job.owner, params={}, format="png", input=picture, work_s=job.work_s, pack=f"{job.model}:",
        priority=job.priority,
    )  # fmt: skip
    return services.store.create(f"{job.number:026}", spec, ProgressView(octaves=1, steps=1)).id


@pytest.mark.parametrize("seed", range(3))
def test_both_give_out_the_same_jobs_in_the_same_order(real, seed):
    """Owners of different weights, priorities, loaded models, jobs that come while others are given out."""
    numbers, simulated, ids = random.Random(seed), Dispatcher(WEIGHTS), {}  # noqa: S311  # a game of chance
    for number in range(120):
        owner, model = numbers.choice(["ada", "bob", "cy"]), numbers.choice(MODELS)
        work_s, priority = numbers.choice([0.5, 2.0, 700.0]), numbers.choice([0, 0, 5])
        job = Job(number, owner, float(number), work_s, work_s, model=model, priority=priority)
        simulated.add(job)
        ids[enter(real, job)] = number
        warm = numbers.choice(["", *MODELS])
        for _ in range(numbers.choice([0, 0, 1, 2])):
            assert claimed(real, ids, warm) == told(simulated.claim(warm))
    while len(simulated):
        assert claimed(real, ids, MODELS[0]) == told(simulated.claim(MODELS[0]))
    assert claimed(real, ids, "") is None


def claimed(services, ids, warm):
    found = services.dispatch.claim("w", Offer(warm=warm), lease_ms=60_000)
    return ids[found[0].job.id] if found else None


def told(job):
    return job.number if job else None
