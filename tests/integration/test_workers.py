"""Workers over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from api.app import create_app
from farm.account_schema import Scope
from tests.support import assert_problem

AWAY = {
    "DREAMFARM_REDIS_URL": "redis://127.0.0.1:9/0",
    "DREAMFARM_S3_BUCKET": "dreams",
    "DREAMFARM_S3_ACCESS_KEY_ID": "someone",
    "DREAMFARM_S3_SECRET_ACCESS_KEY": "hush-hush",
}
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


def test_a_worker_that_keeps_its_name_begins_with_an_empty_card(client, services):
    """What an earlier process noted of engine and job is not said of the one that has just started."""
    services.workers.beat("w1", CARD)
    services.workers.note("w1", device="CPU", job="01M85QP9D5D3ZDV9E0VQMK3DAK")

    services.workers.begin("w1")
    services.workers.beat("w1", CARD)

    [worker] = client.get("/v1/workers").json["workers"]
    assert (worker["device"], worker["state"], worker["job"]) == ("starting", "idle", None)


def probe(**environment):
    """Return what `python -m worker.ready` ends with, and what it says."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("DREAMFARM_")}
    done = subprocess.run(
        [sys.executable, "-m", "worker.ready"],
        env={**clean, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        check=False,
        text=True,
    )
    return done.returncode, done.stderr


def test_a_probe_is_told_whether_the_engine_is_loaded(servers, services):
    """By the host's name where the worker has none of its own; once one of the host's workers has rendered a step."""
    card = {**CARD, "host": socket.gethostname()}
    services.workers.beat("w1", card)
    status, text = probe(**servers.environment())
    assert (status, "warm-up step" in text) == (1, True)

    services.workers.note("w1", device="CPU")
    assert probe(**servers.environment()) == (0, "")
    assert probe(**servers.environment(), DREAMFARM_WORKER_ID="w2")[0] == 1


@pytest.mark.parametrize(
    ("environment", "status", "said"),
    [
        pytest.param({}, 2, "DREAMFARM_REDIS_URL", id="no-settings"),
        pytest.param(AWAY, 1, "Redis", id="away"),
    ],
)
def test_a_probe_that_can_not_tell_says_why(environment, status, said):
    """Without settings, and without Redis, which a worker that is ready could do nothing without."""
    found, text = probe(**environment)

    assert (found, said in text) == (status, True)
