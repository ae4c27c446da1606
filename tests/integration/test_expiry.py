"""Results are kept for as long as was asked, and say so afterwards."""

from __future__ import annotations

import pytest

from dreamcore.params import DreamParams
from farm import change, keys
from farm.change import Fence
from farm.jobs import JobService
from farm.schema import ProgressView
from farm.states import JobState
from tests.support import assert_problem, picture, submit
from worker.janitor import Janitor


@pytest.fixture
def janitor(services):
    return Janitor(services, "a", tidy_after_s=0)


def succeed(services, job_id):
    """Let an attempt succeed, with all that it stores."""
    services.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=10_000))
    key = keys.result(job_id, 1, "png")
    for name in (key, keys.preview(job_id, 1), keys.manifest(job_id)):
        services.storage.put(name, b"x", content_type="image/png")
    output = f'{{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "{key}"}}'
    services.store.apply(
        change.succeed(job_id, Fence(1, "t"), output=output, progress=ProgressView().model_dump_json())
    )
    return [key, keys.preview(job_id, 1), keys.manifest(job_id)]


def pass_time(services, seconds):
    """Let every result be older by so long."""
    for job_id in services.store.redis.zrange(keys.EXPIRING, 0, -1):
        services.store.redis.zincrby(keys.EXPIRING, -1000 * seconds, job_id)


def new_job(client, **fields):
    answer = submit(client, picture(), **fields)
    assert answer.status_code == 202, answer.text
    return answer.json["id"]


def test_a_result_is_kept_until_its_time_and_then_removed(client, services, janitor):
    """Bytes, previews and record beside them; the job says so by state and code, and keeps its input."""
    job_id = new_job(client, expires_in=100)
    stored = succeed(services, job_id)

    pass_time(services, 90)
    janitor.round()
    assert client.get(f"/v1/jobs/{job_id}/result").status_code == 302
    pass_time(services, 11)
    janitor.round()

    job = client.get(f"/v1/jobs/{job_id}").json
    assert (job["state"], job["output"], job["expires_in"]) == ("expired", None, 100)
    assert [services.storage.exists(key) for key in stored] == [False] * 3
    for part in ("result", "preview", "octaves/1"):
        assert_problem(client.get(f"/v1/jobs/{job_id}/{part}"), 410, "expired")
    assert client.get(f"/v1/jobs/{job_id}/input").status_code == 302
    assert services.store.expiring(10) == []


def test_an_expired_job_can_be_made_anew(client, services, janitor):
    """It is queued from the start, and what its next attempt stores is left alone."""
    job_id = new_job(client, expires_in=100)
    succeed(services, job_id)
    pass_time(services, 101)
    janitor.round()

    assert client.post(f"/v1/jobs/{job_id}/retry").json["state"] == "queued"
    services.storage.put(keys.result(job_id, 2, "png"), b"y", content_type="image/png")
    services.store.redis.zadd(keys.EXPIRING, {job_id: 0})
    janitor.round()

    assert services.storage.exists(keys.result(job_id, 2, "png"))
    assert services.store.get(job_id).state is JobState.QUEUED


def test_work_left_half_done_is_finished(client, services, janitor):
    """A janitor that died after the state was changed leaves the bytes for the next one."""
    job_id = new_job(client, expires_in=100)
    stored = succeed(services, job_id)
    pass_time(services, 101)
    services.store.apply(change.expire(job_id))

    janitor.round()

    assert [services.storage.exists(key) for key in stored] == [False] * 3


def test_a_result_without_a_time_is_kept(client, services, janitor):
    """Unless the farm has a default, which a job's own time comes before."""
    kept = new_job(client)
    succeed(services, kept)
    own = services.limits.settings.model_copy(update={"expires_in_s": 500})
    limits = type(services.limits)(services.store.redis, own)
    farm = JobService(services.store, services.storage, services.dispatch, services.pictures, limits)
    seen = services.pictures.look_at(picture())
    params = DreamParams.model_validate(services.jobs.get(kept).spec.params)
    jobs = [farm.create(seen, params, expires_in=asked) for asked in (None, 70)]

    janitor.round()

    assert [job.spec.expires_in for job in jobs] == [500, 70]
    assert services.store.get(kept).state is JobState.SUCCEEDED
    assert services.store.redis.zcard(keys.EXPIRING) == 0


def test_a_batchs_jobs_expire(client, services):
    """Each has the batch's time."""
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen)
    body = {"inputs": [{"sha256": seen.view.sha256}], "params": {"octaves": 1}, "expires_in": 300}
    batch_id = client.post("/v1/batches", json=body).json["id"]
    services.batches.expand(batch_id)

    [job] = services.batches.results(batch_id)
    assert job.spec.expires_in == 300


@pytest.mark.parametrize(("seconds", "status"), [(59, 400), (60, 202), (31_536_000, 202), (31_536_001, 400)])
def test_times_have_bounds(client, seconds, status):
    """A minute to a year."""
    assert submit(client, picture(), expires_in=seconds).status_code == status
