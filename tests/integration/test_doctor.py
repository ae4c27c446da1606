"""What the doctor finds, at real servers that are well and that aren't."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from farm.doctor import look_at_redis, look_at_s3
from farm.settings import Settings
from tests.servers import valkey


def states(findings):
    """Return each subject's state."""
    return {finding.subject: finding.state for finding in findings}


def test_the_embedded_servers_are_well(settings):
    """Nothing is to be done for those that the stack runs."""
    found = states([*look_at_redis(settings), *look_at_s3(settings)])

    assert set(found.values()) == {"well"}
    assert set(found) >= {"Redis", "Redis' persistence", "Redis' eviction", "S3 writes", "S3 links", "S3's clock"}


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
    assert {finding["subject"] for finding in json.loads(well.stdout)} >= {"Redis", "S3 writes", "Engine", "Weights"}
    assert lost.returncode == 1
    assert any("dreamfarm up" in finding["fix"] for finding in json.loads(lost.stdout))
