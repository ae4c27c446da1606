"""`/metrics`: what is counted agrees with what happened, whichever api process is asked."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families
from ulid import ULID

from api.app import create_app
from farm import change
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from farm.change import Fence
from farm.dispatch import Offer
from farm.metrics import MOST_OWNERS
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView

ERROR = ErrorView(code="boom", message="It broke.").model_dump_json()
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'


def scraped(client):
    """Return {(name, labels): value} of each sample."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {
        (sample.name, tuple(sorted(sample.labels.values()))): sample.value
        for family in families
        for sample in family.samples
    }


def new_job(services, owner="local", work_s=2.5, pack=""):
    picture = PictureView(sha256="0" * 64, width=8, height=8)
    spec = JobSpec(owner=owner, params={}, format="png", input=picture, work_s=work_s, pack=pack)
    return services.store.create(str(ULID()), spec, ProgressView(octaves=1, steps=1)).id


def claim(services, job_id):
    services.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=10_000))


def succeed(services, job_id):
    claim(services, job_id)
    done = change.succeed(job_id, Fence(1, "t"), output=OUTPUT, progress=ProgressView().model_dump_json())
    services.store.apply(done)


def test_jobs_and_their_work_are_counted_by_state(client, services):
    """The backlog is the sum over what is queued and running, and shrinks as jobs end."""
    new_job(services)
    claim(services, new_job(services, owner="ada", work_s=4))
    succeed(services, new_job(services, work_s=8))

    found = scraped(client)

    jobs = {labels: n for (name, labels), n in found.items() if name == "dreamfarm_jobs"}
    assert jobs == {("local", "queued"): 1, ("ada", "running"): 1, ("local", "succeeded"): 1}
    assert found["dreamfarm_backlog_device_seconds", ("queued",)] == 2.5
    assert found["dreamfarm_backlog_device_seconds", ("running",)] == 4
    assert found["dreamfarm_work_done_device_seconds_total", ()] == 8
    assert found["dreamfarm_oldest_queued_seconds", ()] >= 0


def test_packs_are_counted_by_their_size(client, services):
    """What workers were given at once, one job or several."""
    for _ in range(5):
        new_job(services, pack="squeezenet:a")
    for most in (3, 1, 1, 1):
        services.dispatch.claim("w", Offer(most=most, room_bytes=1), lease_ms=5000)

    found = scraped(client)

    assert (found["dreamfarm_pack_jobs_count", ()], found["dreamfarm_pack_jobs_sum", ()]) == (3, 5)
    assert [found["dreamfarm_pack_jobs_bucket", (bound,)] for bound in ("1.0", "2.0", "4.0")] == [2, 2, 3]


def test_an_empty_farm_has_no_backlog(client):
    """An autoscaler can tell nothing to do from no answer."""
    found = scraped(client)

    assert found["dreamfarm_backlog_device_seconds", ("queued",)] == 0
    assert found["dreamfarm_oldest_queued_seconds", ()] == 0
    assert found["dreamfarm_render_seconds_count", ()] == 0


def test_ends_errors_and_lengths_are_counted(client, services):
    """Each attempt once, each failure by its code, jobs that never ran too."""
    succeed(services, new_job(services))
    for _ in range(2):
        failed = new_job(services)
        claim(services, failed)
        services.store.apply(change.fail(failed, Fence(1, "t"), error=ERROR))
    services.jobs.cancel(new_job(services))
    batch = services.batches.create(BatchSpec(), [BatchInput(sha256="1" * 64)])
    services.batches.expand(batch.id)

    found = scraped(client)

    ended = {labels: n for (name, labels), n in found.items() if name == "dreamfarm_attempts_ended_total"}
    assert ended == {("succeeded",): 1, ("failed",): 2}
    errors = {labels: n for (name, labels), n in found.items() if name == "dreamfarm_errors_total"}
    assert errors == {("boom",): 2, ("bad_picture",): 1}
    assert found["dreamfarm_render_seconds_count", ()] == 3
    assert found["dreamfarm_render_seconds_bucket", ("10.0",)] == 3


def test_jobs_that_are_yet_to_be_made_are_told(client, services):
    """A batch of which nothing is in the queue yet is work all the same."""
    services.batches.create(BatchSpec(), [BatchInput(sha256="1" * 64)] * 7)

    assert scraped(client)["dreamfarm_batch_jobs_unmade", ()] == 7


def test_requests_of_all_processes_are_counted_together(settings, services):  # noqa: ARG001  # the store is emptied
    """One process answers for both; routes are told by their pattern, so that ids make no labels."""
    one, other = (create_app(settings).test_client() for _ in range(2))
    for _ in range(3):
        one.get(f"/v1/jobs/{ULID()}")
    other.get("/v1/jobs")
    other.get(f"/nowhere/{ULID()}")
    scraped(one)

    found = scraped(other)

    counts = {labels: n for (name, labels), n in found.items() if name == "dreamfarm_http_request_seconds_count"}
    assert counts["/v1/jobs/<job_id>", "4xx", "GET"] == 3
    assert counts["/v1/jobs", "2xx", "GET"] == 1
    assert counts["(none)", "4xx", "GET"] == 1


def test_owners_labels_are_capped(client, services):
    """The rest are one label, and none is lost from the sum."""
    for number in range(MOST_OWNERS + 10):
        new_job(services, owner=f"o{number}")

    jobs = {labels: n for (name, labels), n in scraped(client).items() if name == "dreamfarm_jobs"}

    assert len(jobs) == MOST_OWNERS + 1
    assert (sum(jobs.values()), jobs["(others)", "queued"]) == (MOST_OWNERS + 10, 10)


def test_workers_are_told_with_their_silence(client, services):
    """By state, and each with the time since its heartbeat."""
    services.workers.beat("w1", {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00"})
    services.workers.drain("w1")

    found = scraped(client)

    assert found["dreamfarm_workers", ("draining",)] == 1
    assert found["dreamfarm_worker_silence_seconds", ("starting", "w1")] < 60


@pytest.mark.parametrize(("scope", "status"), [(Scope.ADMIN, 200), (Scope.READ, 403)])
def test_metrics_are_for_those_who_run_the_farm(settings, services, scope, status):
    """They tell of every owner."""
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    key = services.api_keys.create("ada", [scope])[1]

    assert client.get("/metrics", headers={"Authorization": f"Bearer {key}"}).status_code == status
    assert client.get("/metrics").status_code == 401
