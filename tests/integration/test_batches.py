"""Batches against real servers: whole or not at all, every job once, counts that are true."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from ulid import ULID

from farm import change, keys
from farm.archive import zipped
from farm.batch_store import BatchInput, BatchSpec, BatchStore
from farm.batches import numbered_id
from farm.change import Fence
from farm.errors import NotFoundError
from farm.record import StoredOutput
from farm.schema import ErrorView, ProgressView
from farm.sweep import Sweep
from tests.chaos.proxy import Proxy
from tests.support import assert_problem, picture, until

ERROR = ErrorView(code="boom", message="It broke.").model_dump_json()


@pytest.fixture
def batches(services):
    return services.batches


@pytest.fixture
def stored(services):
    """Return an input that is in the object store."""
    seen = services.pictures.look_at(picture())
    services.pictures.keep(seen)
    return BatchInput(sha256=seen.view.sha256, name="sky.png")


def sweep(**product):
    return BatchSpec(params={"octaves": 1}, sweep=Sweep(product=product))


def expanded(batches, record):
    while batches.expand(record.id):
        pass
    return batches.store.get(record.id)


def counted(services, batch_id):
    """Return the jobs by state, counted one by one."""
    return Counter(job.state for job in services.batches.results(batch_id))


def assert_counts_are_true(services, batch_id):
    view = services.batches.store.get(batch_id).view()
    assert {state: n for state, n in view.counts.items() if n} == dict(counted(services, batch_id))


def port_of(services):
    return services.store.redis.connection_pool.connection_kwargs["port"]


def impatient(proxy):
    """Return a client that sends a call again when there is no answer within half a second."""
    return redis.Redis(
        port=proxy.port, decode_responses=True, socket_timeout=0.5, retry=Retry(ConstantBackoff(0.1), retries=30)
    )


def waiting(services):
    return services.store.redis.zcard(keys.lane("local"))


def claim(services, job_id):
    fence = Fence(1, "t")
    services.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=10_000))
    return fence


def fail(services, job_id):
    services.store.apply(change.fail(job_id, claim(services, job_id), error=ERROR))


def test_every_input_meets_every_point_once(services, batches, stored):
    """The jobs are the product, in order, with the parameters of their point."""
    record = batches.create(sweep(steps=[1, 2, 3]), [stored, stored])

    expanded(batches, record)

    jobs = list(batches.results(record.id))
    assert [job.spec.params["steps"] for job in jobs] == [1, 2, 3, 1, 2, 3]
    assert [job.id for job in jobs] == [numbered_id(record.id, number) for number in range(6)]
    assert {job.spec.params["octaves"] for job in jobs} == {1}
    assert waiting(services) == 6
    assert_counts_are_true(services, record.id)


def test_a_batch_counts_as_queued_before_its_jobs_are_made(batches, stored):
    """What was accepted is there at once, whoever makes the jobs later."""
    view = batches.create(sweep(steps=[1, 2]), [stored]).view()

    assert (view.total, view.made, view.counts["queued"], view.state) == (2, 0, 2, "active")


def test_a_batch_that_a_client_stores_again_unanswered_is_made_once(services, batches, stored):
    """Redis' answer is lost, the jobs are made meanwhile, and the client sends the call again: nothing begins anew."""
    spec, batch_id = sweep(steps=[1, 2, 3]), str(ULID())
    batches.create(spec, [stored])  # Redis knows the script by now
    with Proxy(port_of(services)) as proxy, ThreadPoolExecutor(1) as pool:
        unanswered = BatchStore(impatient(proxy))
        unanswered.redis.ping()
        proxy.swallow_answers()
        creating = pool.submit(unanswered.create, batch_id, spec, [stored])
        until(lambda: services.store.redis.exists(keys.batch(batch_id)))
        made = expanded(batches, batches.store.get(batch_id))
        proxy.heal()
        assert creating.result(timeout=20).cursor == made.cursor == 3

    assert batches.expand(batch_id) == 0
    assert_counts_are_true(services, batch_id)


def test_a_batch_of_many_inputs_keeps_their_order(batches, stored):
    """They are stored a thousand at a time, and none is lost or doubled between."""
    names = [f"{number}.png" for number in range(2_500)]
    record = batches.create(sweep(), [stored.model_copy(update={"name": name}) for name in names])

    assert [item.name for item in batches.store.inputs(record.id, 0, -1)] == names


def test_two_that_make_a_batch_at_once_make_each_job_once(services, batches, stored):
    """The cursor moves with the jobs in one step, so a second maker finds it moved and makes nothing."""
    batches.chunk = 7
    record = batches.create(sweep(steps=list(range(1, 61))), [stored])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: expanded(batches, record), range(4)))

    assert [job.spec.params["steps"] for job in batches.results(record.id)] == list(range(1, 61))
    assert waiting(services) == 60
    assert_counts_are_true(services, record.id)


def test_a_maker_that_dies_leaves_the_rest_to_the_next(batches, stored):
    """A batch half made goes on where its cursor stands."""
    batches.chunk = 2
    record = batches.create(sweep(steps=[1, 2, 3, 4, 5]), [stored])
    batches.expand(record.id)
    assert batches.store.get(record.id).cursor == 2

    batches.expand_some(seconds=30)

    assert batches.store.get(record.id).cursor == 5
    assert batches.store.expanding() == []


def test_a_bad_item_is_its_own_failed_job(services, batches, stored):
    """A missing picture, and one too small for its point, sink nobody else."""
    missing = BatchInput(sha256="0" * 64, name="gone.png")
    tiny = services.pictures.look_at(picture(8, 8))
    services.pictures.keep(tiny)
    record = batches.create(sweep(steps=[1]), [missing, stored, BatchInput(sha256=tiny.view.sha256)])

    view = expanded(batches, record).view()

    assert (view.counts["queued"], view.counts["failed"]) == (1, 2)
    assert sum(view.failures.values()) == 2
    jobs = list(batches.results(record.id))
    assert [job.state for job in jobs] == ["failed", "queued", "failed"]
    assert "upload it first" in jobs[0].error.message
    assert_counts_are_true(services, record.id)


def test_a_dry_run_tells_the_unusable_inputs_and_stores_nothing(services, batches, stored):
    """The plan counts jobs and names the first problems."""
    plan = batches.plan(sweep(steps=[1, 2]), [stored, BatchInput(upload=str(ULID()))])

    assert (plan.jobs, plan.unusable_inputs) == (4, 1)
    assert plan.problems[0].startswith("inputs/1: Nothing is uploaded")
    assert services.store.redis.keys("batch*") == []


def test_a_dry_run_tries_some_of_the_jobs(services, batches, stored):
    """Masks of another size, pictures too small for the network, addresses that are never called are told before."""
    mask = services.pictures.look_at(picture(8, 8))
    masked = batches.plan(sweep(steps=[1]), [stored, stored], masks=[mask])
    tiny = services.pictures.look_at(picture(9, 9))
    services.pictures.keep(tiny)
    small = batches.plan(sweep(steps=[1]), [stored, BatchInput(sha256=tiny.view.sha256)])
    called = batches.plan(sweep(steps=[1]), [BatchInput(url="http://10.0.0.1/x"), BatchInput(url="http://a.example/x")])

    assert (masked.unusable_inputs, small.unusable_inputs, called.unusable_inputs) == (2, 1, 1)
    assert "8x8" in masked.problems[0]
    assert small.problems[0].startswith("inputs/1: The picture is 9x9 px")
    assert "not public" in called.problems[0]
    assert services.store.redis.keys("batch*") == []


def test_a_canceled_batch_ends_whole(services, batches, stored):
    """Jobs that are queued or run end, those not made are never made, finished ones stay."""
    batches.chunk = 3
    record = batches.create(sweep(steps=[1, 2, 3, 4, 5]), [stored])
    batches.expand(record.id)
    first, second, _ = (job.id for job in batches.results(record.id))
    fail(services, first)
    claim(services, second)

    view = batches.cancel(record.id).view()

    assert (view.counts["failed"], view.counts["canceled"], view.state) == (1, 4, "finished")
    assert not batches.expand(record.id)
    assert batches.store.get(record.id).cursor == 3


def test_failed_jobs_are_retried_and_counted_anew(services, batches, stored):
    """Retry-failed queues the failed ones alone, and their error codes no longer count."""
    record = expanded(batches, batches.create(sweep(steps=[1, 2, 3]), [stored]))
    for job in list(batches.results(record.id))[:2]:
        fail(services, job.id)
    assert batches.store.get(record.id).view().failures == {"boom": 2}

    view = batches.retry_failed(record.id).view()

    assert (view.counts["queued"], view.counts["failed"], view.failures) == (3, 0, {})
    assert_counts_are_true(services, record.id)


def test_a_deleted_job_leaves_the_counts_true(services, batches, stored):
    """Its batch knows that it ended, and lists it no more."""
    record = expanded(batches, batches.create(sweep(steps=[1, 2]), [stored]))
    first, second = batches.results(record.id)
    fail(services, first.id)

    services.jobs.delete(first.id)
    services.jobs.cancel(second.id)

    view = batches.store.get(record.id).view()
    assert (view.state, view.failures) == ("finished", {})
    assert_counts_are_true(services, record.id)


def test_the_zip_holds_the_finished_pictures(services, batches, stored):
    """Each result is in it under its picture's own name; jobs without one are left out."""
    record = expanded(batches, batches.create(sweep(steps=[1, 2]), [stored]))
    first, _ = batches.results(record.id)
    fence = claim(services, first.id)
    key = keys.result(first.id, 1, "png")
    services.storage.put(key, b"pixels", content_type="image/png")
    output = StoredOutput(format="png", sha256="0" * 64, bytes=6, width=1, height=1, key=key)
    services.store.apply(
        change.succeed(
            first.id, fence, output=output.model_dump_json(), progress=ProgressView(fraction=1).model_dump_json()
        )
    )

    with zipfile.ZipFile(io.BytesIO(b"".join(zipped(batches.results(record.id), services.storage)))) as archive:
        assert archive.namelist() == [f"sky-{first.id}.png"]
        assert archive.read(archive.namelist()[0]) == b"pixels"


def test_an_unknown_batch_is_not_found(batches):
    """Every call names it and where to look."""
    for call in (batches.store.get, batches.cancel, batches.retry_failed):
        with pytest.raises(NotFoundError, match="GET /v1/batches"):
            call(str(ULID()))


def test_batches_over_http(client, services, stored):
    """Accepted, listed, looked at, its jobs listed, canceled: as a client does it."""
    body = {"inputs": [{"sha256": stored.sha256}], "sweep": {"product": {"steps": [1, 2, 3]}}, "name": "mine"}
    answer = client.post("/v1/batches", json=body)
    assert answer.status_code == 202
    own = answer.headers["Location"]
    services.batches.expand_some(seconds=10)

    listed = client.get("/v1/batches").json["batches"]
    assert [(batch["name"], batch["total"], batch["made"]) for batch in listed] == [("mine", 3, 3)]
    jobs = client.get(client.get(own).json["links"]["jobs"]).json["jobs"]
    assert {job["batch"] for job in jobs} == {listed[0]["id"]}
    lines = client.get(f"{own}/results.jsonl").text.splitlines()
    assert [json.loads(line)["params"]["steps"] for line in lines] == [1, 2, 3]
    assert client.post(f"{own}/cancel").json["counts"]["canceled"] == 3
    assert client.post(f"{own}/retry-failed").json["counts"]["queued"] == 0


def test_a_batchs_jobs_share_guides_and_masks(client, services, stored):
    """Each follows the guides, keeps to the mask, and says so; a picture of another size fails alone."""
    for seed in (1, 2):
        services.pictures.keep(services.pictures.look_at(picture(seed=seed)))
    other = services.pictures.look_at(picture(64, 64))
    services.pictures.keep(other)
    guide, mask = (services.pictures.look_at(picture(seed=seed)).view.sha256 for seed in (1, 2))
    body = {
        "inputs": [{"sha256": stored.sha256}, {"sha256": other.view.sha256}],
        "params": {"objective": "guide-dot", "octaves": 1},
        "guide": {"sha256": guide},
        "mask": [{"sha256": mask}],
    }
    batch_id = client.post("/v1/batches", json=body).json["id"]
    services.batches.expand_some(seconds=10)

    good, bad = services.batches.results(batch_id)
    assert ([one.sha256 for one in good.spec.guides], [one.sha256 for one in good.spec.masks]) == ([guide], [mask])
    assert (good.state, bad.state, bad.error.code) == ("queued", "failed", "mask_mismatch")


def test_a_batch_makes_films(client, services, stored):
    """Of the kind zoom, each job has the batch's path and a film's format; its dry run weighs every frame."""
    body = {"inputs": [{"sha256": stored.sha256}], "params": {"octaves": 1, "steps": 2}}
    film = {**body, "kind": "zoom", "zoom": {"frames": 7, "format": "gif"}, "sweep": {"product": {"seed": [1, 2]}}}
    picture_steps, film_steps = (
        client.post("/v1/batches", json={**one, "dry_run": True}).json["pixel_steps"] for one in (body, film)
    )
    batch_id = client.post("/v1/batches", json=film).json["id"]
    services.batches.expand_some(seconds=10)

    jobs = [job.view() for job in services.batches.results(batch_id)]
    assert [(job.kind, job.format, job.zoom["frames"], job.progress.frames) for job in jobs] == [
        ("zoom", "gif", 7, 7)
    ] * 2
    assert film_steps > 2 * 2 * picture_steps


def test_a_batch_of_films_sweeps_their_zoom(client, services, stored):
    """Each film has its point's zoom, and shows so; a film that no format can hold fails alone."""
    film = {
        "inputs": [{"sha256": stored.sha256}],
        "kind": "zoom",
        "zoom": {"frames": 2, "format": "gif"},
        "sweep": {"product": {"zoom.fps": ["24", "120"]}},
    }
    batch_id = client.post("/v1/batches", json=film).json["id"]
    services.batches.expand_some(seconds=10)

    good, bad = (job.view() for job in services.batches.results(batch_id))
    assert (good.state, good.zoom["fps"], good.zoom["frames"]) == ("queued", "24", 2)
    assert (bad.state, bad.zoom["fps"]) == ("failed", "120")
    assert "GIF" in bad.error.message


def test_a_batchs_guide_must_be_there(client, stored):
    """Told at once, before anything is stored."""
    body = {"inputs": [{"sha256": stored.sha256}], "guide": {"sha256": "0" * 64}}

    assert_problem(client.post("/v1/batches", json=body), 400, "bad_picture")
    assert client.get("/v1/batches").json["batches"] == []


@pytest.mark.parametrize(
    ("change_of_body", "pointer", "says"),
    [
        ({"inputs": []}, "/inputs", "at least 1"),
        ({"sweep": {"product": {"steps": [1, -1]}}}, "", "With {'steps': -1}"),
        ({"sweep": {"product": {"steps": list(range(1, 999)), "seed": list(range(101))}}}, "", "100000 are allowed"),
        ({"params": {"stepz": 1}}, "", "stepz"),
    ],
)
def test_a_batch_that_can_not_be_is_refused_over_http(client, change_of_body, pointer, says):
    """One clear answer, and nothing is stored."""
    body = {"inputs": [{"sha256": "0" * 64}], **change_of_body}

    answer = client.post("/v1/batches", json=body)

    assert answer.status_code == 400
    assert any(entry["pointer"] == pointer and says in entry["detail"] for entry in answer.json["errors"])
    assert client.get("/v1/batches").json["batches"] == []
