"""docker-compose.yml and .env.example, as files."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
import yaml

from farm.settings import Settings
from infra.docker import env_example
from tests.infra.compose import FILE, FILLED, read_services, variables
from tests.infra.images import ROOT

OURS = {"bucket", "api", "worker", "worker-gpu"}
WORKERS = ("worker", "worker-gpu")
KNOWN = {f"DREAMFARM_{name.upper()}" for name in Settings.model_fields}


@pytest.fixture(scope="module")
def services():
    return read_services(variables(**FILLED))


def test_the_file_is_as_the_compose_specification_wants_it():
    """By the specification's own JSON schema, which the checker brings."""
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", FILE],
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout


def test_services_are_hardened(services):
    """None can write to its image, has a capability, gains one, or is root; each starts again by itself."""
    for name, service in services.items():
        assert service.told["read_only"], name
        assert service.told["cap_drop"] == ["ALL"], name
        assert service.told["security_opt"] == ["no-new-privileges:true"], name
        assert service.told["restart"] in {"unless-stopped", "on-failure"}, name
        assert not {"privileged", "cap_add", "container_name", "network_mode", "pid"} & service.told.keys(), name
    assert {name: service.told.get("user") for name, service in services.items() if service.told.get("user")} == {
        "valkey": "valkey",
        "s3": "1000:1000",
    }


def test_each_is_asked_how_it_is_and_waited_for(services):
    """What others depend on has a check, and they wait until it is well."""
    for service in services.values():
        for other, how in service.told.get("depends_on", {}).items():
            ends = how == {"condition": "service_completed_successfully"}
            assert ends or how == {"condition": "service_healthy"}
            assert (services[other].health_command is None) == ends
    assert {name for name, service in services.items() if service.health_command is None} == {"bucket"}


def test_what_our_containers_run_is_what_their_images_say(services):
    """The file gives no command of its own, but for the bucket's, which is the api's image put to other use."""
    assert {name for name in OURS if "command" in services[name].told} == {"bucket"}
    assert {name for name, service in services.items() if service.image} == OURS


@pytest.mark.parametrize("name", WORKERS)
def test_there_can_be_many_workers(services, name):
    """A worker has no port, no name and no host name that a second one would need too."""
    service = services[name]

    assert not {"ports", "container_name", "hostname"} & service.told.keys()
    assert "DREAMFARM_WORKER_ID" not in service.environment


@pytest.mark.parametrize("name", WORKERS)
def test_workers_have_time_to_hand_their_jobs_back(services, name):
    """They are killed no sooner than 20 s after the farm itself would have given up waiting."""
    assert services[name].grace_s >= Settings.model_fields["soft_shutdown_s"].default + 20
    assert services[name].told["init"] is True


def test_the_api_has_time_to_end_its_answers(services):
    """Docker waits longer than gunicorn does."""
    [given] = [part for part in services["api"].command if part.startswith("--graceful-timeout=")]

    assert services["api"].grace_s > float(given.partition("=")[2]) + 5


def test_all_variables_are_settings(services):
    """What the file sets is known to the farm, which would not see a name that is misspelt."""
    for name, service in services.items():
        assert {one for one in service.environment if one.startswith("DREAMFARM_")} <= KNOWN, name
        assert service.environment.get("DREAMFARM_AUTH", "required") == "required", name


@pytest.mark.parametrize("missing", FILLED)
def test_what_is_not_filled_in_is_named(missing):
    """Without a password nothing starts, and the message names its variable."""
    with pytest.raises(ValueError, match=missing):
        read_services(variables(**{name: "" if name == missing else text for name, text in FILLED.items()}))


def test_only_ports_for_people_are_opened_and_here_alone(services):
    """Api, S3 and Grafana, on this machine's own address; the stores' network leads nowhere."""
    ports = {name: service.told["ports"] for name, service in services.items() if "ports" in service.told}

    assert ports == {
        "s3": ["127.0.0.1:8333:8333"],
        "api": ["127.0.0.1:8000:8000"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    assert services["valkey"].told["networks"] == ["stores"]
    assert yaml.safe_load(FILE.read_text())["networks"]["stores"] == {"internal": True}


def test_a_redis_and_an_s3_elsewhere_take_their_place():
    """What .env says of them goes before the file's own."""
    elsewhere = {"DREAMFARM_REDIS_URL": "rediss://far:1/0", "DREAMFARM_S3_PUBLIC_ENDPOINT_URL": "https://s3.example"}

    environment = read_services({**variables(**FILLED), **elsewhere, "S3_PORT": "9999"})["api"].environment
    own = read_services({**variables(**FILLED), "S3_PORT": "9999"})["api"].environment

    assert {name: environment[name] for name in elsewhere} == elsewhere
    assert own["DREAMFARM_REDIS_URL"] == "redis://:p1@valkey:6379/0"
    assert own["DREAMFARM_S3_PUBLIC_ENDPOINT_URL"] == "http://localhost:9999"


def test_files_that_are_mounted_are_there(services):
    """Each path of the repository that a service sees exists, and what .env would hold is ignored by git."""
    mounted = {
        volume.split(":")[0] for service in services.values() for volume in service.told.get("volumes", [])
    }  # fmt: skip

    assert [path for path in mounted if path.startswith("./infra") and not (ROOT / path).exists()] == []
    assert {".env", "secrets/"} <= set((ROOT / ".gitignore").read_text().splitlines())


def test_the_example_of_settings_is_what_its_program_writes():
    """Every setting with its description and default, none that isn't one: python -m infra.docker.env_example."""
    text = (ROOT / ".env.example").read_text()

    assert text == env_example.text()
    assert set(re.findall(r"^(?:# )?(DREAMFARM_\w+)=", text, re.MULTILINE)) == KNOWN


def test_the_examples_defaults_are_the_farms():
    """Settings read from the example with each default spelt out are those read from nothing."""
    spelt = dict(re.findall(r"^# DREAMFARM_(\w+)=(.+)$", (ROOT / ".env.example").read_text(), re.MULTILINE))
    needed = {"DREAMFARM_REDIS_URL": "redis://r/0", "DREAMFARM_S3_BUCKET": "dreams"}
    code = "from farm.settings import load_settings; print(load_settings().model_dump_json())"
    with_all, with_none = (
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={**needed, **more, "HOME": "/nowhere"},
            capture_output=True, text=True, check=True,
        ).stdout
        for more in ({f"DREAMFARM_{name}": text for name, text in spelt.items()}, {})
    )  # fmt: skip

    assert len(spelt) > 20
    assert with_all == with_none
