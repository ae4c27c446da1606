"""Several jobs rendered as one pack, by a real worker: each keeps its own life."""

from __future__ import annotations

import io
import os
import signal

import numpy as np
import pytest
from PIL import Image

from dreamcore import DreamParams, dream
from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm import keys
from farm.services import Services
from farm.states import JobState
from tests.integration.conftest import settings_from
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARAMS = {"octaves": 2, "steps": 12, "jitter": 8}
PHOTO = picture(260, 200)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    environment = {"DREAMFARM_LEASE_S": "2", "DREAMFARM_PACK_SIZE": "4"}
    with Stack(tmp_path_factory.mktemp("farm"), workers=0, environment=environment) as running:
        yield running


@pytest.fixture
def farm(stack):
    store(stack).delete(keys.METRICS_PACKS)
    return Farm(stack.api_url)


@pytest.fixture
def worker(stack):
    """Return a call that starts a worker, which ends with the test."""
    started = []

    def start():
        started.append(stack.start_worker(restart=False))
        return started[-1]

    yield start
    for one in started:
        if one.is_running():
            stack.stop_worker(one)


def store(stack):
    return Services.connect(settings_from(stack.servers.environment())).store.redis


def submitted(farm, count, **changes):
    return [farm.submit(PHOTO, params={**PARAMS, **changes, "seed": seed}, fresh=True) for seed in range(count)]


def packs(stack):
    return {int(size): int(count) for size, count in store(stack).hgetall(keys.METRICS_PACKS).items()}


def test_a_packs_jobs_come_out_as_if_each_were_alone(stack, farm, worker, tmp_path):
    """Four jobs of one kind are one pack, a fifth of another kind is not in it; each has its own dream."""
    params = {**PARAMS, "steps": 2}  # more would let rounding grow: gradient ascent is chaotic
    jobs = submitted(farm, 4, **params)
    other = farm.submit(PHOTO, params={**PARAMS, "steps": 3})

    worker()
    ended = [farm.wait(job.id) for job in (*jobs, other)]

    assert {job.state for job in ended} == {JobState.SUCCEEDED}
    assert packs(stack) == {4: 1, 1: 1}
    photo = np.asarray(Image.open(io.BytesIO(PHOTO)).convert("RGB"))
    files = [farm.download_result(job.id, tmp_path / f"{job.id}.png") for job in ended[:4]]
    made = [np.asarray(Image.open(file)).astype(float) for file in files]
    alone = [dream(photo, DreamParams.model_validate({**params, "seed": seed})).image for seed in range(4)]
    departures = [np.abs(one - other).mean() for one, other in zip(made, alone, strict=True)]
    assert np.median(departures) < 0.1
    assert max(departures) < 1  # rounding flips a maximum now and then
    assert min(np.abs(made[0] - other).mean() for other in alone[1:]) > 3


def test_one_canceled_leaves_the_others_to_go_on(stack, farm, worker):
    """A cancellation ends one picture of the pack; all others end as they would have."""
    jobs = submitted(farm, 3, steps=60)
    worker()
    until(lambda: all(farm.get(job.id).progress.step for job in jobs))

    farm.cancel(jobs[1].id)

    states = [farm.wait(job.id).state for job in jobs]
    assert states == [JobState.SUCCEEDED, JobState.CANCELED, JobState.SUCCEEDED]
    assert packs(stack) == {3: 1}


def test_a_killed_workers_pack_goes_on_elsewhere(farm, worker):
    """Each of its jobs is lost once, and ends with the next worker."""
    jobs = submitted(farm, 3, steps=40)
    first = worker()
    until(lambda: all(farm.get(job.id).progress.octave == 2 for job in jobs))
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: not first.is_running())

    worker()
    ended = [farm.wait(job.id) for job in jobs]

    assert {job.state for job in ended} == {JobState.SUCCEEDED}
    assert [[attempt.outcome for attempt in job.attempts] for job in ended] == [["lost", "succeeded"]] * 3


def test_a_draining_worker_hands_its_pack_back(stack, farm, worker):
    """Asked to stop, it stores where each job is, and the next worker goes on with them together."""
    jobs = submitted(farm, 3, steps=40)
    first = worker()
    until(lambda: all(farm.get(job.id).progress.octave == 2 for job in jobs))
    os.kill(first.pid, signal.SIGTERM)
    until(lambda: not first.is_running())

    worker()
    ended = [farm.wait(job.id) for job in jobs]

    assert [[attempt.outcome for attempt in job.attempts] for job in ended] == [["handed_back", "succeeded"]] * 3
    assert packs(stack) == {3: 2}
