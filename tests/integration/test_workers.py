"""Workers over HTTP."""

from __future__ import annotations

from api.app import create_app
from farm.account_schema import Scope
from tests.support import assert_problem

CARD = {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00"}


def test_a_worker_is_to_leave_over_http(client, services):
    """It shows so, and the mark that it looks for with each heartbeat is set."""
    services.workers.beat("w1", CARD)

    answer = client.post("/v1/workers/w1/drain")

    assert (answer.status_code, answer.json["state"]) == (202, "draining")
    assert client.get("/v1/workers").json["workers"][0]["state"] == "draining"
    assert services.workers.is_to_leave("w1")
    assert not services.workers.is_to_leave("w2")


def test_only_a_worker_that_is_alive_is_to_leave(client):
    """Another name is not found."""
    assert_problem(client.post("/v1/workers/w9/drain"), 404, "not_found")


def test_draining_is_for_those_who_run_the_farm(settings, services):
    """A key that may submit may not."""
    services.workers.beat("w1", CARD)
    client = create_app(settings.model_copy(update={"auth": "required"})).test_client()
    key = services.api_keys.create("ada", [Scope.SUBMIT])[1]

    assert client.post("/v1/workers/w1/drain", headers={"Authorization": f"Bearer {key}"}).status_code == 403
    assert not services.workers.is_to_leave("w1")
