"""What the chart takes: every value described, wrong ones refused with their names, and the autoscaler's numbers."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from itertools import pairwise

import jsonschema
import pytest
import yaml

from farm.settings import Settings
from infra.helm.make_schema import FILE, SET_BY_THE_CHART, values
from infra.simulation.autoscaler import SYNC_S, KedaRules
from tests.infra.charts import (
    CHART,
    EXAMPLES,
    NAMESPACE,
    RELEASE,
    ROOT,
    helm,
    manifests,
    needs_helm,
    of_kind,
    queries,
    rendered,
    templated,
    tool,
)
from tests.infra.expressions import parsed

SCHEMA = json.loads(FILE.read_text())
DEFAULTS = yaml.safe_load((CHART / "values.yaml").read_text())
PAGE = (ROOT / "docs" / "kubernetes.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

REFUSED = [
    pytest.param("workers.cpu.mni=2", ["workers.cpu", "mni"], id="unknown key of a pool"),
    pytest.param("workers.Cpu.min=2", ["Cpu", "at most 14 small letters", "gpu-spot"], id="pool's name"),
    pytest.param("workers.fifteen-letters.min=0", ["fifteen-letters", "at most 14"], id="pool's long name"),
    pytest.param("workers.cpu.min=11", ["workers.cpu", "min is 11", "max 10"], id="min above max"),
    pytest.param("workers.cpu.max=0", ["workers.cpu.max", "1"], id="no worker at most"),
    pytest.param("workers.cpu.variant=tpu", ["workers.cpu.variant", "cpu", "gpu"], id="variant"),
    pytest.param("workers.cpu.tags={GPU}", ["workers.cpu.tags.0", "[a-z0-9.-]"], id="tag"),
    pytest.param("workers.cpu.backlogShare=2", ["workers.cpu.backlogShare", "1"], id="share"),
    pytest.param("workers.cpu.backlogPerWorkerS=0", ["backlogPerWorkerS", "0"], id="backlog"),
    pytest.param("workers.cpu.settings.leases=1", ["workers.cpu.settings", "leases"], id="setting of a pool"),
    pytest.param("settings.lease_s=0", ["settings.lease_s", "1"], id="setting out of bounds"),
    pytest.param("settings.soft_shutdown_s=3601", ["settings.soft_shutdown_s", "3600"], id="grace"),
    pytest.param("settings.redis_url=redis://x", ["settings", "redis_url"], id="secret as a setting"),
    pytest.param("settings.max_queued_jobs=many", ["settings.max_queued_jobs", "integer"], id="no number"),
    pytest.param("s3.endpointUrl=s3.example.com", ["s3.endpointUrl", "^https?:"], id="address"),
    pytest.param("s3.credentials=none", ["s3.credentials", "secret", "chain"], id="credentials"),
    pytest.param("secret.create=true", ["secret.redisUrl", "redis:"], id="secret to make without an address"),
    pytest.param("api.port=80", ["api.port", "1024"], id="port of root"),
    pytest.param("networkPolicy.redis.ports=[]", ["networkPolicy.redis.ports", "1"], id="no port"),
    pytest.param("typo=1", ["typo"], id="unknown value"),
]
"""Helm 3 and 4 say the same in other words, and write paths as a.b.c and /a/b/c."""


def described(schema, path=""):
    """Yield (path, schema) of everything that a user can write."""
    for name, one in schema.get("properties", {}).items():
        one = SCHEMA["definitions"][one["$ref"].rpartition("/")[2]] if "$ref" in one else one  # noqa: PLW2901
        yield f"{path}/{name}", one
        yield from described(one, f"{path}/{name}")


def written(defaults, path=""):
    """Return every path of the defaults."""
    here = {f"{path}/{name}": one for name, one in defaults.items()}
    return set(here).union(*(written(one, name) for name, one in here.items() if isinstance(one, dict)))


def test_the_schema_is_what_its_program_writes():
    """Settings that are added to the farm, or whose bounds change, are so in the chart: run infra.helm.make_schema."""
    jsonschema.Draft7Validator.check_schema(SCHEMA)

    assert values() == SCHEMA


def test_every_value_is_described_and_closed():
    """Each has a text, and objects take what is named alone, but for those that Kubernetes checks."""
    for path, one in described(SCHEMA):
        assert one.get("description"), path
        if one.get("type") == "object" and "as Kubernetes has it" not in one["description"]:
            assert one["additionalProperties"] is False or isinstance(one["additionalProperties"], dict), path
    assert SCHEMA["additionalProperties"] is False


def test_every_value_stands_in_the_defaults():
    """Whoever reads values.yaml sees all there is, but for the settings, which the farm's own page has."""
    shown = {path for path, _ in described(SCHEMA) if not re.search(r"/settings/|/resources/", path)}

    assert shown - {"/global"} - written(DEFAULTS) == set()


def test_every_setting_is_taken_or_the_charts_own():
    """None is forgotten between the chart's values and its schema."""
    assert set(SCHEMA["definitions"]["settings"]["properties"]) == set(Settings.model_fields) - SET_BY_THE_CHART


@needs_helm
@pytest.mark.parametrize(("given", "words"), REFUSED)
def test_a_wrong_value_is_refused_by_name(given, words):
    """Before anything is installed, saying where it is and what would be right."""
    done = templated("--set-json" if given.endswith("[]") else "--set", given)
    said = done.stderr.partition("Error: ")[2].replace("/", ".").replace(",", "")

    assert done.returncode != 0
    assert [word for word in words if word not in said] == [], said


@needs_helm
@pytest.mark.parametrize(
    "block", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL), ids=lambda text: text.split(":")[0]
)
def test_the_pages_values_are_taken(block, tmp_path):
    """Each block of YAML in the documentation renders."""
    file = tmp_path / "values.yaml"
    file.write_text(block)

    assert rendered("-f", file)


@needs_helm
def test_the_pages_commands_are_taken():
    """What the documentation's helm commands set is taken, all at once, and the chart lies where they say."""
    commands = [
        shlex.split(line) for line in re.sub(r"\\\n", "", PAGE).splitlines() if line.startswith("helm -n dreams ")
    ]
    given = [word for words in commands for option, word in pairwise(words) if option == "--set"]

    assert {words[5] for words in commands} == {CHART.relative_to(ROOT).as_posix()}
    assert len(given) > 8
    assert rendered(*(part for word in given for part in ("--set", word)))


@needs_helm
def test_the_autoscaler_is_the_one_that_was_simulated():
    """The defaults are the numbers of which docs/capacity.md tells what they do to a day."""
    rules = KedaRules()
    [scaled] = of_kind(rendered("--set", "autoscaling.enabled=true"), "ScaledObject").values()
    behavior = scaled["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    [down], [trigger] = behavior["scaleDown"]["policies"], scaled["spec"]["triggers"]

    assert float(trigger["metadata"]["threshold"]) == rules.target_s
    assert trigger["metricType"] == "AverageValue"
    assert (scaled["spec"]["pollingInterval"], scaled["spec"]["cooldownPeriod"]) == (SYNC_S, rules.cooldown_s)
    assert behavior["scaleDown"]["stabilizationWindowSeconds"] == rules.stabilise_s
    assert (down["type"], down["value"] / 100, down["periodSeconds"]) == (
        "Percent",
        rules.down_share,
        rules.down_every_s,
    )
    assert behavior["scaleUp"]["stabilizationWindowSeconds"] == 0
    assert behavior["scaleUp"]["policies"][0]["value"] == scaled["spec"]["maxReplicaCount"]


@needs_helm
def test_nobody_but_the_autoscaler_says_how_many():
    """Where something scales a Deployment, an upgrade of the release doesn't set its number back."""
    found = manifests("everything")
    scaled = {
        one["spec"]["scaleTargetRef"]["name"]
        for kind in ("ScaledObject", "HorizontalPodAutoscaler")
        for one in of_kind(found, kind).values()
    }

    assert scaled == set(of_kind(found, "Deployment"))
    assert not [one for one in of_kind(found, "Deployment").values() if "replicas" in one["spec"]]
    assert all("replicas" in one["spec"] for one in of_kind(manifests("default"), "Deployment").values())


@needs_helm
def test_a_pool_has_its_share_of_one_farms_backlog():
    """The matchers go into every selector, the share before the sum, and PromQL takes it."""
    asked = queries(manifests("everything"))

    assert all(parsed(query) for query in asked.values())
    assert all(query.count('{namespace="dreams"}') == 2 for query in asked.values())
    assert [query.partition(" ")[0] for query in asked.values()] == ["0.25", "0.75"]


def series(state, value):
    """Return a farm's backlog as two of its api pods tell it."""
    return [
        {"series": f'dreamfarm_backlog_device_seconds{{state="{state}", pod="{pod}"}}', "values": f"{value}x10"}
        for pod in ("a", "b")
    ]


@needs_helm
@pytest.mark.skipif(tool("promtool") is None, reason="there is no promtool; `infra/promtool .venv/bin` fetches it")
def test_the_backlog_is_counted_once(tmp_path):
    """However many api pods tell it; a batch whose jobs nobody has made yet calls a worker; a share is a share."""
    whole = queries(rendered("--set", "autoscaling.enabled=true"))[f"{RELEASE}-dreamfarm-worker-cpu"]
    shares = queries(manifests("gpu"))
    unmade = [{"series": f'dreamfarm_batch_jobs_unmade{{pod="{pod}"}}', "values": "70x10"} for pod in ("a", "b")]
    asked = [
        {"expr": query, "eval_time": "5m", "exp_samples": [{"value": value}]}
        for query, value in [(whole, 9070), *zip(sorted(shares.values()), [907, 2721, 5442], strict=True)]
    ]
    case = {"interval": "1m", "input_series": [*series("queued", 8000), *series("running", 1000), *unmade]}
    nothing = {"expr": whole, "eval_time": "5m", "exp_samples": []}
    file = tmp_path / "backlog_test.yml"
    file.write_text(yaml.safe_dump({"tests": [{**case, "promql_expr_test": asked}, {"promql_expr_test": [nothing]}]}))

    done = subprocess.run(
        [tool("promtool"), "test", "rules", file], capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


@needs_helm
def test_the_examples_are_what_the_page_says():
    """Its three pools, of which the two with cards offer the same tag, and one runs on spot nodes."""
    pools = yaml.safe_load((EXAMPLES / "gpu.yaml").read_text())["workers"]
    done = helm("template", RELEASE, CHART, "--namespace", NAMESPACE, "-f", EXAMPLES / "gpu.yaml")

    assert done.stdout.count("kind: ScaledObject") == len(pools) == 3
    assert {name for name, pool in pools.items() if pool.get("tags") == ["gpu"]} == {"gpu", "gpu-spot"}
    assert [name for name, pool in pools.items() if pool.get("spot")] == ["gpu-spot"]
    assert sum(pool["backlogShare"] for pool in pools.values()) == pytest.approx(1)
