"""What was rendered before is served again, and only that."""

from __future__ import annotations

import json
from itertools import chain

import pytest
from ulid import ULID

from api.app import create_app
from dreamcore.params import DreamParams
from farm import change, keys
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from farm.change import Fence
from farm.losses import losses_text
from farm.record import StoredOutput
from farm.result_cache import cache_key
from farm.states import JobState
from farm.sweep import Sweep
from tests.support import assert_problem, picture, submit
from worker.janitor import Janitor
from worker.lease import Lease

PARAMS = {"octaves": 1, "steps": 2}


def new_job(client, data=None, **fields):
    fields.setdefault("params", PARAMS)
    answer = submit(client, picture() if data is None else data, **fields)
    assert answer.status_code == 202, answer.text
    return answer.json


def render(services, job_id, *, data=b"pixels", notices=("Clamped.",)):
    """Let an attempt succeed through a worker's own door."""
    attempt = services.store.get(job_id).attempt
    services.store.apply(change.claim(job_id, attempt=attempt, token="t", worker="w", lease_ms=10_000))
    key = keys.result(job_id, attempt, "png")
    services.storage.put(key, data, content_type="image/png")
    output = StoredOutput(format="png", sha256="0" * 64, bytes=len(data), width=96, height=80, key=key)
    job = services.store.get(job_id)
    done = job.progress.model_copy(update={"fraction": 1.0})
    lease = Lease(services, job, Fence(attempt, "t"), worker="w")
    lease.write({"losses": losses_text([[1.0, 2.5]])})
    lease.succeed(output=output.model_dump_json(), progress=done, notices=notices)


def result_of(services, job_id):
    return services.storage.get(services.store.get(job_id).output.key)


def assert_rendered_anew(job):
    assert (job["state"], job["cached"]) == ("queued", False)


def test_the_same_again_is_served_at_once(client, services):
    """It has succeeded before anybody looks, with the first one's bytes, size and notices, and no attempt."""
    first = new_job(client)
    render(services, first["id"])

    again = new_job(client, name="other.png", tags=["mine"])

    assert (again["state"], again["cached"], again["attempts"]) == ("succeeded", True, [])
    assert (again["name"], again["tags"]) == ("other.png", ["mine"])
    assert again["output"] == client.get(f"/v1/jobs/{first['id']}").json["output"]
    assert (again["progress"]["fraction"], again["notices"]) == (1.0, ["Clamped."])
    assert client.get(f"/v1/jobs/{again['id']}/losses").json == {"octaves": [[1.0, 2.5]]}
    assert result_of(services, again["id"]) == b"pixels"
    assert client.get(f"/v1/jobs/{again['id']}/result").status_code == 302
    assert services.store.count(JobState.QUEUED) == 0
    assert [job["id"] for job in client.get("/v1/jobs?tag=mine&state=succeeded").json["jobs"]] == [again["id"]]


def test_fresh_renders_anew(client, services):
    """Asked so, as a form or as JSON, nothing old is served."""
    first = new_job(client)
    render(services, first["id"])
    body = {"image": {"sha256": first["input"]["sha256"]}, "params": PARAMS}

    assert_rendered_anew(new_job(client, fresh=True))
    assert_rendered_anew(client.post("/v1/jobs", json={**body, "fresh": True}).json)
    assert client.post("/v1/jobs", json=body).json["cached"]


@pytest.mark.parametrize(
    ("seed", "fields"),
    [
        pytest.param(1, {}, id="picture"),
        pytest.param(0, {"params": {**PARAMS, "seed": 1}}, id="params"),
        pytest.param(0, {"params": {**PARAMS, "model": "inception_v3"}}, id="model"),
        pytest.param(0, {"format": "webp"}, id="format"),
        pytest.param(0, {"kind": "zoom", "zoom": {"frames": 2}}, id="kind"),
    ],
)
def test_what_differs_is_rendered(client, services, seed, fields):
    """Another picture, parameter, network, format or kind is another result."""
    render(services, new_job(client)["id"])

    assert_rendered_anew(new_job(client, picture(seed=seed), **fields))


def test_masks_count(services):
    """Another mask is another result; the same one isn't."""
    services.pictures.keep(seen := services.pictures.look_at(picture()))
    for each in (masks := [services.pictures.look_at(picture(seed=seed)) for seed in (5, 6)]):
        services.pictures.keep(each)
    params = DreamParams.model_validate(PARAMS)
    first = services.jobs.create(seen, params, masks=masks[:1])
    render(services, first.id)

    made = [services.jobs.create(seen, params, masks=some) for some in (masks[:1], masks[1:], ())]

    assert [job.cached for job in made] == [True, False, False]


def test_other_engines_and_weights_have_other_keys(client, services):
    """A key holds for one version of the engine, and there is none where nothing checks the weights."""
    spec = services.store.get(new_job(client)["id"]).spec
    mobile = spec.model_copy(update={"params": {**spec.params, "model": "mobilenet"}})
    before = cache_key(spec)

    assert cache_key(spec.model_copy(update={"name": "x", "tags": ("y",), "priority": 3})) == before
    assert cache_key(mobile) is None
    assert cache_key(spec.model_copy(update={"params": {**spec.params, "model": "gone"}})) is None
    assert cache_key(spec, engine="0.0.0") != before


def test_a_render_that_another_engine_began_is_not_served(client, services):
    """Half of its steps are that engine's."""
    first = new_job(client)
    services.store.redis.hset(keys.job(first["id"]), "checkpoint", '{"key": "k", "sha256": "0", "engine": "0.0.0"}')
    render(services, first["id"])

    assert_rendered_anew(new_job(client))


@pytest.mark.parametrize("how", ["removed", "expired", "lost"])
def test_a_result_that_is_gone_is_made_anew(client, services, how):
    """By its owner, by time, or by an accident of the store; a served one outlives the one that it was taken from."""
    first = new_job(client)
    render(services, first["id"])
    second = new_job(client)
    _end(services, first["id"], how)
    third = new_job(client)
    assert third["cached"]
    assert result_of(services, third["id"]) == b"pixels"
    for job in (second, third):
        _end(services, job["id"], how)

    assert_rendered_anew(new_job(client))


def _end(services, job_id, how):
    job = services.store.get(job_id)
    if how == "removed":
        services.jobs.delete(job_id)
    elif how == "expired":
        services.jobs.expire(job_id)
    else:
        services.storage.delete(job.output.key)


def test_a_served_result_expires_by_its_own_time(client, services):
    """Nothing is left of it, the first one stays, and made anew it is rendered and no longer cached."""
    first = new_job(client)
    render(services, first["id"])
    again = new_job(client, expires_in=100)
    key = services.store.get(again["id"]).output.key
    services.store.redis.zincrby(keys.EXPIRING, -101_000, again["id"])

    Janitor(services, "a", tidy_after_s=0).round()

    job = client.get(f"/v1/jobs/{again['id']}").json
    assert (job["state"], services.storage.exists(key)) == ("expired", False)
    assert result_of(services, first["id"]) == b"pixels"
    job = client.post(f"/v1/jobs/{again['id']}/retry").json
    assert_rendered_anew(job)
    render(services, again["id"], data=b"anew")
    assert result_of(services, new_job(client)["id"]) == b"anew"


def test_owners_are_served_their_own_alone(settings, services):
    """What another owner has rendered is rendered again: nobody learns of others' pictures by the time it takes."""
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    made = {}
    for owner in ("ada", "bob"):
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {services.api_keys.create(owner, [Scope.SUBMIT])[1]}"
        made[owner] = new_job(client)
        render(services, made[owner]["id"])

    assert [job["cached"] for job in made.values()] == [False, False]


def test_what_is_served_uses_no_quota(settings, services):
    """Whoever has used up the day is still given what is there."""
    strict = settings.model_copy(update={"auth": "required", "pixel_steps_per_day": 96 * 80 * 2})
    client = create_app(strict).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {services.api_keys.create('ada', [Scope.SUBMIT])[1]}"
    render(services, new_job(client)["id"])

    assert new_job(client)["cached"]
    assert_problem(submit(client, picture(seed=1), params=PARAMS), 429, "quota_exceeded")


def test_a_batch_is_served_what_is_there(client, services):
    """Its counts are true from the start, its other jobs are queued, and `fresh` renders all."""
    first = new_job(client, params={**PARAMS, "seed": 1})
    render(services, first["id"])
    spec = BatchSpec(params=PARAMS, sweep=Sweep(product={"seed": [0, 1, 2]}))
    inputs = [BatchInput(sha256=first["input"]["sha256"])]
    made = [services.batches.create(spec.model_copy(update={"fresh": fresh}), inputs) for fresh in (False, True)]
    services.batches.expand_some(seconds=10)

    cached = [[job.cached for job in services.batches.results(batch.id)] for batch in made]
    assert cached == [[False, True, False], [False, False, False]]
    counts = services.batches.store.get(made[0].id).view().counts
    assert {state: n for state, n in counts.items() if n} == {"queued": 2, "succeeded": 1}


def test_a_batch_served_whole_is_finished_and_told_of(settings, services):
    """Each job and the batch are told to webhooks once, and what is served is counted apart from what is rendered."""
    client = create_app(settings).test_client()
    first = new_job(client)
    render(services, first["id"])
    hook = client.post("/v1/webhooks", json={"url": "https://8.8.8.8/"})
    assert hook.status_code == 201, hook.text
    before = metric(services, 'dreamfarm_attempts_ended_total{outcome="succeeded"}')

    body = {"inputs": [{"sha256": first["input"]["sha256"]}] * 2, "params": PARAMS}
    batch_id = client.post("/v1/batches", json=body).json["id"]
    services.batches.expand_some(seconds=10)

    notes = [(note["type"], note["batch"]) for note in map(json.loads, services.webhooks.outbox(10))]
    assert notes == [("job.succeeded", batch_id)] * 2 + [("batch.finished", batch_id)]
    assert client.get(f"/v1/batches/{batch_id}").json["state"] == "finished"
    assert metric(services, "dreamfarm_jobs_cached_total") == 2
    assert metric(services, 'dreamfarm_attempts_ended_total{outcome="succeeded"}') == before
    assert metric(services, 'dreamfarm_jobs{owner="local",state="succeeded"}') == 3


def metric(services, name):
    lines = services.metrics.text().decode().splitlines()
    return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{name} "))


def test_the_same_call_twice_makes_one_job(services):
    """Neither a second job nor a second entry in any index."""
    services.pictures.keep(seen := services.pictures.look_at(picture()))
    params = DreamParams.model_validate(PARAMS)
    render(services, services.jobs.create(seen, params).id)
    job_id = str(ULID())

    first, second = (services.jobs.create(seen, params, job_id=job_id) for _ in range(2))

    assert first == second
    assert services.store.redis.hget(keys.COUNTS, "local:succeeded") == "2"


def test_a_watcher_of_a_served_job_sees_its_end(client, services):
    """Its events are one: that it has succeeded."""
    render(services, new_job(client)["id"])
    again = new_job(client)

    events = list(chain.from_iterable(services.events.follow(again["id"], after="0-0", life_s=5, pause_s=0.1)))

    assert [event.data.state for event in events] == ["succeeded"]
    assert events[0].data.progress.fraction == 1.0
