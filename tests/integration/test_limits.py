"""What an owner may ask for has an end, and the answer says when it begins again."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from api.app import create_app
from dreamcore.params import DreamParams
from farm import keys
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from farm.errors import LimitError, QueueFullError
from farm.services import Services
from farm.states import JobState
from farm.sweep import Sweep
from tests.support import assert_problem, picture

STEPS = 3
COST = 96 * 80 * STEPS
"""Pixel-steps of a job below: one octave of 96x80 px."""


@pytest.fixture
def limited(settings, services):  # noqa: ARG001  # the store is emptied first
    """Return services, and a client, of a farm with these limits."""

    def make(**limits):
        narrow = settings.model_copy(update={"auth": "required", **limits})
        return Services.connect(narrow), create_app(narrow).test_client()

    return make


def key_of(services, owner, *scopes):
    token = services.api_keys.create(owner, scopes or [Scope.READ, Scope.SUBMIT])[1]
    return {"Authorization": f"Bearer {token}"}


def dream(services, owner="ada", *, steps=STEPS):
    seen = services.pictures.look_at(picture())
    return services.jobs.create(seen, DreamParams(octaves=1, steps=steps), owner=owner)


def batch_of(services, jobs, owner="ada"):
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen, owner=owner)
    sweep = Sweep(product={"seed": list(range(jobs))})
    spec = BatchSpec(owner=owner, params={"octaves": 1, "steps": STEPS}, sweep=sweep)
    return services.batches.create(spec, [BatchInput(sha256=seen.view.sha256)])


def test_requests_beyond_the_rate_are_told_when_to_come_back(limited):
    """As many as the limit are let through, the next is not, and every answer tells what is left."""
    services, client = limited(requests_per_minute=5)
    adas, bobs = key_of(services, "ada"), key_of(services, "bob")

    answers = [client.get("/v1/models", headers=adas) for _ in range(7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
    assert [answer.headers["RateLimit"].split(";")[1] for answer in answers[:5]] == ["r=4", "r=3", "r=2", "r=1", "r=0"]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=5;w=60'
    assert_problem(answers[-1], 429, "rate_limited")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 12
    assert client.get("/v1/models", headers=bobs).status_code == 200


def test_a_rate_lets_requests_through_again_in_its_time(limited):
    """After a fifth of the minute there is room for one of five, and no more."""
    services, _ = limited(requests_per_minute=5)
    for _ in range(6):
        last = services.limits.count_request("K")
    redis = services.store.redis
    full_ms = float(redis.get(keys.rate("K")))
    redis.set(keys.rate("K"), full_ms - 12_000)

    again, then = services.limits.count_request("K"), services.limits.count_request("K")

    assert (last.allowed, again.allowed, then.allowed) == (False, True, False)


def test_hidden_things_are_counted_too(limited):
    """Who guesses ids is slowed down like everybody."""
    services, client = limited(requests_per_minute=3)
    adas = key_of(services, "ada")

    found = [client.get("/v1/jobs/nothing", headers=adas).status_code for _ in range(4)]

    assert found == [404, 404, 404, 429]


def test_an_owners_queue_is_bounded(limited):
    """A job too many is refused by code; one that is done makes room; others have queues of their own."""
    services, client = limited(max_queued_jobs_per_owner=2)
    first = dream(services)
    dream(services)

    with pytest.raises(LimitError) as caught:
        dream(services)
    assert caught.value.code == "too_many_queued_jobs"
    dream(services, "bob")
    services.jobs.cancel(first.id)
    dream(services)
    body = {"image": {"sha256": first.spec.input.sha256}}
    refused = client.post("/v1/jobs", json=body, headers=key_of(services, "ada"))
    assert_problem(refused, 429, "too_many_queued_jobs")
    assert int(refused.headers["Retry-After"]) > 0
    assert refused.headers["RateLimit-Policy"] == '"queued-jobs";q=2'


def test_a_batch_counts_before_its_jobs_are_made(limited):
    """All of its jobs are in the queue once it is accepted; a canceled one leaves it."""
    services, _ = limited(max_queued_jobs_per_owner=5)
    batch = batch_of(services, 4)

    with pytest.raises(LimitError):
        batch_of(services, 2)
    dream(services)
    services.batches.expand_some(seconds=10)
    with pytest.raises(LimitError):
        dream(services)
    services.batches.cancel(batch.id)
    batch_of(services, 4)


def test_the_farms_queue_is_bounded(limited):
    """Beyond it everybody is told to come later, whoever filled it."""
    services, client = limited(max_queued_jobs=2)
    sha256 = dream(services, "bob").spec.input.sha256
    dream(services, "ada")

    with pytest.raises(QueueFullError):
        dream(services, "cleo")
    answer = client.post("/v1/jobs", json={"image": {"sha256": sha256}}, headers=key_of(services, "bob"))
    assert_problem(answer, 503, "queue_full")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_refused_job_leaves_nothing(limited):
    """Neither a record nor a charge."""
    services, _ = limited(max_queued_jobs_per_owner=1, pixel_steps_per_day=10 * COST)
    dream(services)
    before = {key: services.store.redis.dump(key) for key in services.store.redis.keys("*")}

    with pytest.raises(LimitError):
        dream(services)

    assert {key: services.store.redis.dump(key) for key in services.store.redis.keys("*")} == before


def test_a_days_pixel_steps_are_bounded(limited):
    """What fits is dreamt; then it is 429 until midnight, UTC, for this owner."""
    services, client = limited(pixel_steps_per_day=2 * COST)
    sha256 = dream(services).spec.input.sha256

    with pytest.raises(LimitError) as caught:
        dream(services, steps=STEPS + 1)
    assert caught.value.left == COST
    dream(services)
    body = {"image": {"sha256": sha256}, "params": {"octaves": 1, "steps": 1}}
    refused = client.post("/v1/jobs", json=body, headers=key_of(services, "ada"))
    assert_problem(refused, 429, "quota_exceeded")
    now = datetime.now(UTC)
    left_s = 86_400 - (now.hour * 3600 + now.minute * 60 + now.second)
    assert int(refused.headers["Retry-After"]) == pytest.approx(left_s, abs=30)
    assert refused.headers["RateLimit-Policy"] == f'"pixel-steps";q={2 * COST};w=86400'
    dream(services, "bob")


def test_a_batchs_jobs_beyond_the_quota_fail_by_code(limited):
    """Those that fit are queued and charged; the others say why, and can be retried another day."""
    services, _ = limited(pixel_steps_per_day=2 * COST)
    batch = batch_of(services, 5)
    services.batches.expand_some(seconds=10)

    view = services.batches.store.get(batch.id).view()
    assert (view.counts["queued"], view.counts["failed"], view.failures) == (2, 3, {"quota_exceeded": 3})
    assert services.store.redis.zcard(keys.lane("ada")) == 2
    with pytest.raises(LimitError):
        batch_of(services, 1)
    with pytest.raises(LimitError):
        services.batches.retry_failed(batch.id)
    [usage] = services.store.redis.keys("usage:ada:*")
    assert services.store.redis.get(usage) == str(2 * COST)
    services.store.redis.delete(usage)
    retried = next(job for job in services.batches.results(batch.id) if job.state is JobState.FAILED)
    assert services.jobs.retry(retried.id).state is JobState.QUEUED


def test_a_retry_is_paid_for(limited):
    """Cancel and retry is no way around the quota."""
    services, _ = limited(pixel_steps_per_day=2 * COST)
    job = dream(services)
    for _ in range(2):
        services.jobs.cancel(job.id)
        if services.store.redis.get(services.store.redis.keys("usage:*")[0]) == str(2 * COST):
            break
        services.jobs.retry(job.id)

    with pytest.raises(LimitError):
        services.jobs.retry(job.id)
    assert services.jobs.get(job.id).state is JobState.CANCELED


def test_a_job_that_can_not_be_dreamt_can_be_retried(services):
    """It costs nothing, and will say again what is wrong with it."""
    batch = services.batches.create(BatchSpec(owner="ada"), [BatchInput(sha256="f" * 64)])
    services.batches.expand_some(seconds=10)

    assert services.batches.retry_failed(batch.id).view().counts["queued"] == 1


def test_the_counts_by_owner_are_true(limited):
    """After every kind of change, they are what counting one by one gives."""
    services, _ = limited(max_queued_jobs_per_owner=100)
    jobs = [dream(services, owner) for owner in ("ada", "ada", "bob")]
    batch_of(services, 3)
    services.batches.expand_some(seconds=10)
    services.jobs.cancel(jobs[0].id)
    services.jobs.cancel(jobs[1].id)
    services.jobs.retry(jobs[1].id)
    services.jobs.delete(jobs[0].id)

    found, _ = services.store.page(state=None, tag=None, limit=99, before=None)
    counted = {}
    for job in found:
        field = f"{job.spec.owner}:{job.state}"
        counted[field] = counted.get(field, 0) + 1
    assert {field: int(n) for field, n in services.store.redis.hgetall(keys.COUNTS).items()} == counted


def test_a_farm_without_keys_limits_its_queue_alone(settings, services):
    """On one's own machine nobody counts requests or pixels."""
    narrow = settings.model_copy(
        update={"requests_per_minute": 1, "max_queued_jobs_per_owner": 1, "pixel_steps_per_day": 1}
    )
    client = create_app(narrow).test_client()

    own = Services.connect(narrow)
    assert [dream(own, "local").state for _ in range(3)] == [JobState.QUEUED] * 3
    answers = [client.get("/v1/models") for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers
    assert services.store.count(JobState.QUEUED) == 3
