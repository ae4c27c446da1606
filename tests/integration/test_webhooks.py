"""Webhooks to a real receiver, whose signatures another library checks."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from standardwebhooks import Webhook, WebhookVerificationError
from ulid import ULID

from api.app import create_app
from farm import change, keys
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from farm.change import Fence
from farm.record import JobSpec
from farm.relay import Relay
from farm.schema import ErrorView, PictureView, ProgressView
from farm.services import Services
from tests.contract.answers import watching
from tests.support import assert_problem, picture, until

ERROR = ErrorView(code="boom", message="It broke.").model_dump_json()
OUTPUT = '{"format": "png", "sha256": "0", "bytes": 1, "width": 8, "height": 8, "key": "k"}'


@pytest.fixture
def private(settings):
    """Return the settings of a farm that may call its own machine."""
    return settings.model_copy(update={"allowed_networks": [ip_network("127.0.0.0/8")], "fetch_timeout_s": 2})


@pytest.fixture
def farm(private, services):  # noqa: ARG001  # the store is emptied first
    return Services.connect(private)


@pytest.fixture
def client(private, services):  # noqa: ARG001  # the store is emptied first
    with watching(create_app(private)) as watched:
        yield watched


@pytest.fixture
def relay(farm):
    """Return a relay that tries again at once."""
    return Relay(farm.webhooks, farm.store, farm.batches.store, farm.outbound, retry_after_s=[0, 0])


def add(client, url, **fields):
    answer = client.post("/v1/webhooks", json={"url": url, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json


def new_job(farm, owner="local"):
    spec = JobSpec(owner=owner, params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    return farm.store.create(str(ULID()), spec, ProgressView(octaves=1, steps=1)).id


def end(farm, job_id, *, well=True):
    farm.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=10_000))
    ended = change.succeed(job_id, Fence(1, "t"), output=OUTPUT, progress=ProgressView().model_dump_json())
    farm.store.apply(ended if well else change.fail(job_id, Fence(1, "t"), error=ERROR))


def deliveries(client, hook):
    return client.get(f"/v1/webhooks/{hook['id']}/deliveries").json["deliveries"]


def pending(farm):
    return farm.webhooks.redis.zcard(keys.DUE)


def relay_all(farm, relay):
    relay.round()
    while pending(farm):
        relay.round()


def test_an_endpoint_that_fails_first_is_told_all_the_same(client, farm, relay, site):
    """After a 500 the same message comes again, signed so that the receiver's library takes it."""
    site.statuses[:] = [500]
    hook = add(client, site.url("hook"))
    job_id = new_job(farm)
    end(farm, job_id)

    relay_all(farm, relay)

    told = [Webhook(hook["secret"]).verify(body, headers) for headers, body in site.posted]
    assert len(told) == 2
    assert told[0] == told[1]
    assert (told[1]["type"], told[1]["data"]["id"], told[1]["data"]["state"]) == ("job.succeeded", job_id, "succeeded")
    assert len({headers["webhook-id"] for headers, _ in site.posted}) == 1
    [delivery] = deliveries(client, hook)
    assert (delivery["state"], [one["status"] for one in delivery["attempts"]]) == ("delivered", [500, 200])


def test_a_forged_message_is_found_out(client, farm, relay, site):
    """Neither another body nor another secret fits the signature."""
    hook = add(client, site.url("hook"))
    other = add(client, site.url("hook"))
    end(farm, new_job(farm))
    relay_all(farm, relay)

    mine = [pair for pair in site.posted if pair[0]["webhook-id"].endswith(hook["id"])]
    [(headers, body)] = mine
    for secret, text in ((hook["secret"], body + b" "), (other["secret"], body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(text, headers)


def test_each_end_of_a_job_is_an_event(client, farm, relay, site):
    """What ends well, badly and by wish; what only moves is none."""
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    end(farm, new_job(farm), well=False)
    farm.jobs.cancel(new_job(farm))
    relay_all(farm, relay)

    told = {one["type"]: one["body"]["data"] for one in deliveries(client, hook)}
    assert set(told) == {"job.succeeded", "job.failed", "job.canceled"}
    assert told["job.failed"]["error"]["code"] == "boom"


def test_only_what_was_asked_for_is_told(client, farm, relay, site):
    """An endpoint names its events."""
    hook = add(client, site.url("hook"), events=["job.failed"])
    end(farm, new_job(farm))
    relay_all(farm, relay)

    assert (deliveries(client, hook), site.posted) == ([], [])


def test_a_batch_is_finished_once(client, farm, relay, site):
    """With its last job, be it one that never could be dreamt."""
    seen = farm.pictures.look_at(picture())
    farm.pictures.keep(seen)
    hook = add(client, site.url("hook"), events=["batch.finished"])
    inputs = [BatchInput(sha256=seen.view.sha256), BatchInput(sha256="1" * 64), BatchInput(sha256=seen.view.sha256)]
    batch = farm.batches.create(BatchSpec(params={"octaves": 1}), inputs)
    bad = farm.batches.create(BatchSpec(), [BatchInput(sha256="1" * 64)])
    farm.batches.expand(batch.id)
    farm.batches.expand(bad.id)
    for job in list(farm.batches.results(batch.id))[::2]:
        end(farm, job.id)
    relay_all(farm, relay)

    told = [one["body"]["data"] for one in deliveries(client, hook)]
    assert sorted(one["id"] for one in told) == sorted([batch.id, bad.id])
    assert {one["id"]: one["counts"]["failed"] for one in told} == {batch.id: 1, bad.id: 1}


@pytest.mark.parametrize("made", [0, 1, 2, 3])
def test_a_canceled_batch_is_finished_once(client, farm, relay, site, made):
    """However many of its jobs were made, whether they wait or have ended, and however often it is canceled."""
    seen = farm.pictures.look_at(picture())
    farm.pictures.keep(seen)
    hook = add(client, site.url("hook"), events=["batch.finished"])
    batch = farm.batches.create(BatchSpec(params={"octaves": 1}), [BatchInput(sha256=seen.view.sha256)] * 3)
    farm.batches.chunk = max(made, 1)
    if made:
        farm.batches.expand(batch.id)
    for job in list(farm.batches.results(batch.id))[: 2 if made < 3 else 1]:
        end(farm, job.id)

    for _ in range(2):
        assert client.post(f"/v1/batches/{batch.id}/cancel").json["state"] == "finished"
    relay_all(farm, relay)

    [told] = [one["body"]["data"] for one in deliveries(client, hook)]
    assert (told["id"], told["total"], sum(told["counts"].values())) == (batch.id, 3, 3)


def test_a_batch_that_has_ended_is_not_finished_again(farm):
    """Canceling it changes nothing, and tells nobody."""
    batch = farm.batches.create(BatchSpec(), [BatchInput(sha256="1" * 64)])
    farm.batches.expand(batch.id)
    farm.webhooks.create("local", "https://8.8.8.8/", ["batch.finished"])

    farm.batches.cancel(batch.id)

    assert farm.webhooks.outbox(10) == []


def test_an_event_outlives_the_process_that_made_it(client, farm, site):
    """It is noted with the change itself, and delivered by whoever comes next."""
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    assert len(farm.webhooks.outbox(10)) == 1

    until(lambda: (farm.relay.round(), deliveries(client, hook))[1], seconds=10)

    assert farm.webhooks.outbox(10) == []
    assert deliveries(client, hook)[0]["state"] == "delivered"


def test_no_endpoint_no_note(farm):
    """Who asks for nothing costs nothing."""
    end(farm, new_job(farm))

    assert farm.webhooks.outbox(10) == []


def test_an_endpoint_that_never_answers_is_disabled_and_says_why(client, farm, relay, site):
    """After the last try; later events make no deliveries."""
    site.statuses[:] = [503] * 3
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    relay_all(farm, relay)

    [delivery] = deliveries(client, hook)
    assert (delivery["state"], len(delivery["attempts"])) == ("failed", 3)
    assert "503" in client.get(f"/v1/webhooks/{hook['id']}").json["disabled"]
    end(farm, new_job(farm))
    relay_all(farm, relay)
    assert len(site.posted) == 3
    replay = client.post(f"/v1/webhooks/{hook['id']}/deliveries/{delivery['id']}/replay")
    assert_problem(replay, 409, "webhook_disabled")


def test_an_endpoint_that_wants_no_more_is_disabled(client, farm, relay, site):
    """By answering 410, at once."""
    site.statuses[:] = [410]
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    relay_all(farm, relay)

    assert "410" in client.get(f"/v1/webhooks/{hook['id']}").json["disabled"]
    assert len(site.posted) == 1


def test_redirects_are_not_followed(client, farm, relay, site):
    """A redirect is a failure."""
    site.statuses[:] = [302]
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    relay_all(farm, relay)

    assert [one["status"] for one in deliveries(client, hook)[0]["attempts"]] == [302, 200]


def test_a_delivery_can_be_replayed(client, farm, relay, site):
    """The receiver gets the same message under the same id."""
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    relay_all(farm, relay)
    [delivery] = deliveries(client, hook)

    answer = client.post(f"/v1/webhooks/{hook['id']}/deliveries/{delivery['id']}/replay")
    assert (answer.status_code, answer.json["state"]) == (202, "pending")
    relay_all(farm, relay)

    assert [body for _, body in site.posted] == [site.posted[0][1]] * 2
    assert len({headers["webhook-id"] for headers, _ in site.posted}) == 1
    assert client.post(f"/v1/webhooks/{hook['id']}/deliveries/none/replay").status_code == 404


def test_a_removed_endpoint_is_told_nothing(client, farm, relay, site):
    """What waited for it is dropped."""
    hook = add(client, site.url("hook"))
    end(farm, new_job(farm))
    assert client.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    relay_all(farm, relay)

    assert (site.posted, client.get("/v1/webhooks").json["webhooks"]) == ([], [])
    assert client.get(f"/v1/webhooks/{hook['id']}").status_code == 404


def test_the_secret_is_shown_once(client, site):
    """Neither the list nor the endpoint itself has it."""
    hook = add(client, site.url("hook"))

    for path in ("/v1/webhooks", f"/v1/webhooks/{hook['id']}"):
        assert hook["secret"] not in client.get(path).text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        pytest.param({"url": "http://10.0.0.1/x"}, "address_refused", id="private"),
        pytest.param({"url": "ftp://a.example/x"}, "address_refused", id="ftp"),
        pytest.param({"url": "https://8.8.8.8/", "events": []}, "invalid_request", id="no-events"),
        pytest.param({"url": "https://8.8.8.8/", "events": ["job.born"]}, "invalid_request", id="unknown-event"),
    ],
)
def test_a_wrong_endpoint_is_not_added(client, body, code):
    """It is told at once."""
    assert_problem(client.post("/v1/webhooks", json=body), 400, code)
    assert client.get("/v1/webhooks").json["webhooks"] == []


def test_others_endpoints_are_not_found(private, farm, site):
    """Neither seen, removed nor told of another owner's jobs."""
    client = create_app(private.model_copy(update={"auth": "required"})).test_client()
    ada, bob = (
        {"Authorization": f"Bearer {farm.api_keys.create(name, [Scope.READ, Scope.SUBMIT])[1]}"}
        for name in ("ada", "bob")
    )
    hook = client.post("/v1/webhooks", json={"url": site.url("hook")}, headers=ada).json
    path = f"/v1/webhooks/{hook['id']}"

    assert client.get("/v1/webhooks", headers=bob).json["webhooks"] == []
    assert [client.get(path, headers=who).status_code for who in (ada, bob)] == [200, 404]
    assert client.delete(path, headers=bob).status_code == 404
    assert client.get(f"{path}/deliveries", headers=bob).status_code == 404
    end(farm, new_job(farm, owner="bob"))
    assert farm.webhooks.outbox(10) == []
