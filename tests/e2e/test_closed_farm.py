"""A whole farm behind a password and TLS: it works, bad messages harm nothing, and no secret gets out of it."""

from __future__ import annotations

import contextlib
import json
import os
import re

import httpx2
import pytest

from dreamfarm.client import Farm
from farm import keys
from farm.account_schema import Scope
from farm.queue import QUEUE, RENDER_TASK, make_celery
from farm.states import JobState
from tests.e2e.closed import PASSWORD, ClosedStack
from tests.support import picture, until
from tests.web import Site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

IN_A_URL = "t0ken-in-an-address-0123456789"
SHORT = {"octaves": 1, "steps": 1}
HOSTILE_NAME = 'a"; filename="evil.html'


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    with ClosedStack(tmp_path_factory.mktemp("farm") / "closed") as running:
        running.wait_for_workers()
        yield running


@pytest.fixture(scope="module")
def services(stack):
    return stack.services()


@pytest.fixture(scope="module")
def key(services):
    return services.api_keys.create("ada", list(Scope))[1]


@pytest.fixture
def farm(stack, key):
    with Farm(stack.api_url, key=key) as client:
        yield client


@pytest.fixture
def hooks():
    """A server that wants no webhooks."""
    with Site() as running:
        running.statuses += [500] * 99
        yield running


def dreamt(farm, seed=0, **fields):
    return farm.wait(farm.submit(picture(seed=seed), params={**SHORT, "seed": seed}, **fields).id)


def test_a_job_goes_through_it(farm, tmp_path):
    """From the client to the result: api, queue, worker and its child reach Redis and S3 by TLS alone."""
    job = dreamt(farm, name=HOSTILE_NAME)

    assert job.state is JobState.SUCCEEDED, job.error
    assert farm.download_result(job.id, tmp_path / "dream.png").read_bytes()[:4] == b"\x89PNG"


class Pickled:
    """Runs a command when it is read."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return (os.system, (f"touch {self.marker}",))


def hostile_messages(app, marker):
    """Return what puts each bad message into the workers' queue."""
    task = {"lang": "py", "task": RENDER_TASK, "id": "1", "argsrepr": "", "kwargsrepr": ""}
    options = {"routing_key": QUEUE, "exchange": ""}
    yaml = f"!!python/object/apply:os.system ['touch {marker}']"
    return {
        "pickle": lambda to: to.publish(Pickled(marker), serializer="pickle", headers=task, **options),
        "yaml": lambda to: to.publish(
            yaml, content_type="application/x-yaml", content_encoding="utf-8", headers=task, **options
        ),
        "pickle-called-json": lambda to: to.publish(
            b"\x80\x04cos\nsystem\n.",
            content_type="application/json",
            content_encoding="binary",
            headers=task,
            **options,
        ),
        "unknown-task": lambda _: app.send_task("os.system", args=[f"touch {marker}"], queue=QUEUE),
        "celerys-own-task": lambda _: app.send_task("celery.map", args=["os.system", [f"touch {marker}"]], queue=QUEUE),
        "wrong-arguments": lambda _: app.send_task(RENDER_TASK, args=[1, {"a": 2}], queue=QUEUE),
        "in-an-hour": lambda _: app.send_task(RENDER_TASK, countdown=3600, queue=QUEUE),
        "a-command": lambda _: app.control.shutdown(),
        "wrong-names": lambda _: app.send_task(RENDER_TASK, kwargs={"job": "../x", "self": 1}, queue=QUEUE),
        "no-task": lambda to: to.publish({"hello": "worker"}, serializer="json", **options),
        "a-list-of-nothing": lambda to: to.publish([None, 7, []], serializer="json", headers=task, **options),
        "deep": lambda to: to.publish(
            "[" * 50_000, content_type="application/json", content_encoding="utf-8", headers=task, **options
        ),
    }


def test_bad_messages_harm_nothing(stack, services, farm, tmp_path):
    """What is no JSON is not read, what is no task of the farm not run; the same worker goes on to the next job."""
    dreamt(farm)
    marker, redis = tmp_path / "marker", services.store.redis
    before = [child.pid for child in stack.workers]
    app = make_celery(stack.servers.settings())
    with app.connection_for_write() as connection:
        producer = app.amqp.Producer(connection.channel(), auto_declare=False)
        for send in hostile_messages(app, marker).values():
            send(producer)
    until(lambda: redis.llen(QUEUE) == 0)

    assert dreamt(farm, seed=1).state is JobState.SUCCEEDED
    assert not marker.exists()
    assert [child.pid for child in stack.workers] == before
    assert all(child.is_running() for child in stack.workers)
    log = stack.logs()["worker-1.log"]
    for refusal in ("Refusing to deserialize", "unregistered task of type 'os.system'", "takes 1 positional argument"):
        assert refusal in log, refusal


def visited(stack, services, key, hooks):
    """Lead every secret through what goes well and what doesn't; return the secrets, and all answers."""
    told, client = {}, httpx2.Client(base_url=stack.api_url, trust_env=False)
    bearer = {"Authorization": f"Bearer {key}"}
    wrong = services.api_keys.create("eve", [Scope.READ])[1]
    services.api_keys.revoke(wrong[3:29])

    def call(method, path, **options):
        answer = client.request(method, path, **{"headers": bearer, **options})
        told[f"{method} {path} {len(told)}"] = answer.text
        return answer

    client.post("/v1/session", json={"key": key}, headers={"Sec-Fetch-Site": "same-origin"}).raise_for_status()
    cookie = client.cookies["dreamfarm_session"]
    client.cookies.clear()
    made = client.post("/v1/webhooks", json={"url": hooks.url(f"?token={IN_A_URL}")}, headers=bearer).json()
    call("GET", "/v1/jobs", headers={"Cookie": f"dreamfarm_session={cookie}"})
    call("GET", "/v1/jobs", headers={"Authorization": f"Bearer {wrong}"})
    call("POST", "/v1/session", json={"key": wrong}, headers={"Sec-Fetch-Site": "same-origin"})
    call("POST", "/v1/session", json={"key": {"is": wrong}}, headers={"Sec-Fetch-Site": "same-origin"})
    image = f"http://ada:{IN_A_URL}@127.0.0.1:{stack.collector.port}/status/500?X-Amz-Signature={'5e' * 32}"
    call("POST", "/v1/jobs", json={"image": {"url": image}})
    call("POST", "/v1/batches", json={"inputs": [{"url": image}], "params": SHORT})
    links = [call_for_link(client, bearer, job) for job in jobs_dreamt(stack, key)]
    signatures = re.findall(r"X-Amz-Signature=(\w+)", " ".join(links))
    with outage(stack):
        call("GET", "/v1/pictures/" + "0" * 64)
        call("POST", "/v1/jobs", files={"image": ("a.png", picture(seed=5))}, data={"params": json.dumps(SHORT)})
    for path in ("/metrics", "/v1/audit", "/v1/workers", "/v1/jobs", "/v1/batches", "/v1/keys", "/v1/webhooks"):
        call("GET", path)
    call("GET", f"/v1/webhooks/{made['id']}/deliveries")
    secrets = {
        "redis-password": PASSWORD,
        "s3-secret": stack.servers.credentials["secret_access_key"],
        "key": key[30:],
        "revoked-key": wrong[30:],
        "session": cookie,
        "webhook-secret": made["secret"].removeprefix("whsec_"),
        "in-an-address": IN_A_URL,
        **{f"signature-{number}": text for number, text in enumerate(signatures)},
    }
    return secrets, told


def jobs_dreamt(stack, key):
    with Farm(stack.api_url, key=key) as farm:
        return [dreamt(farm, seed=seed).id for seed in (7, 8)]


def call_for_link(client, bearer, job):
    return client.get(f"/v1/jobs/{job}/result", headers=bearer).headers["Location"]


@contextlib.contextmanager
def outage(stack):
    """Take S3 and then Redis away for a moment, while others ask for them."""
    stack.s3_link.cut()
    yield
    stack.redis_link.reset()
    stack.s3_link.heal()


def stored(services):
    """Return each job as Redis and S3 keep it: its record, its result with the recipe inside, what is beside it."""
    redis = services.store.redis
    records = {key: json.dumps(redis.hgetall(key)) for key in redis.keys(keys.job("*")) if redis.type(key) == "hash"}
    objects = {name: services.storage.get(name).decode("latin-1") for name in services.storage.names("jobs/")}
    return records | objects


def test_no_secret_gets_out(stack, services, key, hooks):
    """Logs, answers, metrics, audit, traces, records and results are searched for each, and for links' signatures."""
    secrets, told = visited(stack, services, key, hooks)
    until(lambda: "webhook_failed" in stack.logs()["worker-1.log"])
    until(stack.collector.spans)
    traces = {f"trace {number}": body.decode("latin-1") for number, (_, body) in enumerate(stack.collector.posted)}
    places = {**stack.logs(), **told, **stored(services), **traces}

    found = [(name, place) for place, text in places.items() for name, secret in secrets.items() if secret in text]
    own = {("in-an-address", place) for place in told if "/v1/webhooks" in place}  # its owner sees where it goes
    assert sorted(set(found) - own) == []
    assert not [place for place, text in stack.logs().items() if "Authorization" in text]
    assert "job_accepted" in places["api.log"]
    assert len(secrets) >= 9
