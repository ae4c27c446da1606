"""A job survives its worker: killed, or asked to stop."""

from __future__ import annotations

import os
import signal

import pytest

from dreamfarm.client import Farm
from dreamfarm.stack import Stack
from farm.states import JobState
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]

PARAMS = {"octaves": 3, "steps": 25, "seed": 11, "jitter": 16}
PHOTO = picture(420, 300)


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    environment = {"DREAMFARM_LEASE_S": "2"}
    with Stack(tmp_path_factory.mktemp("farm"), workers=0, environment=environment) as running:
        yield running


@pytest.fixture(scope="module")
def farm(stack):
    return Farm(stack.api_url)


@pytest.fixture(scope="module")
def undisturbed(stack, farm):
    """Return the hash of the result that nothing interrupted."""
    worker = stack.start_worker()
    job = farm.wait(farm.submit(PHOTO, params=PARAMS).id)
    stack.stop_worker(worker)
    return job.output.sha256


def disturbed(stack, farm, number):
    """Run a job whose first worker gets a signal in the second octave; return the job and the worker's exit."""
    first = stack.start_worker(restart=False)
    job = farm.submit(PHOTO, params=PARAMS, fresh=True)
    until(lambda: farm.get(job.id).progress.octave == 2 and farm.get(job.id).progress.step >= 3)
    os.kill(first.pid, number)
    until(lambda: not first.is_running())
    second = stack.start_worker()
    ended = farm.wait(job.id)
    stack.stop_worker(second)
    return ended


def test_a_killed_workers_job_goes_on_elsewhere_to_the_same_bytes(stack, farm, undisturbed):
    """SIGKILL in the second octave: the next worker goes on from the checkpoint, and the result doesn't show it."""
    job = disturbed(stack, farm, signal.SIGKILL)

    assert (job.state, job.output.sha256) == (JobState.SUCCEEDED, undisturbed)
    assert [attempt.outcome for attempt in job.attempts] == ["lost", "succeeded"]


def test_a_drained_worker_hands_its_job_back_and_ends(stack, farm, undisturbed):
    """Over HTTP, from anywhere: the job goes on with another worker, to the same bytes."""
    first = stack.start_worker(restart=False)
    job = farm.submit(PHOTO, params=PARAMS, fresh=True)
    until(lambda: farm.get(job.id).progress.octave == 2)
    [alive] = [worker for worker in farm.workers() if worker.job == job.id]
    assert farm.drain(alive.id).state == "draining"
    until(lambda: not first.is_running())
    second = stack.start_worker()
    ended = farm.wait(job.id)
    stack.stop_worker(second)

    assert (ended.state, ended.output.sha256) == (JobState.SUCCEEDED, undisturbed)
    assert [attempt.outcome for attempt in ended.attempts] == ["handed_back", "succeeded"]


def test_a_worker_asked_to_stop_hands_its_job_back(stack, farm, undisturbed):
    """SIGTERM in the second octave: the job is back at once, doesn't count as lost, and ends in the same bytes."""
    job = disturbed(stack, farm, signal.SIGTERM)

    assert (job.state, job.output.sha256) == (JobState.SUCCEEDED, undisturbed)
    assert [attempt.outcome for attempt in job.attempts] == ["handed_back", "succeeded"]
