"""`python -m worker.health`, which containers ask."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from worker.health import is_alive

CARD = {"host": "here", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00"}


@pytest.mark.parametrize(
    ("host", "wanted", "alive"),
    [
        pytest.param("here", "", True, id="of this host"),
        pytest.param("elsewhere", "", False, id="of another host"),
        pytest.param("elsewhere", "w1", True, id="named"),
        pytest.param("here", "w2", False, id="named, and another one is there"),
    ],
)
def test_a_worker_is_known_by_its_host_or_its_name(settings, services, host, wanted, alive):
    """Whoever runs several on one host names them; a container has one, and a host name of its own."""
    services.workers.beat("w1", CARD)

    assert is_alive(services.workers, settings.model_copy(update={"worker_id": wanted}), host=host) is alive


def test_a_worker_that_is_silent_is_not_alive(settings, services):
    """Its card goes when it isn't renewed, and with it the answer."""
    services.workers.beat("w1", CARD)
    services.workers.leave("w1")

    assert not is_alive(services.workers, settings, host="here")


@pytest.mark.parametrize(
    ("redis_url", "code", "told"),
    [
        pytest.param("redis://127.0.0.1:9/0", 0, "waits", id="Redis is away"),
        pytest.param("", 2, "DREAMFARM_REDIS_URL", id="no settings"),
    ],
)
def test_a_worker_is_not_ended_for_what_is_not_its_fault(redis_url, code, told):
    """Without Redis it waits, and is left alone; what is set wrong is said."""
    environment = {**os.environ, "DREAMFARM_REDIS_URL": redis_url, "DREAMFARM_S3_BUCKET": "dreams"}

    done = subprocess.run(
        [sys.executable, "-m", "worker.health"], env=environment, capture_output=True, text=True, check=False
    )

    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert told in done.stderr
