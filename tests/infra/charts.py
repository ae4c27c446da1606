"""Renders the chart with Helm, and finds things in what comes out."""

from __future__ import annotations

import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "infra" / "helm" / "dreamfarm"
EXAMPLES = ROOT / "infra" / "helm" / "examples"
RELEASE, NAMESPACE = "demo", "dreams"

SETS = {
    "default": (),
    "gpu": ("-f", EXAMPLES / "gpu.yaml"),
    "everything": ("-f", EXAMPLES / "everything.yaml"),
    "least": (
        *("--set", "workers.cpu=null", "--set", "s3.credentials=chain", "--set", "serviceAccount.create=false"),
        *("--set", "networkPolicy.enabled=false", "--set", "podDisruptionBudget.enabled=false"),
    ),
    "long names": (
        *("-f", EXAMPLES / "gpu.yaml", "--set", f"fullnameOverride={'long' * 12}"),
        *("--set", "workers.fourteen-chars.variant=cpu"),
    ),
}


def tool(name):
    """Return where a program is: in the environment, or elsewhere on this machine."""
    return shutil.which(name, path=str(Path(sys.executable).parent)) or shutil.which(name)


needs_helm = pytest.mark.skipif(
    tool("helm") is None, reason="there is no helm; on Linux x86-64 `infra/helm-binary .venv/bin` fetches it"
)


def helm(*arguments):
    """Run Helm, and return how it went."""
    return subprocess.run([tool("helm"), *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False)


def templated(*arguments):
    """Return how rendering the chart went."""
    return helm("template", RELEASE, CHART, "--namespace", NAMESPACE, *arguments)


@cache
def manifests(name):
    """Return what the chart makes of a set of values."""
    return rendered(*SETS[name])


def rendered(*arguments):
    """Return what the chart makes of these values."""
    done = templated(*arguments)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def of_kind(found, kind):
    """Return those of a kind, by their names."""
    return {one["metadata"]["name"]: one for one in found if one["kind"] == kind}


def pods(found):
    """Return the pods' templates by their Deployments' names."""
    return {name: one["spec"]["template"] for name, one in of_kind(found, "Deployment").items()}


def container(pod):
    """Return a pod's one container."""
    [one] = pod["spec"]["containers"]
    return one


def environment(found, pod):
    """Return a container's environment as texts; what secrets and limits say is made up."""
    made_up = {"DREAMFARM_REDIS_URL": "redis://redis:6379/0"}
    told = {}
    for source in container(pod).get("envFrom", []):
        told |= of_kind(found, "ConfigMap")[source["configMapRef"]["name"]]["data"]
    for one in container(pod)["env"]:
        told[one["name"]] = one["value"] if "value" in one else made_up.get(one["name"], "2")
    return told


def queries(found):
    """Return {name: PromQL} of the autoscaled pools."""
    return {
        name: one["spec"]["triggers"][0]["metadata"]["query"] for name, one in of_kind(found, "ScaledObject").items()
    }
