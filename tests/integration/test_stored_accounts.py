"""What is stored beside jobs and batches, pinned: workers, leases, events, keys, sessions, webhooks, the audit log.

Where one of these tests fails, the stored form has changed: what older workers and apis have written must still be
read, and what this version writes must be read by them. Add the new form here, and keep the old.
"""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from api.app import create_app
from farm import change, keys
from farm.account_schema import Scope, WebhookEvent
from farm.dispatch import Offer
from farm.events import STREAM_START
from farm.record import JobSpec
from farm.relay import Relay
from farm.schema import ErrorView, PictureView, ProgressView
from farm.states import JobState

ID = "01M85QP9D5D3ZDV9E0VQMK3DAK"
SECRET = "s" * 43
CARD = {
    "host": "h",
    "pid": "7",
    "version": "0.1.0",
    "tags": "gpu,big",
    "started_at": "2026-11-01T00:00:00+00:00",
    "seen_at": "2026-11-01T00:00:02+00:00",
}
ENGINE = {"device": "CPU", "library": "tensorflow 2.21", "memory_bytes": "8000000000"}
KEY = {
    "owner": "ada",
    "scopes": "read,submit",
    "name": "laptop",
    "digest": hashlib.sha256(SECRET.encode()).hexdigest(),
    "created_ms": "1795488949781",
}
HOOK = {
    "owner": "local",
    "url": "http://127.0.0.1:9/",
    "events": "job.succeeded,job.failed",
    "secret": "whsec_c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
    "created_ms": "1795488949781",
}
ENTRY = {"id": "e1", "type": "job.failed", "owner": "local", "job": ID, "batch": False, "ms": 1795488949781}
DELIVERY = {
    "webhook": ID,
    "type": "job.failed",
    "body": '{"type": "job.failed"}',
    "state": "failed",
    "created_ms": "1795488949781",
    "attempts": '[{"at": "2026-11-01T00:00:00Z", "status": 500, "error": "It answered 500.", "seconds": 0.1}]',
}
EVENT = {"seq": "2", "state": "running", "progress": ProgressView().model_dump_json(), "error": "", "previews": "1"}
AUDIT = {"owner": "ada", "key": ID, "action": "create_job", "subject": ID, "address": "192.0.2.1"}
LATER = {"mood": "later"}


@pytest.fixture
def job(services):
    """Return a job that waits."""
    spec = JobSpec(params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    return services.store.create(ID, spec, ProgressView(octaves=1, steps=1))


@pytest.fixture
def held(services, job):  # noqa: ARG001  # it is claimed
    """Return the fence of an attempt at it."""
    return services.dispatch.claim("w1", Offer(), lease_ms=5000)[0][1]


def fields_of(services, key):
    return services.store.redis.hgetall(key)


@pytest.mark.parametrize("more", [{}, LATER], ids=["as-now", "with-more"])
def test_a_card_that_another_version_wrote_is_shown(services, more):
    """Before its engine is loaded and after, whatever a later version adds."""
    redis = services.store.redis
    for name, card in {"begun": CARD, "ready": {**CARD, **ENGINE, "job": ID}}.items():
        redis.hset(keys.worker(name), mapping={**card, **more})
        redis.sadd(keys.WORKERS, name)

    begun, ready = sorted(services.workers.list(), key=lambda worker: worker.id)

    assert (begun.device, begun.state, begun.tags) == ("starting", "idle", ["gpu", "big"])
    assert (ready.device, ready.state, ready.job, ready.memory_bytes) == ("CPU", "busy", ID, 8_000_000_000)


def test_a_card_is_written_as_it_was(services):
    """Field by field, under the names that older apis know."""
    services.workers.beat("w1", {name: CARD[name] for name in CARD if name != "seen_at"})
    services.workers.note("w1", **ENGINE)

    assert set(fields_of(services, keys.worker("w1"))) == set(CARD) | set(ENGINE)
    assert services.store.redis.smembers("workers") == {"w1"}
    services.workers.drain_alive("w1")
    assert {"worker:w1:leaving", "worker:w1:draining"} <= set(services.store.redis.scan_iter())


def test_a_lease_is_its_holders_token_with_a_time_to_live(services, held):
    """Whoever has the token holds the job, of whichever version they are; an older janitor reads the time."""
    redis = services.store.redis

    assert redis.get(f"job:{ID}:lease") == held.token
    assert 0 < redis.pttl(f"job:{ID}:lease") <= 5000
    redis.set(f"job:{ID}:lease", "another", px=5000)
    assert services.store.apply(change.report(ID, held, {"previews": 1})).outcome == "stale"


def test_events_are_written_and_read_as_they_were(services, held):
    """Field by field; what another version adds is passed over."""
    redis = services.store.redis
    services.store.apply(change.fail(ID, held, error=ErrorView(code="boom", message="It broke.").model_dump_json()))
    written = [fields for _, fields in redis.xrange(f"job:{ID}:events")]
    assert {frozenset(fields) for fields in written} == {frozenset(EVENT)}
    assert [fields["state"] for fields in written] == ["queued", "running", "failed"]

    redis.delete(f"job:{ID}:events")
    redis.xadd(f"job:{ID}:events", {**EVENT, **LATER}, id="5-1")
    error = json.dumps({"code": "boom", "message": "It broke.", **LATER})
    redis.xadd(f"job:{ID}:events", {**EVENT, "seq": "3", "state": "failed", "error": error}, id="6-1")
    [events] = services.events.follow(ID, after=STREAM_START, life_s=5, pause_s=1)
    assert [(event.id, event.data.state) for event in events] == [("5-1", JobState.RUNNING), ("6-1", JobState.FAILED)]
    assert events[1].data.error.code == "boom"


@pytest.mark.parametrize("more", [{}, {**LATER, "scopes": "read,submit,levitate"}], ids=["as-now", "with-more"])
def test_a_key_that_another_version_made_opens_what_it_did(services, settings, more):
    """By a header and by the browser's session; a scope that only a later version knows opens nothing here."""
    services.store.redis.hset(f"apikey:{ID}", mapping={**KEY, **more})
    services.store.redis.zadd("apikeys", {ID: 0})
    token = f"df_{ID}_{SECRET}"

    caller = services.api_keys.authenticate(token)
    assert (caller.owner, caller.scopes) == ("ada", {Scope.READ, Scope.SUBMIT})
    assert [key.name for key in services.api_keys.list()] == ["laptop"]
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    services.store.redis.set(f"session:{hashlib.sha256(SECRET.encode()).hexdigest()}", ID)
    client.set_cookie("dreamfarm_session", SECRET)
    assert client.get("/v1/session").json["owner"] == "ada"


def test_keys_and_sessions_are_made_as_they_were(services, settings):
    """A key's fields and its text; a session by its cookie's hash, which stands for the key's id for half a day."""
    view, token = services.api_keys.create("ada", [Scope.SUBMIT, Scope.READ], name="laptop")

    assert re.fullmatch(rf"df_{view.id}_[\w-]{{43}}", token)
    found = fields_of(services, f"apikey:{view.id}")
    assert set(found) == set(KEY)
    assert (found["scopes"], found["digest"]) == ("read,submit", hashlib.sha256(token[-43:].encode()).hexdigest())
    answer = create_app(settings).test_client().post("/v1/session", json={"key": token})
    cookie = re.match(r"dreamfarm_session=([\w-]{43});", answer.headers["Set-Cookie"]).group(1)
    session = f"session:{hashlib.sha256(cookie.encode()).hexdigest()}"
    assert services.store.redis.get(session) == view.id
    assert 0 < services.store.redis.ttl(session) <= 12 * 3600


@pytest.mark.parametrize("more", [{}, {**LATER, "events": "job.dreamt,job.failed"}], ids=["as-now", "with-more"])
def test_a_webhook_that_another_version_stored_is_told(services, more):
    """Its outbox, its deliveries, its tries; an event that only a later version knows is that version's to tell."""
    redis = services.store.redis
    redis.hset(f"webhook:{ID}", mapping={**HOOK, **more})
    redis.zadd("webhooks:owner:local", {ID: 0})
    redis.hset(f"delivery:e0.{ID}", mapping={**DELIVERY, **{name: more[name] for name in more if name in LATER}})
    redis.zadd(f"webhook:{ID}:deliveries", {f"e0.{ID}": 1})
    redis.rpush("webhooks:outbox", json.dumps({**ENTRY, **LATER}))

    Relay(services.webhooks, services.store, services.batches.store, services.outbound).round()

    assert WebhookEvent.JOB_FAILED in services.webhooks.get(ID).events
    new, old = services.webhooks.deliveries(ID, limit=9)
    assert (new.id, new.type, len(new.attempts)) == (f"e1.{ID}", "job.failed", 1)
    assert (old.state, old.attempts[0].status) == ("failed", 500)


def test_webhooks_are_stored_as_they_were(services, held):
    """The endpoint, what is noted for it, and its delivery, field by field."""
    redis = services.store.redis
    hook = services.webhooks.create("local", "https://8.8.8.8/", [WebhookEvent.JOB_FAILED])
    services.store.apply(change.fail(ID, held, error=ErrorView(code="boom", message="It broke.").model_dump_json()))
    [entry] = redis.lrange("webhooks:outbox", 0, -1)
    assert set(json.loads(entry)) == set(ENTRY)
    assert set(fields_of(services, f"webhook:{hook.id}")) == set(HOOK)

    services.webhooks.enqueue(entry, [(hook.id, "job.failed", "{}")])
    delivery_id = f"{json.loads(entry)['id']}.{hook.id}"
    services.webhooks.note(delivery_id, [], state="failed", next_ms=None)
    assert set(fields_of(services, f"delivery:{delivery_id}")) == set(DELIVERY)


def test_the_audit_log_is_written_and_read_as_it_was(services):
    """Field by field; what another version adds is passed over."""
    services.audit.add(owner="ada", key_id=ID, action="create_job", subject=ID, address="192.0.2.1")
    [(_, written)] = services.store.redis.xrange("audit")
    assert written == AUDIT

    services.store.redis.xadd("audit", {**AUDIT, **LATER, "action": "levitate"})
    newest, _ = services.audit.page(limit=9)
    assert [(entry.action, entry.owner, entry.key) for entry in newest] == [
        ("levitate", "ada", ID),
        ("create_job", "ada", ID),
    ]
