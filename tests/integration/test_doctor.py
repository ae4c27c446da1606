"""What the doctor finds, at real servers that are well and that aren't."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest
from pydantic import AnyHttpUrl

from farm.doctor import _clock, _conditional, _version, look_at_redis, look_at_s3
from farm.settings import Settings
from farm.storage import ObjectStore
from tests.servers import valkey


def states(findings):
    """Return each subject's state."""
    return {finding.subject: finding.state for finding in findings}


def test_the_embedded_servers_are_well(settings):
    """Nothing is to be done for those that the stack runs."""
    found = states([*look_at_redis(settings), *look_at_s3(settings)])

    assert set(found.values()) == {"well"}
    assert set(found) == {
        "Redis",
        "Redis' persistence",
        "Redis' eviction",
        "Redis' door",
        "Redis' clock",
        "S3's clock",
        "S3 writes",
        "S3 conditional writes",
        "S3 links",
    }


def test_a_server_that_forgets_is_a_problem(tmp_path):
    """Without an append-only file, and with an eviction policy, jobs can be lost: each is named, with its fix."""
    with valkey(tmp_path, appendonly="no", maxmemory_policy="allkeys-lru") as settings:
        found = {finding.subject: finding for finding in look_at_redis(settings)}

    assert (found["Redis' persistence"].state, found["Redis' eviction"].state) == ("problem", "problem")
    assert "appendonly" in found["Redis' persistence"].fix
    assert "allkeys-lru" in found["Redis' eviction"].detail


def test_a_server_with_a_password_takes_it_from_the_url(tmp_path):
    """With the right one all is well; with none the server can't be used, and the message says where it goes."""
    with valkey(tmp_path, appendonly="yes", requirepass="secret") as settings:
        assert states(look_at_redis(settings))["Redis"] == "well"
        bare = Settings(redis_url=str(settings.redis_url).replace(":secret@", ""), s3_bucket="dreams")
        [found] = look_at_redis(bare)

    assert (found.subject, found.state) == ("Redis", "problem")
    assert "password" in found.fix


def test_a_wrong_secret_of_s3_is_a_problem(settings):
    """Before a job fails by it."""
    [found] = look_at_s3(settings.model_copy(update={"s3_secret_access_key": type(settings.s3_secret_access_key)("x")}))

    assert (found.subject, found.state) == ("S3", "problem")


def test_a_missing_bucket_is_a_problem(settings):
    """And its name is looked for in the settings."""
    [found] = look_at_s3(settings.model_copy(update={"s3_bucket": "nowhere"}))

    assert found.state == "problem"
    assert "bucket" in found.fix


@pytest.mark.parametrize(
    ("info", "state", "said"),
    [
        pytest.param({"redis_version": "6.2.14"}, "problem", "Redis 6.2.14 is too old", id="redis-6"),
        pytest.param({"redis_version": "7.0.0"}, "well", "Redis 7.0.0", id="redis-7.0"),
        pytest.param({"redis_version": "8.2.1"}, "well", "Redis 8.2.1", id="redis-8"),
        pytest.param({"redis_version": "7.2.4", "valkey_version": "9.1.0"}, "well", "Valkey 9.1.0", id="valkey"),
    ],
)
def test_redis_has_to_be_new_enough(info, state, said):
    """By the version of the commands that it knows, which Valkey tells beside its own."""
    found = _version(info)

    assert (found.state, said in found.detail) == (state, True)


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(
    ("skew_s", "state"), [(0, "well"), (59, "well"), (60, "warning"), (600, "warning"), (601, "problem")]
)
def test_clocks_have_to_agree(skew_s, state, sign):
    """Before and behind: some seconds are nothing, minutes are said, and signed links fail after ten."""
    found = _clock("S3's clock", sign * skew_s)

    assert (found.state, f"{skew_s} s" in found.detail) == (state, True)
    assert bool(found.fix) == (state != "well")


def test_a_store_that_overwrites_is_a_warning(settings):
    """One that takes a second writer's object although there is one, as some stores do."""

    class Careless(ObjectStore):
        def put_new(self, key, data, **options):
            self.put(key, data, content_type="text/plain", **options)
            return True

    found = _conditional(Careless(settings), "S3 conditional writes", "doctor/careless")

    assert (found.state, "If-None-Match" in found.detail) == ("warning", True)
    ObjectStore(settings).delete_prefix("doctor/")


@pytest.mark.parametrize("answer", [403, None], ids=["refused", "nobody-there"])
def test_links_that_lead_nowhere_are_a_problem(settings, site, answer):
    """Where users don't reach the object store by its public address, all else being well."""
    url = site.url("") if answer else "http://127.0.0.1:9/"
    away = settings.model_copy(update={"s3_public_endpoint_url": AnyHttpUrl(url)})
    found = {finding.subject: finding for finding in look_at_s3(away)}

    links = found.pop("S3 links")
    assert (links.state, "DREAMFARM_S3_PUBLIC_ENDPOINT_URL" in links.fix) == ("problem", True)
    assert {finding.state for finding in found.values()} == {"well"}


@pytest.mark.slow
def test_the_command_tells_all_and_ends_with_what_it_found(servers, tmp_path):
    """With the farm's settings, 0 and device and weights too; without any, 1 and what to do."""
    command = [sys.executable, "-m", "dreamfarm", "doctor", "--json"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DREAMFARM_")}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)

    well = subprocess.run(
        command, env={**environment, **servers.environment()}, capture_output=True, check=False, cwd=tmp_path
    )
    lost = subprocess.run(command, env=environment, capture_output=True, check=False, cwd=tmp_path)

    assert well.returncode == 0, well.stdout
    found = {finding["subject"]: finding["detail"] for finding in json.loads(well.stdout)}
    assert set(found) >= {"Redis", "S3 conditional writes", "Engine", "Weights", "Disk"}
    assert re.search(r"tensorflow [\d.]+ on .+ dreams", found["Engine"])
    assert "right hash" in found["Weights"]
    assert lost.returncode == 1
    assert any("dreamfarm up" in finding["fix"] for finding in json.loads(lost.stdout))
