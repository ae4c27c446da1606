"""Many who follow jobs, served by one reader."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pytest
from ulid import ULID

from dreamfarm.stack import Servers
from farm import change
from farm.change import Fence
from farm.errors import TransientError
from farm.event_hub import EventHub
from farm.record import JobSpec
from farm.redis import connect_redis
from farm.schema import ErrorView, PictureView, ProgressView
from tests.support import until

FENCE = Fence(attempt=1, token="t")
STEPS = 30


@pytest.fixture
def job(services):
    spec = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    created = services.store.create(str(ULID()), spec, ProgressView(octaves=1, steps=STEPS))
    services.store.apply(change.claim(created.id, attempt=1, token="t", worker="w", lease_ms=30_000))
    return created.id


def report(services, job_id, step):
    progress = ProgressView(octaves=1, octave=1, steps=STEPS, step=step).model_dump_json()
    services.store.apply(change.report(job_id, FENCE, {"progress": progress}))


def fail(services, job_id):
    error = ErrorView(code="boom", message="It broke.").model_dump_json()
    services.store.apply(change.fail(job_id, FENCE, error=error))


def seen(services, job_id):
    """Follow a job to its end; return the step and the state of each change."""
    events = chain.from_iterable(services.events.follow(job_id, after="0-0", life_s=30, pause_s=5))
    return [(event.data.progress.step, event.data.state) for event in events]


def readers():
    return [thread for thread in threading.enumerate() if thread.name == "events"]


def test_whenever_they_come_all_see_every_change_once_and_in_order(services, job):
    """Some follow from the start, others join while it runs: nothing is missed, nothing told twice."""
    with ThreadPoolExecutor(40) as pool:
        told = [pool.submit(seen, services, job) for _ in range(20)]
        for step in range(1, STEPS + 1):
            report(services, job, step)
            if step % 3 == 0:
                told += [pool.submit(seen, services, job) for _ in range(2)]
        fail(services, job)
        answers = [one.result(timeout=30) for one in told]

    running = [(step, "running") for step in range(STEPS + 1)]
    assert answers == [[(0, "queued"), *running, (STEPS, "failed")]] * len(answers)


def test_all_are_served_by_one_thread_that_ends_with_the_last(services, job):
    """Followers cost no reader each, and none is left behind."""
    with ThreadPoolExecutor(10) as pool:
        told = [pool.submit(seen, services, job) for _ in range(10)]
        until(lambda: sum(map(len, services.events.hub._inboxes.values())) == 10)  # shown nowhere else
        assert len(readers()) == 1
        fail(services, job)
        assert len({str(one.result(timeout=30)) for one in told}) == 1

    until(lambda: not readers())


def test_followers_are_told_that_the_store_is_away(tmp_path):
    """They end with an error that says so, and can come back with the id that they got to."""
    with Servers(tmp_path) as servers:
        hub = EventHub(connect_redis(servers.settings()))
        with hub.inbox("01ARZ3NDEKTSV4RRFFQ69G5FAV") as inbox:
            servers.stop()
            with pytest.raises(TransientError):
                inbox.get(timeout_s=30)

    until(lambda: not readers())
