"""Who may do what: every route of the api, tried with every kind of key."""

from __future__ import annotations

import re

import pytest
from ulid import ULID

from api.app import create_app
from dreamcore.params import DreamParams
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from tests.contract.answers import watching
from tests.support import assert_problem, picture, submit

PUBLIC = {"/", "/docs", "/openapi.json", "/healthz", "/readyz", "/studio/static/<path:filename>"}
PUBLIC |= {"/jobs", "/jobs/<job_id>", "/batches", "/batches/<batch_id>", "/farm", "/models", "/settings"}
PUBLIC |= {"/docs/static/<path:filename>", "/docs/swagger/<path:name>"}
SIGNING = {("POST", "/v1/session"), ("DELETE", "/v1/session")}
"""What those do who have no key yet, or none any more."""

ADMINS = {"/v1/audit", "/v1/keys", "/v1/keys/<key_id>"}
ANYBODYS = {"/v1/models/<name>"}
"""Paths that name something, which is nobody's."""


@pytest.fixture
def locked(settings, services):  # noqa: ARG001  # the store is emptied first
    return create_app(settings.model_copy(update={"auth": "required"}))


@pytest.fixture
def client(locked):
    with watching(locked) as watched:
        yield watched


def headers(services, owner, *scopes):
    return bearer(services.api_keys.create(owner, [Scope(scope) for scope in scopes])[1])


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def world(services):
    """What Ada has: a job, a batch, a picture, an upload, by the variables of paths."""
    seen = services.pictures.look_at(picture())
    job = services.jobs.create(seen, DreamParams(octaves=1), owner="ada")
    batch = services.batches.create(BatchSpec(owner="ada"), [BatchInput(sha256=seen.view.sha256)])
    upload = str(ULID())
    services.pictures.new_upload(upload, "ada")
    webhook = services.webhooks.create("ada", "https://example.org/", ["job.failed"])
    return {
        "webhook_id": webhook.id,
        "job_id": job.id,
        "batch_id": batch.id,
        "sha256": seen.view.sha256,
        "upload": upload,
        "octave": "1",
        "name": "squeezenet",
    }


def routes(app):
    """Return (method, rule) of every route that the application serves."""
    rules = [rule for rule in app.url_map.iter_rules() if rule.rule not in PUBLIC]
    found = {(method, rule.rule) for rule in rules for method in rule.methods - {"OPTIONS", "HEAD"}}
    return sorted(found - SIGNING)


def filled(rule, world):
    """Return the path of a rule about Ada's things; a variable without one stands for nothing that there is."""
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: world.get(found[1], str(ULID())), rule)


def statuses(app, world, **request):
    """Return each route's answer to such a request, `world` filling the paths."""
    client = app.test_client()
    return {
        (method, rule): client.open(filled(rule, world), method=method, **request).status_code
        for method, rule in routes(app)
    }


def test_there_are_routes_to_try(locked):
    """The table below is made of the application's own routes, and none is public but those named."""
    found = routes(locked)

    assert ("POST", "/v1/jobs") in found
    assert ("GET", "/v1/batches/<batch_id>/results.zip") in found
    assert {rule for _, rule in found} >= ADMINS
    assert all(rule.startswith(("/v1/", "/metrics")) for _, rule in found)


@pytest.mark.parametrize("kind", ["none", "nonsense", "other-scheme", "wrong-secret", "wrong-id", "revoked"])
def test_without_a_right_key_every_route_answers_401(locked, services, world, kind):
    """With one problem, a challenge, and nothing of what the path names."""
    _, right = services.api_keys.create("ada", list(Scope))
    revoked, text = services.api_keys.create("ada", list(Scope))
    services.api_keys.revoke(revoked.id)
    sent = {
        "none": {},
        "nonsense": bearer("let me in"),
        "other-scheme": {"Authorization": f"Basic {right}"},
        "wrong-secret": bearer(right[:-1] + ("A" if right[-1] != "A" else "B")),
        "wrong-id": bearer(right.replace(right[3:29], str(ULID()))),
        "revoked": bearer(text),
    }[kind]

    assert set(statuses(locked, world, headers=sent).values()) == {401}
    answer = locked.test_client().get("/v1/jobs", headers=sent)
    assert_problem(answer, 401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


def test_others_things_are_not_found(locked, services, world):
    """Every route that names a thing answers another owner as if it weren't there, or forbids it to all but admins."""
    bobs = headers(services, "bob", "read", "submit")
    absent = dict.fromkeys(("job_id", "batch_id", "upload", "webhook_id"), str(ULID())) | {"sha256": "e" * 64}

    found = statuses(locked, world, headers=bobs)
    named = {route: status for route, status in found.items() if "<" in route[1] and route[1] not in ANYBODYS | ADMINS}
    nothing = statuses(locked, world | absent, headers=bobs)

    assert {("GET", "/v1/jobs/<job_id>/result"), ("POST", "/v1/uploads/<upload>/claim")} <= named.keys()
    assert set(named.values()) <= {403, 404}
    assert {route for route, status in named.items() if status == 403} <= {
        route for route in named if not re.search(r"<(?:\w+:)?(job_id|batch_id|upload|sha256|webhook_id)>", route[1])
    }
    assert {route: nothing[route] for route in named} == named
    assert services.jobs.get(world["job_id"]).state == "queued"
    assert not services.batches.store.get(world["batch_id"]).canceled


def test_others_things_look_as_if_they_were_not_there(client, services, world):
    """The answers to a job of somebody else and to none differ in the id that they repeat, and in nothing."""
    bobs, absent = headers(services, "bob", "read"), str(ULID())

    hidden, missing = (client.get(f"/v1/jobs/{job_id}", headers=bobs) for job_id in (world["job_id"], absent))

    assert hidden.text.replace(world["job_id"], absent) == missing.text
    assert set(hidden.headers.keys()) == set(missing.headers.keys())


def test_a_key_opens_what_its_scopes_say(locked, services, world):
    """Reading doesn't change, submitting doesn't read, neither rules; the answer is 403, whatever is named."""
    reading = statuses(locked, world, headers=headers(services, "ada", "read"))
    submitting = statuses(locked, world, headers=headers(services, "ada", "submit"))

    ruled = {route for route in reading if reading[route] == submitting[route] == 403}
    assert {rule for _, rule in ruled} >= ADMINS
    for method, rule in reading.keys() - ruled:
        reads = method == "GET"
        assert (reading[method, rule] == 403) == (not reads), (method, rule)
        assert (submitting[method, rule] == 403) == reads, (method, rule)


def test_the_right_key_is_let_in_everywhere(locked, services, world):
    """Nothing is refused to an admin with a key of the owner's, whatever else a route says of the request."""
    found = statuses(locked, world, headers=headers(services, "ada", "admin"))

    assert not {route for route, status in found.items() if status in {401, 403} or status >= 500}


def test_an_admin_sees_everybodys_jobs(client, services, world):
    """And another owner's key lists none of them."""
    admins, bobs = headers(services, "root", "admin"), headers(services, "bob", "read")

    assert client.get(f"/v1/jobs/{world['job_id']}", headers=admins).json["owner"] == "ada"
    for path, kind in (("/v1/jobs", "jobs"), ("/v1/batches", "batches")):
        assert len(client.get(path, headers=admins).json[kind]) == 1
        assert client.get(path, headers=bobs).json[kind] == []
    assert client.get(f"/v1/jobs?batch={world['batch_id']}", headers=bobs).json["jobs"] == []


def test_a_picture_is_used_by_who_handed_it_in(client, services, world):
    """A SHA-256 opens nothing to somebody who never had the picture; once they hand it in too, it does."""
    bobs = headers(services, "bob", "read", "submit")
    body = {"image": {"sha256": world["sha256"]}, "params": {"octaves": 1}}

    assert_problem(client.post("/v1/jobs", json=body, headers=bobs), 400, "bad_picture")
    plan = client.post("/v1/batches", json={"inputs": [body["image"]], "dry_run": True}, headers=bobs).json
    assert plan["unusable_inputs"] == 1
    upload = {"image": {"upload": world["upload"]}, "params": {"octaves": 1}}
    assert_problem(client.post("/v1/jobs", json=upload, headers=bobs), 400, "bad_picture")

    services.jobs.create(services.pictures.look_at(picture()), DreamParams(octaves=1), owner="bob")

    made = client.post("/v1/jobs", json=body, headers=bobs)
    assert (made.status_code, made.json["owner"]) == (202, "bob")


def test_a_workers_job_is_shown_to_its_owner(client, services, world):
    """Others see that it is busy, and not with what."""
    services.workers.beat("w", {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-02T03:04:05Z"})
    services.workers.note("w", job=world["job_id"])

    def shown(owner, scope):
        [worker] = client.get("/v1/workers", headers=headers(services, owner, scope)).json["workers"]
        return worker["state"], worker["job"]

    assert shown("ada", "read") == shown("root", "admin") == ("busy", world["job_id"])
    assert shown("bob", "read") == ("busy", None)


def test_a_page_with_a_key_is_told_the_link(client, services, world):
    """Who asks for JSON gets the presigned link in the answer, as an image can't show a key on its way."""
    mine = headers(services, "ada", "read")
    path = f"/v1/jobs/{world['job_id']}/input"

    told = client.get(path, headers=mine | {"Accept": "application/json"})
    sent = client.get(path, headers=mine)

    assert told.status_code == 200
    assert told.json["url"].split("?")[0] == sent.headers["Location"].split("?")[0]
    assert (sent.status_code, told.headers["Cache-Control"]) == (302, "no-store")


@pytest.mark.parametrize(
    "stranger",
    [
        pytest.param({"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}, id="another-machine"),
        pytest.param({"headers": {"Host": "evil.example"}}, id="a-page-that-renamed-itself"),
        pytest.param({"headers": {"X-Forwarded-For": "192.0.2.7"}}, id="a-proxy"),
    ],
)
def test_a_farm_without_keys_serves_its_own_machine_alone(settings, services, stranger):  # noqa: ARG001
    """Others are told how to open it."""
    client = create_app(settings).test_client()

    assert "DREAMFARM_AUTH" in assert_problem(client.get("/v1/jobs", **stranger), 403, "forbidden")["detail"]
    for host in ("localhost", "127.0.0.1:8000", "[::1]:8000"):
        assert client.get("/v1/jobs", headers={"Host": host}).status_code == 200


def test_a_job_made_without_keys_is_nobodys_later(settings, services, client):
    """Once keys are asked for, admins alone see it."""
    job = submit(create_app(settings).test_client(), picture()).json["id"]

    assert client.get(f"/v1/jobs/{job}", headers=headers(services, "bob", "read")).status_code == 404
    assert client.get(f"/v1/jobs/{job}", headers=headers(services, "root", "admin")).status_code == 200
