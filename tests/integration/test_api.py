"""The api on real servers, without a worker: what it stores, sends and answers."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import threading

import pytest

from api.app import create_app
from farm import change, keys
from farm.change import Fence
from farm.queue import QUEUE
from farm.schema import EventView, JobView, ProgressView
from farm.states import JobState
from tests.support import assert_problem, picture, submit

FENCE = Fence(attempt=1, token="t")
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "made"}'


def accepted(answer):
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return JobView.model_validate(answer.json)


def finish(services, job_id):
    services.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=5000))
    done = ProgressView(fraction=1).model_dump_json()
    services.store.apply(change.succeed(job_id, FENCE, output=OUTPUT, progress=done))


def sse(answer):
    """Return (id, EventView) of each event in a stream."""
    blocks = [block for block in answer.get_data(as_text=True).split("\n\n") if "data: " in block]
    fields = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [(one["id"], EventView.model_validate_json(one["data"])) for one in fields]


def test_a_submitted_job_is_recorded_and_told(client, services):
    """The picture is stored under its hash, the record is queued, and the message says nothing of it."""
    services.dispatch.beat("w", ())
    answer = submit(client, picture(), params={"steps": 7}, tags=["sky", "sky"], name="cloud")
    job = accepted(answer)

    assert answer.headers["Location"] == f"/v1/jobs/{job.id}"
    assert (job.state, job.params["steps"], job.tags, job.name) == (JobState.QUEUED, 7, ["sky"], "cloud")
    assert services.storage.get(keys.picture(job.input.sha256)) == picture()
    [message] = services.store.redis.lrange(QUEUE, 0, -1)
    arguments, keywords, _ = json.loads(base64.b64decode(json.loads(message)["body"]))
    assert (arguments, keywords) == ([], {})


def test_a_job_says_how_urgent_it_is_and_what_it_needs(client):
    """In a form as in JSON; what is out of bounds is refused by name."""
    job = accepted(submit(client, picture(), priority=9, needs="large, gpu"))
    body = {"image": {"sha256": job.input.sha256}, "priority": 3, "needs": ["gpu"]}
    other = accepted(client.post("/v1/jobs", json=body))

    assert [(one.priority, one.needs) for one in (job, other)] == [(9, ["gpu", "large"]), (3, ["gpu"])]
    for wrong in ({"priority": 10}, {"needs": ["GPU"]}, {"needs": list("abcdefghi")}):
        [field] = wrong
        problem = assert_problem(client.post("/v1/jobs", json=body | wrong), 400, "invalid_request")
        assert problem["errors"][0]["pointer"].startswith(f"/{field}")


def test_the_parameters_shown_are_complete(client):
    """What was left out is filled in, so that a job tells all that its picture depends on."""
    job = accepted(submit(client, picture(320, 240), params={"profile": "keras", "model": "squeezenet"}))

    assert (job.params["steps"], job.params["max_loss"], job.params["octaves"]) == (20, 15, 3)
    assert set(job.params["layers"]) == {"fire8", "fire9"}


def test_guides_and_a_mask_are_stored_with_their_job(client, services):
    """All pictures are kept in their order, each under its own hash; as JSON their hashes make the same job."""
    guides = [picture(seed=1), picture(64, 64, seed=2)]
    data = {
        "image": (io.BytesIO(picture()), "a.png"),
        "guide": [(io.BytesIO(each), "b.png") for each in guides],
        "mask": (io.BytesIO(picture(seed=3)), "c.png"),
        "params": json.dumps({"objective": "guide-match"}),
    }
    job = accepted(client.post("/v1/jobs", data=data, content_type="multipart/form-data"))

    assert [guide.sha256 for guide in job.guides] == [hashlib.sha256(each).hexdigest() for each in guides]
    assert len({job.input.sha256, *(each.sha256 for each in (*job.guides, *job.masks))}) == 4
    assert all(services.storage.exists(keys.picture(each.sha256)) for each in (*job.guides, *job.masks))
    body = {
        "image": {"sha256": job.input.sha256},
        "guide": [{"sha256": guide.sha256} for guide in job.guides],
        "mask": {"sha256": job.masks[0].sha256},
        "params": {"objective": "guide-match"},
    }
    again = accepted(client.post("/v1/jobs", json=body))
    assert (again.input, again.guides, again.masks, again.params) == (job.input, job.guides, job.masks, job.params)


@pytest.mark.parametrize(
    ("fields", "params", "code"),
    [
        pytest.param({"mask": picture(97, 80)}, {}, "mask_mismatch", id="a mask of another size"),
        pytest.param({}, {"terms": [{"layer": "fire8", "mask": 0}]}, "mask_mismatch", id="a mask that isn't there"),
        pytest.param({"guide": picture()}, {}, "guide_mismatch", id="an idle guide"),
        pytest.param({"guide": picture(20, 64)}, {"objective": "guide-match"}, "guide_mismatch", id="a small guide"),
        pytest.param({}, {"terms": [{"class_name": "goldfisch"}]}, "invalid_request", id="no such class"),
        pytest.param({}, {"layers": {"fire8": 1}, "terms": [{"layer": "fire4"}]}, "invalid_request", id="both"),
    ],
)
def test_companions_and_terms_that_go_wrong_are_refused_at_once(client, services, fields, params, code):
    """Nothing is queued where guides, masks and terms don't go together; the problem has its own code."""
    files = {name: (io.BytesIO(data), "x.png") for name, data in fields.items()}
    data = {"image": (io.BytesIO(picture()), "a.png"), "params": json.dumps(params), **files}

    answer = client.post("/v1/jobs", data=data, content_type="multipart/form-data")

    assert_problem(answer, 400, code)
    assert services.store.redis.exists(keys.lane("local")) == 0


def test_a_stored_picture_can_be_dreamt_again(client):
    """A job names a picture by its hash; an unknown hash is refused."""
    first = accepted(submit(client, picture()))
    image = {"sha256": first.input.sha256}

    again = accepted(client.post("/v1/jobs", json={"image": image}))

    assert again.input == first.input
    missing = client.post("/v1/jobs", json={"image": {"sha256": "f" * 64}})
    assert "f" * 64 in assert_problem(missing, 400, "bad_picture")["detail"]


def test_a_guide_objective_needs_a_guide(client):
    """A dream that follows a guide can't be queued without one."""
    assert_problem(submit(client, picture(), params={"objective": "guide-dot"}), 400, "guide_mismatch")


def test_jobs_are_paged(client):
    """Each page names the next; together they hold every job once, newest first, or oldest first where asked."""
    ids = [accepted(submit(client, picture())).id for _ in range(5)]

    first = client.get("/v1/jobs?limit=3").json
    second = client.get(f"/v1/jobs?limit=3&cursor={first['next_cursor']}").json

    assert [job["id"] for job in first["jobs"] + second["jobs"]] == ids[::-1]
    assert second["next_cursor"] is None
    begun = client.get("/v1/jobs?limit=3&order=oldest").json
    assert [job["id"] for job in begun["jobs"]] == ids[:3]
    assert begun["next_cursor"] == ids[2]
    assert_problem(client.get("/v1/jobs?order=next"), 400, "invalid_request")


def test_canceling_is_safe_to_repeat_until_the_job_has_finished(client, services):
    """Twice is as good as once; a finished job is a conflict; an unknown one is not found."""
    job = accepted(submit(client, picture()))
    assert accepted(client.post(f"/v1/jobs/{job.id}/cancel")).state is JobState.CANCELED
    assert accepted(client.post(f"/v1/jobs/{job.id}/cancel")).state is JobState.CANCELED

    done = accepted(submit(client, picture()))
    finish(services, done.id)

    assert_problem(client.post(f"/v1/jobs/{done.id}/cancel"), 409, "job_finished")
    assert_problem(client.post("/v1/jobs/01ARZ3NDEKTSV4RRFFQ69G5FAV/cancel"), 404, "not_found")


def test_a_retry_waits_like_any_other_under_its_own_number(client, services):
    """A canceled job is queued again; a job that is queued already is left alone."""
    job = accepted(submit(client, picture()))
    client.post(f"/v1/jobs/{job.id}/cancel")

    assert accepted(client.post(f"/v1/jobs/{job.id}/retry")).state is JobState.QUEUED
    assert accepted(client.post(f"/v1/jobs/{job.id}/retry")).state is JobState.QUEUED

    claims = [*services.dispatch.claim("w", lease_ms=5000), *services.dispatch.claim("w", lease_ms=5000)]
    assert [(claim.job.id, claim.fence.attempt) for claim in claims] == [(job.id, 2)]


def test_a_succeeded_job_is_not_retried(client, services):
    """There is nothing to try again."""
    job = accepted(submit(client, picture()))
    finish(services, job.id)

    assert_problem(client.post(f"/v1/jobs/{job.id}/retry"), 409, "wrong_state")


def test_a_deleted_job_is_gone_with_its_blobs(client, services):
    """Record and blobs go, the shared input stays, and an active job is canceled first."""
    job = accepted(submit(client, picture()))
    services.storage.put(keys.preview(job.id, 1), b"x", content_type="image/jpeg")

    assert client.delete(f"/v1/jobs/{job.id}").status_code == 204

    assert_problem(client.get(f"/v1/jobs/{job.id}"), 404, "not_found")
    assert_problem(client.delete(f"/v1/jobs/{job.id}"), 404, "not_found")
    assert not services.storage.exists(keys.preview(job.id, 1))
    assert services.storage.exists(keys.picture(job.input.sha256))


def test_a_result_is_a_link_once_there_is_one(client, services):
    """Before, it is a conflict that says how the job stands; after, a redirect to the store."""
    job = accepted(submit(client, picture()))
    assert "queued" in assert_problem(client.get(f"/v1/jobs/{job.id}/result"), 409, "no_result")["detail"]

    finish(services, job.id)

    answer = client.get(f"/v1/jobs/{job.id}/result")
    assert answer.status_code == 302
    assert "made" in answer.headers["Location"]
    assert client.get(f"/v1/jobs/{job.id}").json["links"]["result"] == f"/v1/jobs/{job.id}/result"


@pytest.mark.parametrize("path", ["preview", "octaves/1"])
def test_a_preview_that_is_not_there_is_not_found(client, path):
    """A job without a finished octave has no preview."""
    job = accepted(submit(client, picture()))

    assert_problem(client.get(f"/v1/jobs/{job.id}/{path}"), 404, "not_found")


def test_events_end_with_the_job(client, services):
    """A stream tells each change in order, and closes when the job has come to rest."""
    job = accepted(submit(client, picture()))
    threading.Timer(0.3, finish, (services, job.id)).start()

    events = sse(client.get(f"/v1/jobs/{job.id}/events"))

    assert [event.state for _, event in events] == [JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED]


def test_a_reader_that_comes_back_gets_what_it_missed(client, services):
    """`Last-Event-ID` replays from there on."""
    job = accepted(submit(client, picture()))
    finish(services, job.id)
    (first, _), *rest = sse(client.get(f"/v1/jobs/{job.id}/events"))

    replayed = sse(client.get(f"/v1/jobs/{job.id}/events", headers={"Last-Event-ID": first}))

    assert replayed == rest


def test_a_reader_that_has_seen_the_end_is_told_so(client, services):
    """Coming back after the last event answers at once, and ends a browser's attempts."""
    job = accepted(submit(client, picture()))
    finish(services, job.id)
    *_, (last, _) = sse(client.get(f"/v1/jobs/{job.id}/events"))

    assert client.get(f"/v1/jobs/{job.id}/events", headers={"Last-Event-ID": last}).status_code == 204


def test_an_end_long_past_is_still_told(client, services):
    """After a job is tidied up after, a reader gets its last event, once."""
    job = accepted(submit(client, picture()))
    finish(services, job.id)
    services.jobs.tidy(job.id)
    path = f"/v1/jobs/{job.id}/events"

    [(last, event)] = sse(client.get(path))

    assert (event.state, event.seq) == (JobState.SUCCEEDED, services.store.get(job.id).seq)
    assert client.get(path, headers={"Last-Event-ID": last}).status_code == 204


def test_streams_are_bounded(settings, services):
    """One reader more than allowed is told to poll, and a reader that leaves makes room."""
    client = create_app(settings.model_copy(update={"max_event_streams": 1})).test_client()
    job = accepted(submit(client, picture()))
    path = f"/v1/jobs/{job.id}/events"

    with client.get(path, buffered=False) as first:
        assert first.status_code == 200
        assert_problem(client.get(path), 429, "too_many_streams")
    finish(services, job.id)

    assert client.get(path).status_code == 200


def test_a_farm_with_its_servers_is_ready(client):
    """Readiness asks Redis and the object store."""
    assert client.get("/readyz").status_code == 200
