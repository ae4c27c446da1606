"""What docker-compose.yml starts works as a farm, from its first key to its end."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import httpx2
import psutil
import pytest
import redis
from PIL import Image

from dreamfarm.client import Farm
from dreamfarm.errors import FarmError
from farm.states import JobState
from tests.infra.compose import FILLED
from tests.infra.containers import Containers
from tests.infra.images import ROOT
from tests.support import picture, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def test_a_farm_from_its_first_key_to_its_end(tmp_path):
    """Each service is well in its turn, a job with the page's key goes through, SIGTERM ends all in good order."""
    with Containers(tmp_path) as containers:
        key = first_key(containers)
        dream_a_picture(containers, key, tmp_path / "dream.png")
        assert_that_keys_are_asked_for(containers)
        assert_that_nothing_is_forgotten(containers)
        end(containers, "worker", "api")
        assert not containers.is_well(containers.services["worker"])
        end(containers, "s3", "valkey")


def first_key(containers):
    """Make it as the page tells."""
    page = (ROOT / "docs" / "containers.md").read_text()
    command = re.search(r"docker compose run --rm -T api (dreamfarm keys create --owner you .*)", page)[1]
    return containers.run("api", command.split()).strip()


def dream_a_picture(containers, key, path):
    """Send a job as a user does, and fetch its result by the link that browsers follow."""
    with Farm(containers.api_url, key=key) as farm:
        job = farm.wait(farm.submit(picture(), params={"octaves": 1, "steps": 1}).id)
        farm.download_result(job.id, path)
    headers = {"Authorization": f"Bearer {key}"}
    answer = httpx2.get(f"{containers.api_url}/v1/jobs/{job.id}/result", headers=headers, trust_env=False)

    assert job.state is JobState.SUCCEEDED
    assert Image.open(path).size == (96, 80)
    assert urlsplit(answer.headers["location"]).netloc == f"127.0.0.1:{containers.ports['8333']}"


def assert_that_keys_are_asked_for(containers):
    with Farm(containers.api_url) as farm, pytest.raises(FarmError, match="key"):
        list(farm.jobs())
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(port=int(containers.ports["6379"])).ping()
    assert FILLED["VALKEY_PASSWORD"] not in psutil.Process(containers.running["valkey"].pid).cmdline()


def assert_that_nothing_is_forgotten(containers):
    client = redis.Redis(
        port=int(containers.ports["6379"]), password=FILLED["VALKEY_PASSWORD"], decode_responses=True
    )  # fmt: skip

    assert client.config_get("appendonly", "maxmemory-policy", "hash-max-listpack-value") == {
        "appendonly": "yes",
        "maxmemory-policy": "noeviction",
        "hash-max-listpack-value": "4096",
    }


def end(containers, *names):
    """Send SIGTERM, as compose does; each is gone within its grace, with nothing to complain of."""
    for name in names:
        containers.running[name].ask_to_end()
    for name in names:
        child = containers.running[name]
        until(lambda child=child: not child.is_running(), seconds=containers.services[name].grace_s)

        assert child._process.returncode == 0, child.log_tail()
