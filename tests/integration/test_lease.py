"""The lease against a real server: who holds a job, and what a worker learns when it no longer does."""

from __future__ import annotations

import json
import time

import pytest
from ulid import ULID

from farm import change, keys
from farm.errors import LeaseLostError
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView
from farm.states import JobState
from tests.support import until
from worker.lease import leased
from worker.reporter import Reporter

PROGRESS = ProgressView(octaves=2, octave=1, steps=3, step=1)


@pytest.fixture
def job(services):
    spec = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    return services.store.create(str(ULID()), spec, ProgressView(octaves=2, steps=3))


def test_one_of_two_workers_gets_the_job(services, job):
    """A message too many finds nothing to do."""
    with leased(services, worker="a") as first, leased(services, worker="b") as second:
        assert [lease.job.id for lease in first] == [job.id]
        assert second == []


def test_a_lease_is_kept_for_as_long_as_the_render_runs(services, job):
    """A render longer than its lease keeps it, by renewal."""
    with leased(services, worker="a") as [lease]:
        time.sleep(services.settings.lease_s * 1.5)

        lease.report(PROGRESS)

    assert services.store.get(job.id).progress == PROGRESS


def test_a_canceled_job_stops_its_worker_at_the_next_report(services, job):
    """The worker learns of the cancellation by its own write, and writes nothing after it."""
    with leased(services, worker="a") as [lease]:
        services.jobs.cancel(job.id)

        with pytest.raises(LeaseLostError):
            lease.report(PROGRESS)
        assert lease.should_stop()
        with pytest.raises(LeaseLostError):
            lease.fail(ErrorView(code="late", message="too late"))

    assert services.store.get(job.id).state is JobState.CANCELED


def test_a_look_writes_nothing_and_learns_of_a_cancellation(services, job):
    """A render with nothing new to report learns of the cancellation all the same."""
    with leased(services, worker="a") as [lease]:
        events = services.store.get(job.id).seq
        lease.look()
        assert services.store.get(job.id).seq == events

        services.jobs.cancel(job.id)

        with pytest.raises(LeaseLostError):
            lease.look()


def test_a_render_is_told_of_a_cancellation_within_a_long_step(services, job):
    """The reporter looks on while a step runs, so that the render stops before its next one."""
    with leased(services, worker="a") as [lease], Reporter(lease) as reporter:
        reporter.note(PROGRESS)
        until(lambda: services.store.get(job.id).progress == PROGRESS)

        services.jobs.cancel(job.id)

        assert lease.lost.wait(10)


def test_milestones_are_all_told_in_order(services, job):
    """A render faster than its reporter still shows every octave's end, and never goes backwards."""
    steps = [PROGRESS.model_copy(update={"octave": o, "step": s}) for o in (1, 2) for s in (1, 2, 3)]
    with leased(services, worker="a") as [lease], Reporter(lease) as reporter:
        for progress in steps:
            reporter.note(progress, milestone=progress.step == 3)

    shown = [json.loads(fields["progress"]) for _, fields in services.store.redis.xrange(keys.events(job.id))]
    told = [(one["octave"], one["step"]) for one in shown if one["octave"]]
    assert {(1, 3), (2, 3)} <= set(told)
    assert told == sorted(told)


def test_a_silent_worker_learns_by_renewal(services, job):
    """A worker in a long step that reports nothing is told by its renewal thread."""
    with leased(services, worker="a") as [lease]:
        services.store.apply(change.cancel(job.id))

        assert lease.lost.wait(services.settings.lease_s)


def test_a_draining_worker_is_asked_to_stop(services, job):
    """Draining shows with the next report; the job handed back is queued with the next number, and not as lost."""
    with leased(services, worker="a") as [lease]:
        services.workers.drain("a")
        lease.report(PROGRESS)
        assert lease.should_stop()

        lease.hand_back()

    back = services.store.get(job.id)
    assert (back.state, back.attempt, back.lost) == (JobState.QUEUED, 2, 0)


def test_the_worker_shows_its_job_only_while_it_has_one(services, job):
    """The card in the registry is busy during the lease and idle after."""
    services.workers.beat("a", {"host": "h", "pid": 1, "version": "0", "started_at": "2026-01-01T00:00:00Z"})
    with leased(services, worker="a"):
        [busy] = services.workers.list()
    [idle] = services.workers.list()

    assert (busy.state, busy.job) == ("busy", job.id)
    assert (idle.state, idle.job) == ("idle", None)


def test_a_vanished_worker_is_forgotten(services):
    """A card that ran out takes the worker from the list."""
    services.workers.beat("a", {"host": "h", "pid": 1, "version": "0", "started_at": "2026-01-01T00:00:00Z"})
    services.store.redis.delete(keys.worker("a"))

    assert services.workers.list() == []
    assert services.store.redis.smembers(keys.WORKERS) == set()
