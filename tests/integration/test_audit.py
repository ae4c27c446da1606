"""Every change is in the audit log, with who made it; what changes nothing isn't."""

from __future__ import annotations

import pytest
from ulid import ULID

from api.app import create_app
from farm import keys
from farm.account_schema import Scope
from farm.audit import AuditLog
from tests.contract.answers import watching
from tests.support import assert_problem, picture, submit


@pytest.fixture
def client(settings, services):  # noqa: ARG001  # the store is emptied first
    with watching(create_app(settings.model_copy(update={"auth": "required"}))) as watched:
        yield watched


@pytest.fixture
def ada(services):
    view, token = services.api_keys.create("ada", [Scope.READ, Scope.SUBMIT])
    return view.id, {"Authorization": f"Bearer {token}"}


@pytest.fixture
def root(services):
    return {"Authorization": f"Bearer {services.api_keys.create('root', [Scope.ADMIN])[1]}"}


def post(client, path, headers, **body):
    return client.post(path, headers=headers, json=body or None)


def noted(services):
    """Return (action, subject) of each change, oldest first."""
    return [(entry.action, entry.subject) for entry in services.audit.page(limit=200)[0][::-1]]


def test_every_change_is_noted(client, services, ada, root):
    """Once each, in order, by what was done to which id."""
    _, mine = ada
    sha256 = services.pictures.look_at(picture()).view.sha256
    upload = post(client, "/v1/uploads", mine).json["upload"]
    services.storage.put(keys.upload(upload), picture(), content_type="image/png")
    post(client, f"/v1/uploads/{upload}/claim", mine)
    job = post(client, "/v1/jobs", mine, image={"sha256": sha256}).json["id"]
    post(client, f"/v1/jobs/{job}/cancel", mine)
    post(client, f"/v1/jobs/{job}/retry", mine)
    client.delete(f"/v1/jobs/{job}", headers=mine)
    batch = post(client, "/v1/batches", mine, inputs=[{"sha256": sha256}]).json["id"]
    post(client, f"/v1/batches/{batch}/cancel", mine)
    post(client, f"/v1/batches/{batch}/retry-failed", mine)
    key = post(client, "/v1/keys", root, owner="bob", scopes=["read"]).json["id"]
    client.delete(f"/v1/keys/{key}", headers=root)

    assert noted(services) == [
        ("create_upload", upload),
        ("claim_upload", upload),
        ("create_job", job),
        ("cancel_job", job),
        ("retry_job", job),
        ("delete_job", job),
        ("create_batch", batch),
        ("cancel_batch", batch),
        ("retry_failed", batch),
        ("create_key", key),
        ("revoke_key", key),
    ]


def test_an_entry_tells_who_and_from_where(client, services, ada):
    """The owner, the key's id and the address, but never the key."""
    key_id, mine = ada
    batch = post(client, "/v1/batches", mine, inputs=[{"sha256": "f" * 64}]).json["id"]

    [entry] = services.audit.page(limit=9)[0]

    assert (entry.owner, entry.key, entry.address, entry.subject) == ("ada", key_id, "127.0.0.1", batch)
    assert mine["Authorization"][40:] not in repr(services.store.redis.xrange(keys.AUDIT))


def test_what_changes_nothing_is_not_noted(client, services, ada):
    """Reading, refusals, dry runs and repeats leave no entry."""
    _, mine = ada
    inputs = [{"sha256": "f" * 64}]
    once = mine | {"Idempotency-Key": "once"}
    first = post(client, "/v1/batches", once, inputs=inputs).json["id"]

    again = post(client, "/v1/batches", once, inputs=inputs)
    post(client, "/v1/batches", mine, inputs=inputs, dry_run=True)
    post(client, "/v1/batches", mine, inputs=[])
    post(client, f"/v1/jobs/{ULID()}/cancel", mine)
    post(client, "/v1/keys", mine, owner="eve", scopes=["admin"])
    client.get("/v1/jobs", headers=mine)
    client.post("/v1/jobs")

    assert again.json["id"] == first
    assert noted(services) == [("create_batch", first)]


def test_admins_read_the_log_page_by_page(client, services, ada, root):
    """Newest first, by owner or by id; nobody else reads it."""
    for number in range(5):
        services.audit.add(owner="ada", key_id=None, action="create_job", subject=f"J{number}", address=None)
    services.audit.add(owner="bob", key_id=None, action="create_job", subject="J9", address=None)

    first = client.get("/v1/audit?owner=ada&limit=3", headers=root).json
    rest = client.get(f"/v1/audit?owner=ada&limit=3&cursor={first['next_cursor']}", headers=root).json
    one = client.get("/v1/audit?subject=J9", headers=root).json

    assert [entry["subject"] for entry in first["entries"] + rest["entries"]] == ["J4", "J3", "J2", "J1", "J0"]
    assert rest["next_cursor"] is None
    assert [entry["owner"] for entry in one["entries"]] == ["bob"]
    assert_problem(client.get("/v1/audit", headers=ada[1]), 403, "forbidden")


def test_the_log_is_capped(services):
    """Old entries give way to new ones."""
    log = AuditLog(services.store.redis, kept=100)
    for number in range(500):
        log.add(owner="ada", key_id=None, action="create_job", subject=str(number), address=None)

    assert services.store.redis.xlen(keys.AUDIT) < 300
    assert log.page(limit=1)[0][0].subject == "499"


@pytest.mark.parametrize(("proxies", "address"), [(0, "127.0.0.1"), (1, "192.0.2.7")])
def test_the_address_is_the_clients_behind_trusted_proxies(settings, services, ada, proxies, address):
    """A proxy is believed if the farm is told so; what a client claims by itself isn't."""
    narrow = settings.model_copy(update={"auth": "required", "trusted_proxies": proxies})
    headers = ada[1] | {"X-Forwarded-For": "203.0.113.1, 192.0.2.7"}
    create_app(narrow).test_client().post("/v1/uploads", headers=headers)

    assert services.audit.page(limit=1)[0][0].address == address


def test_a_farm_without_keys_has_a_log_too(settings, services):
    """Its changes are the owner "local"s."""
    job = submit(create_app(settings).test_client(), picture()).json["id"]

    [entry] = services.audit.page(limit=9)[0]
    assert (entry.owner, entry.key, entry.subject) == ("local", None, job)


@pytest.mark.parametrize("cursor", ["0-0", "0-1", "1-18446744073709551614"])
def test_a_cursor_before_all_changes_finds_none(client, services, cursor):
    """Also the first of all ids, before which Redis wouldn't look."""
    admins = {"Authorization": f"Bearer {services.api_keys.create('root', [Scope.ADMIN])[1]}"}

    answer = client.get(f"/v1/audit?cursor={cursor}", headers=admins)

    assert answer.json == {"entries": [], "next_cursor": None}
