"""The janitor against real servers: lapsed jobs, lost messages, what ended jobs leave behind."""

from __future__ import annotations

import time

import pytest
from ulid import ULID

from farm import change, keys
from farm.change import Fence
from farm.queue import QUEUE
from farm.record import JobSpec
from farm.schema import PictureView, ProgressView
from farm.states import JobState
from worker.janitor import Janitor

FENCE = Fence(attempt=1, token="t")


@pytest.fixture
def janitor(services):
    return Janitor(services, "a", tidy_after_s=0)


def new_job(services):
    spec = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    return services.store.create(str(ULID()), spec, ProgressView(octaves=2, steps=3))


def lapse(services, job_id, attempt):
    """Let an attempt begin and its lease run out."""
    services.store.apply(change.claim(job_id, attempt=attempt, token="t", worker="w", lease_ms=10))
    time.sleep(0.05)


def messages(services):
    return services.store.redis.llen(QUEUE)


def test_a_lapsed_job_is_queued_again_and_told(services, janitor):
    """A dead worker's job is back in the queue within a round, and the others hear of it."""
    job = new_job(services)
    services.dispatch.beat("other", ())
    lapse(services, job.id, 1)

    janitor.round()

    assert (services.store.get(job.id).state, messages(services)) == (JobState.QUEUED, 1)


def test_a_job_that_loses_every_worker_fails_with_its_history(services, janitor):
    """After as many lost attempts as allowed the job ends, and shows each."""
    job = new_job(services)
    for attempt in range(1, services.settings.max_attempts + 1):
        lapse(services, job.id, attempt)
        janitor.round()

    ended = services.store.get(job.id)
    assert (ended.state, ended.error.code) == (JobState.FAILED, "attempts_exhausted")
    assert [one.outcome for one in ended.attempts] == ["lost"] * services.settings.max_attempts


def test_only_one_janitor_works_at_a_time(services, janitor):
    """While one holds the lock another leaves the work to it."""
    janitor.round()
    job = new_job(services)
    lapse(services, job.id, 1)

    Janitor(services, "b").round()

    assert services.store.get(job.id).state is JobState.RUNNING


def test_an_ended_jobs_checkpoints_and_frames_are_dropped(services, janitor):
    """What a killed worker left of a canceled job goes; the result of a job never does."""
    job = new_job(services)
    services.storage.put(keys.checkpoint(job.id, 1, 1, 0), b"x", content_type="text/plain")
    services.storage.put(keys.frame(job.id, 1, 7), b"x", content_type="text/plain")
    services.storage.put(keys.result(job.id, 1, "png"), b"y", content_type="text/plain")
    services.store.apply(change.cancel(job.id))

    janitor.round()

    assert not services.storage.exists(keys.checkpoint(job.id, 1, 1, 0))
    assert not services.storage.exists(keys.frame(job.id, 1, 7))
    assert services.storage.exists(keys.result(job.id, 1, "png"))
    assert services.store.untidy(0, 10) == []


def test_a_finished_jobs_record_lies_beside_its_result(services, janitor):
    """The object store alone tells what was made, should Redis be lost."""
    job = new_job(services)
    services.store.apply(change.claim(job.id, attempt=1, token="t", worker="w", lease_ms=5000))
    output = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'
    services.store.apply(change.succeed(job.id, FENCE, output=output, progress="{}"))

    janitor.round()

    assert job.id.encode() in services.storage.get(keys.manifest(job.id))
