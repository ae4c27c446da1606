"""What owners, scopes and a farm without keys open; the table of all routes is `test_access_table.py`."""

from __future__ import annotations

import pytest
from ulid import ULID

from api.app import create_app
from dreamcore.params import DreamParams
from farm.account_schema import Scope
from farm.batch_store import BatchInput, BatchSpec
from tests.contract.answers import watching
from tests.support import assert_problem, picture, submit


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
