"""Jobs that a worker fails go to another, and a worker whose jobs others render is set aside."""

from __future__ import annotations

import pytest
from ulid import ULID

from farm.dispatch import Offer
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView
from farm.states import JobState
from tests.support import assert_problem
from worker.lease import leased

CARD = {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00"}
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'
OWN = ErrorView(code="internal_error", message="It broke.")
JOBS = ErrorView(code="bad_picture", message="No picture.")


@pytest.fixture
def pair(services):
    """Two workers that are alive."""
    for worker in ("a", "b"):
        services.workers.beat(worker, CARD)
        services.dispatch.beat(worker, ())
    return services


def new_job(services, **fields):
    spec = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8), **fields)
    return services.store.create(str(ULID()), spec, ProgressView(octaves=2, steps=3)).id


def fail(services, worker, error=OWN):
    """Let a worker take the next job, and fail it."""
    with leased(services, worker=worker) as [lease]:
        lease.fail(error)
    return lease.job.id


def succeed(services, worker):
    with leased(services, worker=worker) as [lease]:
        lease.succeed(output=OUTPUT, progress=lease.job.progress)
    return lease.job.id


def state_of(services, worker):
    return next(one for one in services.workers.list() if one.id == worker).state


def nothing_for(services, worker):
    with leased(services, worker=worker) as leases:
        return leases == []


def blame_three_times(services):
    jobs = [new_job(services) for _ in range(3)]
    for _ in jobs:
        fail(services, "a")
    assert [succeed(services, "b") for _ in jobs] == jobs
    return jobs


def test_a_worker_whose_jobs_others_render_is_set_aside_and_says_why(pair):
    """After three in a row it is given nothing more, its card names the jobs and the error, the others work on."""
    jobs = blame_three_times(pair)
    new_job(pair)

    card = next(one for one in pair.workers.list() if one.id == "a")
    assert card.state == "set_aside"
    assert all(f"{job} (internal_error)" in card.why for job in jobs)
    assert nothing_for(pair, "a")
    assert pair.store.get(succeed(pair, "b")).state is JobState.SUCCEEDED


def test_a_failure_is_judged_by_another_worker(pair):
    """The job waits for somebody else, from the start, and ends as it goes there: well, or with the error."""
    first, second = new_job(pair), new_job(pair)
    assert [fail(pair, "a"), fail(pair, "a")] == [first, second]
    assert nothing_for(pair, "a")

    assert succeed(pair, "b") == first
    assert fail(pair, "b") == second

    good, bad = (pair.store.get(job) for job in (first, second))
    assert ([one.outcome for one in good.attempts], good.error) == (["failed", "succeeded"], None)
    assert (bad.state, bad.error, len(bad.attempts)) == (JobState.FAILED, OWN, 2)


def test_only_failures_in_a_row_count(pair):
    """A success in between wipes the slate clean."""
    for _ in range(2):
        new_job(pair)
        fail(pair, "a")
        succeed(pair, "b")
    new_job(pair)
    succeed(pair, "a")
    for _ in range(2):
        new_job(pair)
        fail(pair, "a")
        succeed(pair, "b")

    assert state_of(pair, "a") == "idle"


def test_jobs_that_nobody_can_render_blame_nobody(pair):
    """Three that fail with both workers set neither aside."""
    for _ in range(3):
        job = new_job(pair)
        fail(pair, "a")
        fail(pair, "b")
        assert pair.store.get(job).state is JobState.FAILED

    assert (state_of(pair, "a"), state_of(pair, "b")) == ("idle", "idle")


@pytest.mark.parametrize(
    ("error", "needs", "alive"),
    [
        pytest.param(JOBS, (), True, id="the-jobs-own-error"),
        pytest.param(OWN, ("gpu",), True, id="no-other-with-its-tags"),
        pytest.param(OWN, (), False, id="no-other-alive"),
    ],
)
def test_a_failure_that_no_other_can_judge_ends_the_job(services, error, needs, alive):
    """At once, as before."""
    for worker in ("a", "b") if alive else ("a",):
        services.dispatch.beat(worker, ("gpu",) if worker == "a" else ())
    job = new_job(services, needs=needs)

    with leased(services, Offer(tags=("gpu",)), worker="a") as [lease]:
        lease.fail(error)

    assert services.store.get(job).state is JobState.FAILED


def test_an_admin_brings_a_worker_back(pair, client):
    """It takes jobs again, and starts with a clean slate."""
    blame_three_times(pair)
    assert client.get("/v1/workers").json["workers"][0]["state"] == "set_aside"

    answer = client.post("/v1/workers/a/bring-back")

    assert (answer.status_code, answer.json["state"], answer.json["why"]) == (202, "idle", None)
    new_job(pair)
    fail(pair, "a")
    succeed(pair, "b")
    assert state_of(pair, "a") == "idle"
    assert_problem(client.post("/v1/workers/z/bring-back"), 404, "not_found")


def test_metrics_tell_of_the_workers(pair):
    """Which versions run, how fast they are, how many are set aside, and the steps that were done."""
    pair.workers.note("b", device="CPU", library="jax 1", speed="1.5")
    blame_three_times(pair)

    lines = pair.metrics.text().decode().splitlines()

    assert 'dreamfarm_worker_info{device="CPU",library="jax 1",tags="",version="1",worker="b"} 1.0' in lines
    assert 'dreamfarm_worker_speed{worker="b"} 1.5' in lines
    assert 'dreamfarm_workers{state="set_aside"} 1.0' in lines
    assert "dreamfarm_steps_total 18.0" in lines
