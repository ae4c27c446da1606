"""The chart starts the images as they are made: their programs, their user, their folders."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec

import pytest

from tests.infra.charts import ROOT, container, environment, manifests, needs_helm, pods

DOCKER = ROOT / "infra" / "docker"
FILES = {"dreams-api": "api", "dreams-worker-cpu": "worker", "dreams-worker-gpu": "worker-gpu"}

pytestmark = needs_helm


def told(deployment):
    """Return what an image's file says: the last value of each instruction, and its environment."""
    text = (DOCKER / f"{FILES[deployment]}.Dockerfile").read_text().replace("\\\n", "")
    last = dict(re.findall(r"^(FROM|USER|CMD|VOLUME|WORKDIR) (.*)$", text, re.MULTILINE))
    words = [word for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE) for word in line.split()]
    return last, dict(word.split("=", 1) for word in words)


@pytest.mark.parametrize("deployment", FILES)
def test_pods_run_as_the_images_user(deployment):
    """Whose files the image's are, and who may write its cache; the image has the name that the chart asks for."""
    pod = pods(manifests("everything"))[deployment]
    last, _ = told(deployment)
    security = pod["spec"]["securityContext"]
    [name] = re.findall(r"([^/:]+):", container(pod)["image"])

    assert last["USER"] == f"{security['runAsUser']}:{security['runAsGroup']}"
    assert name == f"dreamfarm-{FILES[deployment]}"


@pytest.mark.parametrize("deployment", FILES)
def test_pods_write_where_the_images_do(deployment):
    """A volume lies on each folder that the image keeps for one, and home and cache are the image's."""
    found = manifests("everything")
    pod = pods(found)[deployment]
    last, defaults = told(deployment)
    mounted = {mount["mountPath"] for mount in container(pod)["volumeMounts"]}
    given = environment(found, pod)

    assert set(json.loads(last.get("VOLUME", "[]"))) <= mounted
    for name in {"HOME", "DREAMFARM_CACHE_DIR"} & set(defaults):
        assert given[name] == defaults[name]


@pytest.mark.parametrize("deployment", FILES)
def test_pods_start_what_the_images_start(deployment):
    """The same program with the same options, whatever their numbers."""
    last, _ = told(deployment)
    command = container(pods(manifests("everything"))[deployment])["command"]
    own = json.loads(last["CMD"])

    assert command[1:3] == ["-m", "gunicorn" if own[0] == "gunicorn" else "worker"]
    assert {word.partition("=")[0] for word in own[1:]} <= {word.partition("=")[0] for word in command}
    assert [word for word in own if "worker-tmp-dir" in word or "worker-class" in word] == [
        word for word in command if "worker-tmp-dir" in word or "worker-class" in word
    ]


def test_what_probes_ask_exists():
    """The modules that commands and probes name can be imported."""
    text = json.dumps([container(pod) for pod in pods(manifests("everything")).values()])
    modules = set(re.findall(r'"-m", "([a-z.]+)"', text))

    assert modules == {"gunicorn", "worker", "worker.health", "worker.ready"}
    assert [module for module in modules if find_spec(module) is None] == []
