"""What the chart makes of its values is valid, whole, and of one piece with the farm."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network

import gunicorn.config
import jsonschema
import kubernetes_validate
import pytest
import yaml

from dreamcore.version import __version__
from dreamfarm.stack.stack import Stack
from farm.settings import Settings, load_settings
from tests.infra.charts import (
    CHART,
    NAMESPACE,
    RELEASE,
    ROOT,
    SETS,
    container,
    environment,
    helm,
    manifests,
    needs_helm,
    of_kind,
    pods,
    rendered,
)
from tests.infra.crds import SCHEMAS

pytestmark = needs_helm

DOCS = (ROOT / "docs" / "kubernetes.md").read_text()
OLDEST = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"].removeprefix(">=").removesuffix("-0")
every_set = pytest.mark.parametrize("name", SETS)


def is_wrong(manifest, version):
    """Tell what is wrong with a manifest, by the schema of its kind."""
    try:
        if manifest["kind"] in SCHEMAS:
            jsonschema.validate(manifest, SCHEMAS[manifest["kind"]])
        else:
            kubernetes_validate.validate(manifest, version, strict=True)
    except jsonschema.ValidationError as error:
        return f"{manifest['kind']} {manifest['metadata']['name']} {error.json_path}: {error.message}"
    return None


def selects(labels, pod):
    return labels.items() <= pod["metadata"]["labels"].items()


def matched(labels, found):
    """Return the Deployments whose pods a selector takes."""
    return {name for name, pod in pods(found).items() if selects(labels, pod)}


@every_set
def test_helm_finds_nothing_to_say(name):
    """Helm's own linter, at its strictest."""
    done = helm("lint", "--strict", CHART, *SETS[name])

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("version", "names"),
    [
        pytest.param(OLDEST, ["default", "gpu", "everything"], id="oldest"),
        pytest.param(kubernetes_validate.latest_version(), ["everything"], id="newest"),
    ],
)
def test_what_is_made_is_valid(version, names):
    """Every manifest has the fields of its kind and no others, from the oldest Kubernetes that the chart takes on."""
    assert [wrong for name in names for one in manifests(name) if (wrong := is_wrong(one, version))] == []


@pytest.mark.parametrize("kind", ["Deployment", "NetworkPolicy", *SCHEMAS])
def test_a_manifest_that_is_not_valid_is_seen(kind):
    """A misspelt field is found in Kubernetes' own kinds and in the operators'."""
    one = next(iter(of_kind(manifests("everything"), kind).values()))

    assert is_wrong({**one, "spec": {**one["spec"], "tpyo": 1}}, OLDEST)


@every_set
def test_every_selector_takes_the_pods_that_it_is_for(name):
    """A Deployment and a budget take their own pods alone, the Service the api's, each policy and spread some."""
    found = manifests(name)
    for kind in ("Deployment", "PodDisruptionBudget"):
        for own, one in of_kind(found, kind).items():
            assert matched(one["spec"]["selector"]["matchLabels"], found) == {own}
    for own, one in of_kind(found, "Service").items():
        assert matched(one["spec"]["selector"], found) == {own}
    for one in of_kind(found, "NetworkPolicy").values():
        assert matched(one["spec"]["podSelector"]["matchLabels"], found)
    for own, pod in pods(found).items():
        [spread] = pod["spec"]["topologySpreadConstraints"]
        assert matched(spread["labelSelector"]["matchLabels"], found) == {own}
    for one in of_kind(found, "ServiceMonitor").values():
        [service] = of_kind(found, "Service").values()
        assert selects(one["spec"]["selector"]["matchLabels"], service)


@every_set
def test_what_is_named_is_there(name):
    """Autoscalers name Deployments, the Ingress and the monitor the Service's port, mounts volumes, pods accounts."""
    found = manifests(name)
    [service] = of_kind(found, "Service").values()
    ports = {port["name"] for port in service["spec"]["ports"]}
    scaled = [*of_kind(found, "ScaledObject").values(), *of_kind(found, "HorizontalPodAutoscaler").values()]

    assert {one["spec"]["scaleTargetRef"]["name"] for one in scaled} <= set(pods(found))
    for one in of_kind(found, "Ingress").values():
        backend = one["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
        assert (backend["name"], backend["port"]["name"]) == (service["metadata"]["name"], *ports)
    assert {port["name"] for port in container(pods(found)[service["metadata"]["name"]])["ports"]} == ports
    for pod in pods(found).values():
        mounts = [mount["name"] for mount in container(pod)["volumeMounts"]]
        assert sorted(mounts) == sorted(volume["name"] for volume in pod["spec"]["volumes"])
        assert pod["spec"]["serviceAccountName"] in {"default", *of_kind(found, "ServiceAccount")}


@every_set
def test_no_two_things_collide(name):
    """Each kind's names differ, no pool is another's, and a host's name keeps what tells its pods apart."""
    found = manifests(name)
    names = [(one["kind"], one["metadata"]["name"]) for one in found]
    pools = [pod["metadata"]["labels"].get("dreamfarm/pool") for pod in pods(found).values()]

    assert len(set(names)) == len(names)
    assert max(len(f"{own}-0123456789-abcde") for kind, own in names if kind == "Deployment") <= 63
    assert len(set(pools)) == len(pools)


@every_set
def test_every_key_that_is_referred_to_exists(name):
    """In the chart's ConfigMap and Secret, or in one that the documentation tells people to make."""
    found = manifests(name)
    maps = {own: set(one["data"]) for own, one in of_kind(found, "ConfigMap").items()}
    secrets = {own: set(one["stringData"]) for own, one in of_kind(found, "Secret").items()}
    for own, rest in re.findall(r"create secret generic (\S+)((?:[ \\\n]+--from-literal=\S+)+)", DOCS):
        secrets.setdefault(own, set()).update(re.findall(r"--from-literal=([^=\s]+)=", rest))
    for pod in pods(found).values():
        assert {source["configMapRef"]["name"] for source in container(pod)["envFrom"]} <= set(maps)
        for one in container(pod)["env"]:
            if ref := one.get("valueFrom", {}).get("secretKeyRef"):
                assert ref["key"] in secrets[ref["name"]]
    for one in of_kind(found, "ServiceMonitor").values():
        ref = one["spec"]["endpoints"][0]["authorization"]["credentials"]
        assert ref["key"] in secrets[ref["name"]]


@every_set
def test_the_farm_takes_its_settings(name, monkeypatch):
    """Every DREAMFARM_ variable of every pod is a setting, and a farm starts with what they say."""
    found = manifests(name)
    for pod in pods(found).values():
        told = environment(found, pod)
        ours = {key for key in told if key.startswith("DREAMFARM_")}
        assert ours <= {f"DREAMFARM_{field.upper()}" for field in Settings.model_fields}
        with monkeypatch.context() as patch:
            for key, text in told.items():
                patch.setenv(key, text)
            assert load_settings().auth == "required"


def test_settings_arrive_as_they_were_written(monkeypatch):
    """Large numbers, fractions, lists and tables, and a pool's own before those of all."""
    found = manifests("everything")
    for key, text in environment(found, pods(found)["dreams-worker-gpu"]).items():
        monkeypatch.setenv(key, text)
    read = load_settings()

    assert read.max_job_pixel_steps == 10**12
    assert read.max_queued_jobs == 2_000_000
    assert read.price_per_hour == 0.35
    assert read.owner_weights == {"alice": 3, "bob": 0.5}
    assert [str(network) for network in read.allowed_networks] == ["10.20.0.0/16", "fd00:20::/32"]
    assert read.worker_tags == ("gpu", "large")
    assert (read.soft_shutdown_s, read.pack_size) == (15, 32)


@every_set
def test_a_worker_has_time_to_hand_its_job_back(name):
    """Kubernetes waits at least 20 s longer than the worker takes at most."""
    found = manifests(name)
    for own, pod in pods(found).items():
        soft_s = float(environment(found, pod)["DREAMFARM_SOFT_SHUTDOWN_S"])
        if not own.endswith("-api"):
            assert soft_s + 20 <= pod["spec"]["terminationGracePeriodSeconds"] < soft_s + 22


def test_the_api_has_time_to_answer():
    """gunicorn's own time and the pause before it lie within the pod's."""
    pod = pods(manifests("everything"))["dreams-api"]
    [graceful] = [word for word in container(pod)["command"] if word.startswith("--graceful-timeout=")]
    pause = container(pod)["lifecycle"]["preStop"]["exec"]["command"][-1]

    assert (
        int(graceful.partition("=")[2]) + int(re.search(r"sleep\((\d+)\)", pause)[1])
        < (pod["spec"]["terminationGracePeriodSeconds"])
    )


@every_set
def test_pods_may_do_as_little_as_they_need(name):
    """No root, no writing beside /tmp and the cache, no capability, no token, no variables of other services.

    Nor is the farm's own process the first, which no signal ends before it listens, and which has to bury others.
    """
    for pod in pods(manifests(name)).values():
        spec, one = pod["spec"], container(pod)
        assert spec["automountServiceAccountToken"] is False
        assert spec["enableServiceLinks"] is False
        assert spec["shareProcessNamespace"] is True
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert one["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


@every_set
def test_what_pods_write_can_be_written(name):
    """Home, caches and gunicorn's own files lie on volumes, as the rest is read-only."""
    found = manifests(name)
    for pod in pods(found).values():
        told = environment(found, pod)
        mounted = [mount["mountPath"] for mount in container(pod)["volumeMounts"] if not mount.get("readOnly")]
        written = [told["HOME"], *filter(None, [told.get("DREAMFARM_CACHE_DIR")])]
        written += [word.partition("=")[2] for word in container(pod)["command"] if "--worker-tmp-dir" in word]
        assert set(written) <= {*mounted, "/dev/shm"}  # noqa: S108  # memory that every container has


def test_the_api_is_started_as_everywhere_else():
    """gunicorn understands its arguments, and they are those of the embedded stack but for their numbers."""
    found = manifests("everything")
    python, dash_m, program, *arguments = container(pods(found)["dreams-api"])["command"]
    read = gunicorn.config.Config().parser().parse_args(arguments)
    stack = Stack.__new__(Stack)
    stack.host, stack.api_port = "127.0.0.1", 8000

    assert (python, dash_m, program, read.args) == ("python", "-m", "gunicorn", ["api.app:create_app()"])
    assert {word.partition("=")[0] for word in stack._gunicorn_options()} <= {
        word.partition("=")[0] for word in arguments
    }
    assert read.config == "python:api.server"
    assert read.threads > int(environment(found, pods(found)["dreams-api"])["DREAMFARM_MAX_EVENT_STREAMS"])


def test_workers_are_started_as_everywhere_else():
    """By the same module as the embedded stack's."""
    for own, pod in pods(manifests("gpu")).items():
        if not own.endswith("-api"):
            assert container(pod)["command"] == ["python", "-m", Stack.worker_module]


def test_a_card_for_each_worker_of_its_pool():
    """The image, the limit and the tolerations are those of cards and spot nodes, and of those pools alone."""
    found = pods(manifests("everything"))
    cpu, gpu = container(found["dreams-worker-cpu"]), container(found["dreams-worker-gpu"])
    tolerated = {one["key"] for one in found["dreams-worker-gpu"]["spec"]["tolerations"]}

    assert gpu["image"] == "registry.example.com/dreamfarm/dreamfarm-worker-gpu:0.1.1"
    assert gpu["resources"]["limits"]["nvidia.com/mig-1g.10gb"] == 1
    assert tolerated == {
        *("dreams", "nvidia.com/mig-1g.10gb", "cloud.google.com/gke-spot", "kubernetes.azure.com/scalesetpriority")
    }
    assert cpu["image"] == "registry.example.com/dreamfarm/dreamfarm-worker:0.1.0"
    assert not {key for key in cpu["resources"]["limits"] if "nvidia" in key}
    assert "tolerations" not in found["dreams-worker-cpu"]["spec"]


def test_nothing_says_zero_too():
    """What is nothing to a template, as 0 and an empty list, takes the place of a default as anything else does."""
    found = rendered("--set", "autoscaling.enabled=true,workers.cpu.min=0", "--set-json", "workers.cpu.resources={}")
    [scaled] = of_kind(found, "ScaledObject").values()

    assert scaled["spec"]["minReplicaCount"] == 0
    assert container(pods(found)[scaled["metadata"]["name"]])["resources"] == {}
    assert of_kind(rendered("--set", "workers.cpu.replicas=0"), "Deployment")[scaled["metadata"]["name"]]["spec"][
        "replicas"
    ] == 0  # fmt: skip


def rules(found, own, side):
    return of_kind(found, "NetworkPolicy")[own]["spec"].get(side, [])


def test_nobody_is_let_in_but_to_the_api():
    """All pods are closed, and one policy opens the api's port to the namespaces that are named."""
    found = manifests("default")
    entrances = {own for own in of_kind(found, "NetworkPolicy") if rules(found, own, "ingress")}
    [rule] = rules(found, f"{RELEASE}-dreamfarm-api", "ingress")

    closed = of_kind(found, "NetworkPolicy")[f"{RELEASE}-dreamfarm-deny"]["spec"]
    assert matched(closed["podSelector"]["matchLabels"], found) == set(pods(found))
    assert closed["policyTypes"] == ["Ingress", "Egress"]
    assert entrances == {f"{RELEASE}-dreamfarm-api"}
    assert rule["ports"] == [{"protocol": "TCP", "port": "http"}]
    assert rule["from"][0]["namespaceSelector"]["matchExpressions"][0]["values"] == ["ingress-nginx", "monitoring"]


@pytest.mark.parametrize(
    ("address", "is_open"),
    [
        *((address, False) for address in ("10.1.2.3", "172.31.0.1", "192.168.0.9", "100.64.0.1", "127.0.0.1")),
        *((address, False) for address in ("169.254.169.254", "fd00::1", "fe80::1")),
        *((address, True) for address in ("93.184.216.34", "2606:4700::1")),
    ],
)
def test_the_internet_is_what_is_public(address, is_open):
    """Pictures, webhooks and weights are fetched from public addresses; neighbours are out of reach."""
    blocks = [
        peer["ipBlock"]
        for rule in rules(manifests("default"), f"{RELEASE}-dreamfarm-egress", "egress")
        for peer in rule.get("to", [])
        if "except" in peer.get("ipBlock", {})
    ]
    one = ip_address(address)

    assert is_open == any(
        one in ip_network(block["cidr"]) and not any(one in ip_network(hole) for hole in block["except"])
        for block in blocks
    )


def test_ways_out_follow_the_settings():
    """Stores, allowed networks and the collector of traces, on the ports that were given."""
    out = json.dumps(rules(manifests("everything"), "dreams-egress", "egress"))

    for way in ('"port": 26379', '"port": 8333', "10.20.0.0/16", "fd00:20::/32", '"port": 4317', "10.30.0.1/32"):
        assert way in out


def test_prometheus_is_given_the_farms_alerts():
    """The same as in infra/prometheus, whose tests play them."""
    [rule] = of_kind(manifests("everything"), "PrometheusRule").values()

    assert rule["spec"] == yaml.safe_load((ROOT / "infra/prometheus/alerts.yml").read_text())
    assert rule["metadata"]["labels"]["release"] == "prometheus"


def test_api_pods_are_one_target():
    """Each tells the same, so the monitor gives all one address and drops what tells them apart."""
    found = manifests("everything")
    [endpoint] = next(iter(of_kind(found, "ServiceMonitor").values()))["spec"]["endpoints"]
    replaced = {one["targetLabel"]: one["replacement"] for one in endpoint["relabelings"] if one["action"] == "replace"}
    dropped = [one["regex"] for one in endpoint["relabelings"] if one["action"] == "labeldrop"]

    assert replaced == {"__address__": f"dreams-api.{NAMESPACE}.svc:80", "job": "dreamfarm"}
    assert all(re.fullmatch(dropped[0], label) for label in ("pod", "container", "node"))


def test_the_chart_has_the_farms_version():
    """Set by hand in Chart.yaml, as Helm reads no other file: both lines, at each release."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())

    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)


def test_the_package_is_whole(tmp_path):
    """What `helm package` makes renders by itself, far from this folder: the alerts come with it."""
    assert helm("package", CHART, "--destination", tmp_path).returncode == 0
    done = helm(
        "template", RELEASE, tmp_path / f"dreamfarm-{__version__}.tgz", "--set", "monitoring.prometheusRule=true"
    )

    assert "DreamfarmNoWorkers" in done.stdout, done.stderr


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ((), ["keys create --owner you --scope admin", "port-forward", "create secret generic dreamfarm "]),
        (SETS["everything"], ["https://dreams.example.com/", "generic dreamfarm-metrics --from-literal=key=df_"]),
        (("--set", "workers.cpu.replicas=0"), ["No pool keeps a worker"]),
    ],
    ids=["default", "everything", "no worker"],
)
def test_the_notes_say_what_comes_next(values, words):
    """The Secret, the first key, where the studio is, and that a farm without workers does nothing by itself."""
    done = helm("install", RELEASE, CHART, "--dry-run=client", *values)
    if "cluster unreachable" in done.stderr:
        pytest.skip("Helm 3 asks a cluster before it shows notes; Helm 4 doesn't")
    said = done.stdout

    assert [word for word in words if word not in said] == []
    assert ("No pool keeps a worker" in said) == ("No pool keeps a worker" in words)
