"""What a farm says of work to come."""

import io

import numpy as np
import pytest
from PIL import Image

from api.app import create_app
from dreamcore import DreamParams, ZoomParams
from dreamcore.planner import REFERENCE
from dreamcore.workload import count_work
from farm import keys
from farm.batch_store import BatchInput, BatchSpec
from farm.sweep import Sweep
from tests.support import assert_problem


def png(width, height):
    """Return a picture's file."""
    buffer = io.BytesIO()
    Image.fromarray(np.full((height, width, 3), 90, np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("path", [None, ZoomParams(frames=12)], ids=["dream", "zoom"])
def test_a_job_carries_what_it_weighs(services, path):
    """A field of the job's hash holds the seconds that it takes on the reference device."""
    params = DreamParams(octaves=2, steps=3)

    job = services.jobs.create(services.pictures.look_at(png(123, 97)), params, zoom=path)

    work = count_work(params, (97, 123), zoom=path)
    assert job.work_s == pytest.approx(REFERENCE.seconds(work), abs=1e-3)
    assert float(services.store.redis.hget(keys.job(job.id), "work_s")) == job.work_s > 0


def test_a_batchs_jobs_carry_what_they_weigh(services):
    """Each job of a batch weighs by its own parameters; one that can't be dreamt weighs nothing."""
    seen = [services.pictures.look_at(png(*size)) for size in [(123, 97), (9, 9)]]
    for picture in seen:
        services.pictures.keep(picture)
    spec = BatchSpec(params={"octaves": 1}, sweep=Sweep(product={"steps": [2, 4]}), format="png")
    batch = services.batches.create(spec, [BatchInput(sha256=picture.view.sha256) for picture in seen])

    services.batches.expand(batch.id)

    weights = [job.work_s for job in services.batches.results(batch.id)]
    assert 0 < weights[0] < weights[1]
    assert weights[2:] == [0, 0]


ASKED = {"params": {"octaves": 2, "steps": 3}, "width": 123, "height": 97}


def give_pace(services, *, pace=2.0, model="squeezenet:float32", worker="w1", tags=""):
    """Let a worker be alive and have a pace."""
    card = {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00", "tags": tags}
    services.workers.beat(worker, card)
    services.paces.learn(worker, model, seconds=pace * 10, work_s=10)


def test_an_estimate_tells_work_and_memory(client):
    """Operations and pixel-steps are the planner's; before any worker has dreamt there are no seconds."""
    answer = client.post("/v1/estimate", json=ASKED)

    work = count_work(DreamParams(octaves=2, steps=3), (97, 123))
    assert answer.status_code == 200
    assert answer.json["operations"] == work.operations
    assert answer.json["pixel_steps"] == work.pixel_steps
    assert answer.json["peak_memory_bytes"] > 0
    assert (answer.json["seconds"], answer.json["queue_s"], answer.json["cost"]) == (None, None, None)


def test_an_estimate_for_a_stored_picture_is_that_for_its_size(client, services):
    """A picture by its SHA-256 stands for its width and height."""
    seen = services.pictures.look_at(png(123, 97))
    services.pictures.keep(seen)

    by_picture = client.post("/v1/estimate", json={"params": ASKED["params"], "image": {"sha256": seen.view.sha256}})

    assert by_picture.json == client.post("/v1/estimate", json=ASKED).json


def test_a_film_takes_what_all_its_frames_take(client):
    """The kind zoom counts the frames."""
    path = ZoomParams(frames=5)

    answer = client.post("/v1/estimate", json={**ASKED, "kind": "zoom", "zoom": {"frames": 5}})

    params = DreamParams.model_validate(ASKED["params"])
    assert answer.json["pixel_steps"] == count_work(params, (97, 123), zoom=path).pixel_steps


def test_seconds_and_cost_follow_a_workers_pace(settings, services):
    """Where a worker takes twice as long as the reference, so does the job; it costs the price of the hour's share."""
    give_pace(services)
    client = create_app(settings.model_copy(update={"price_per_hour": 1800.0})).test_client()

    answer = client.post("/v1/estimate", json={**ASKED, "width": 1230, "height": 970}).json

    work = count_work(DreamParams(octaves=2, steps=3), (970, 1230))
    assert answer["seconds"] == pytest.approx(2 * REFERENCE.seconds(work), abs=0.06)
    assert answer["cost"] == pytest.approx(answer["seconds"] / 2)
    assert answer["queue_s"] == 0


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({"params": {}}, id="no size"),
        pytest.param({**ASKED, "image": {"sha256": "0" * 64}}, id="size and picture"),
        pytest.param({**ASKED, "width": 0}, id="no width"),
        pytest.param({**ASKED, "zoom": {"frames": 2}}, id="a zoom of another kind"),
        pytest.param({**ASKED, "steps": 3}, id="an unknown key"),
        pytest.param({**ASKED, "width": 8, "height": 8}, id="too small"),
    ],
)
def test_a_wrong_question_is_refused(client, body):
    """What can't be estimated is a problem of the client's, told as such."""
    answer = client.post("/v1/estimate", json=body)

    assert answer.status_code == 400
    assert answer.json["detail"]


def test_a_job_too_large_is_refused(settings, services):
    """A job of more pixel-steps than the farm takes is refused, by its number, the limit and the ways out."""
    seen = services.pictures.look_at(png(123, 97))
    services.pictures.keep(seen)
    wanted = 3 * 123 * 97
    client = create_app(settings.model_copy(update={"max_job_pixel_steps": wanted - 1})).test_client()
    body = {"params": {"octaves": 1, "steps": 3}, "image": {"sha256": seen.view.sha256}}

    answers = [client.post(path, json=body) for path in ("/v1/jobs", "/v1/estimate")]

    for answer in answers:
        assert answer.status_code == 422
        assert answer.json["code"] == "job_too_large"
        assert str(wanted) in answer.json["detail"]
        assert str(wanted - 1) in answer.json["detail"]
    body["params"]["steps"] = 2
    assert client.post("/v1/jobs", json=body).status_code == 202


def test_the_backlog_is_the_work_of_what_is_queued(services):
    """Work comes into the backlog with a job and with a batch's, and leaves it when they are canceled."""
    params = DreamParams(octaves=2, steps=3)
    picture = services.pictures.look_at(png(123, 97))
    jobs = [services.jobs.create(picture, params) for _ in range(3)]
    batch = services.batches.create(
        BatchSpec(params={}, sweep=Sweep(), format="png"), [BatchInput(sha256=picture.view.sha256)]
    )
    services.batches.expand(batch.id)
    batched = next(services.batches.results(batch.id)).work_s

    assert services.paces.backlog_s() == pytest.approx(3 * jobs[0].work_s + batched)
    services.jobs.cancel(jobs[0].id)
    services.batches.cancel(batch.id)
    assert services.paces.backlog_s() == pytest.approx(2 * jobs[0].work_s)
    services.jobs.retry(jobs[0].id)
    assert services.paces.backlog_s() == pytest.approx(3 * jobs[0].work_s)


def test_a_waiting_job_knows_when_it_will_be_done(client, services):
    """Before its first step a job has its own seconds to go and those of the jobs before it, shared by the workers."""
    picture = services.pictures.look_at(png(1230, 970))
    jobs = [services.jobs.create(picture, DreamParams(octaves=1, steps=9)) for _ in range(4)]
    unknown = client.get(f"/v1/jobs/{jobs[3].id}").json["progress"]["eta_s"]
    for worker in ("w1", "w2"):
        give_pace(services, worker=worker)

    etas = [client.get(f"/v1/jobs/{job.id}").json["progress"]["eta_s"] for job in jobs]

    own = 2 * jobs[0].work_s
    assert unknown is None
    assert etas == pytest.approx([own, own * 1.5, own * 2, own * 2.5], abs=0.2)


def test_a_dry_run_tells_work_time_and_cost(settings, services):
    """A batch that is only asked about tells what its jobs take together; what can't be dreamt takes nothing."""
    give_pace(services)
    client = create_app(settings.model_copy(update={"price_per_hour": 3600.0})).test_client()
    seen = [services.pictures.look_at(png(*size)) for size in [(1230, 970), (640, 480), (9, 9)]]
    for picture in seen:
        services.pictures.keep(picture)
    body = {
        "inputs": [{"sha256": picture.view.sha256} for picture in seen],
        "params": {"octaves": 1},
        "sweep": {"product": {"steps": [2, 5]}},
        "dry_run": True,
    }

    plan = client.post("/v1/batches", json=body).json

    params = [DreamParams(octaves=1, steps=steps) for steps in (2, 5)]
    works = [count_work(each, size) for each in params for size in [(970, 1230), (480, 640)]]
    assert plan["jobs"] == 6
    assert plan["pixel_steps"] == 7 * (970 * 1230 + 480 * 640)
    assert plan["seconds"] == pytest.approx(2 * sum(map(REFERENCE.seconds, works)), rel=0.01)
    assert plan["cost"] == pytest.approx(plan["seconds"])


def test_a_pace_is_learnt_from_render_to_render(services):
    """The newest render moves what is known of a worker part of the way; the farm's pace is its workers' median."""
    for seconds in (10, 30):
        services.paces.learn("w1", "squeezenet:float32", seconds=seconds, work_s=10)
    services.paces.learn("w2", "squeezenet:float32", seconds=90, work_s=10)
    services.paces.learn("w3", "squeezenet:float32", seconds=80, work_s=10)

    assert services.paces.of_worker("squeezenet:float32", "w1") == pytest.approx(3**0.3, rel=1e-4)
    assert services.paces.pace("squeezenet:float32") == 8
    assert services.paces.pace("inception_v3:float32") is None


def test_a_batch_knows_when_it_will_be_done(client, services):
    """Before its first job ends a batch has its jobs' seconds to go, shared by the workers; afterwards its own pace."""
    picture = services.pictures.look_at(png(1230, 970))
    services.pictures.keep(picture)
    batch = services.batches.create(
        BatchSpec(params={"octaves": 1}, sweep=Sweep(product={"steps": [4, 8]}), format="png"),
        [BatchInput(sha256=picture.view.sha256)] * 3,
    )
    link = f"/v1/batches/{batch.id}"
    services.batches.expand(batch.id)
    unknown = client.get(link).json["eta_s"]
    for worker in ("w1", "w2"):
        give_pace(services, worker=worker)

    eta_s = client.get(link).json["eta_s"]

    work_s = sum(job.work_s for job in services.batches.results(batch.id))
    assert unknown is None
    assert eta_s == pytest.approx(2 * work_s / 2, rel=0.05)


def test_a_job_beyond_any_workers_memory_is_refused(settings, services):  # noqa: ARG001  # the store is emptied first
    """What takes several times a worker's memory is refused with both numbers; what can be tiled into it is not."""
    client = create_app(settings.model_copy(update={"memory_gb": 4.0})).test_client()
    large = {"width": 6000, "height": 6000}

    untiled, tiled = (
        client.post("/v1/estimate", json={**large, "params": {"layers": {"fire3": 1.0}, "tiling": tiling, "steps": 1}})
        for tiling in ("off", "auto")
    )

    assert untiled.status_code == 422
    assert untiled.json["code"] == "job_too_large"
    assert "4 GB" in untiled.json["detail"]
    assert tiled.status_code == 200


def test_a_batchs_guides_are_part_of_its_cost(services):
    """Matching each cell with a guide's takes longer than none."""
    give_pace(services)
    spec = BatchSpec(params={"octaves": 1, "objective": "guide-match"}, sweep=Sweep())

    alone, guided = (
        services.estimates.batch_cost(spec, [(485, 615)], guides=guides).seconds for guides in ([], [(900, 900)])
    )

    assert guided > alone > 0


def wait_of(client, **more):
    """Return the seconds and the jobs that the farm says come before one more."""
    answer = client.post("/v1/estimate", json={**ASKED, **more})
    assert answer.status_code == 200, answer.json
    return answer.json["queue_s"], answer.json["jobs_before"]


def test_a_job_that_nobody_can_do_makes_nobody_wait(client, services):
    """What needs a tag that no worker offers is before nobody, until somebody comes who offers it."""
    picture = services.pictures.look_at(png(1230, 970))
    jobs = [services.jobs.create(picture, DreamParams(octaves=1, steps=9), needs=("gpu",)) for _ in range(2)]
    give_pace(services)

    assert wait_of(client) == (0, 0)
    assert wait_of(client, needs=["gpu"]) == (None, 2)

    give_pace(services, worker="w2", tags="gpu")
    assert wait_of(client, needs=["gpu"]) == (pytest.approx(2 * 2 * jobs[0].work_s, abs=0.1), 2)


def test_an_estimate_tells_how_many_jobs_come_before(client, services):
    """Those of the owner's that go first, and as many of each other owner; their work is shared by the workers."""
    picture = services.pictures.look_at(png(1230, 970))
    params = DreamParams(octaves=1, steps=9)
    own = [services.jobs.create(picture, params, priority=priority) for priority in (0, 0, 5)]
    for worker in ("w1", "w2"):
        give_pace(services, worker=worker)
    each_s = 2 * own[0].work_s / 2

    assert wait_of(client) == (pytest.approx(3 * each_s, abs=0.1), 3)
    assert wait_of(client, priority=5) == (pytest.approx(each_s, abs=0.1), 1)
    assert wait_of(client, priority=9) == (0, 0)
    services.jobs.create(picture, params, owner="somebody")
    assert wait_of(client, priority=5) == (pytest.approx(2 * each_s, abs=0.1), 2)
    assert wait_of(client)[1] == 4


def test_a_worker_that_takes_no_jobs_shortens_no_wait(client, services):
    """One that is set aside or leaves is not counted among those who share the work."""
    job = services.jobs.create(services.pictures.look_at(png(1230, 970)), DreamParams(octaves=1, steps=9))
    for worker in ("w1", "w2"):
        give_pace(services, worker=worker)
    services.workers.drain_alive("w2")

    assert wait_of(client) == (pytest.approx(2 * job.work_s, abs=0.1), 1)


def test_the_work_that_waits_is_known_by_what_it_needs(services):
    """It comes with a job, leaves with it, and nothing stays behind."""
    picture = services.pictures.look_at(png(123, 97))
    jobs = [services.jobs.create(picture, DreamParams(octaves=1), needs=needs) for needs in ((), ("gpu",))]

    assert services.line.work_s() == {"": pytest.approx(jobs[0].work_s), "gpu": pytest.approx(jobs[1].work_s)}
    services.jobs.cancel(jobs[1].id)
    assert services.line.work_s() == {"": pytest.approx(jobs[0].work_s)}
    services.jobs.retry(jobs[1].id)
    for job in jobs:
        services.jobs.cancel(job.id)
    assert services.line.work_s() == {}


def test_guides_and_a_sweep_are_part_of_an_estimate(client, services):
    """Matching a guide takes longer than none; a sweep takes what its points take, each by its own parameters."""
    give_pace(services)
    large = {"width": 615, "height": 485, "params": {"octaves": 1, "objective": "guide-match", "steps": 4}}
    guides = [{"width": 900, "height": 900}]

    alone = client.post("/v1/estimate", json=large).json
    guided = client.post("/v1/estimate", json={**large, "guides": guides}).json
    sweep = {"product": {"steps": [4, 8, 12]}}
    swept = client.post("/v1/estimate", json={**large, "guides": guides, "sweep": sweep}).json

    assert guided["seconds"] > alone["seconds"] > 0
    assert (guided["sweep_seconds"], swept["seconds"]) == (None, guided["seconds"])
    assert swept["sweep_seconds"] == pytest.approx(6 * guided["seconds"], rel=0.05)


@pytest.mark.parametrize(
    "sweep",
    [
        pytest.param({"product": {"steps": [1, 0]}}, id="a value out of bounds"),
        pytest.param({"product": {"zoom.scale": [1.1]}}, id="a film's, of a picture"),
        pytest.param({"product": {"steps": [*range(1, 401)], "seed": [*range(400)]}}, id="too many points"),
    ],
)
def test_a_wrong_sweep_is_refused_by_an_estimate(client, sweep):
    """As a batch would refuse it."""
    assert_problem(client.post("/v1/estimate", json={**ASKED, "sweep": sweep}), 400, "invalid_request")
