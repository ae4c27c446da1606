"""The Terraform example: valid by the providers' schemas, and planned as a farm needs it, without any cloud."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml

from farm import pictures
from farm.settings import Settings
from tests.infra.schema_provider import SCHEMAS, providers

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "infra" / "terraform"
PAGE = ROOT / "docs" / "terraform.md"
CHART = ROOT / "infra" / "helm" / "dreamfarm"
DAY_S = 86_400
ACTIONS = {
    "copy_object": {"s3:GetObject", "s3:PutObject"},
    "delete_object": {"s3:DeleteObject"},
    "get_object": {"s3:GetObject"},
    "head_bucket": {"s3:ListBucket"},
    "head_object": {"s3:GetObject"},
    "list_objects_v2": {"s3:ListBucket"},
    "put_object": {"s3:PutObject"},
}
"""What IAM asks for each call, by S3's reference of actions."""

MADE_BY_TERRAFORM = {"create_bucket"}
TERRAFORM = shutil.which("terraform")
pytestmark = pytest.mark.slow
needs_terraform = pytest.mark.skipif(
    TERRAFORM is None, reason="Terraform 1.11 or later is not in PATH; its makers' site has it"
)


@pytest.fixture(scope="module")
def text():
    return "\n".join(path.read_text() for path in sorted(FOLDER.glob("*.tf")))


@pytest.fixture(scope="module")
def terraform(tmp_path_factory):
    """Run Terraform on a copy of the folder, with providers that know what resources take."""
    folder = tmp_path_factory.mktemp("tf")
    copy = shutil.copytree(FOLDER, folder / "infra" / "terraform", ignore=shutil.ignore_patterns(".terraform*"))
    with providers(folder) as environment:

        def run(*arguments):
            return subprocess.run(
                [TERRAFORM, f"-chdir={copy}", *arguments],
                env={**os.environ, **environment}, capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip

        assert run("init", "-backend=false").returncode == 0
        yield run


@pytest.fixture(scope="module")
def said(terraform):
    """Return what `terraform test` said, a document for each event."""
    done = terraform("test", "-json", "-verbose")
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.fixture(scope="module")
def plans(said):
    """Return the resources that each run plans, by address."""
    events = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return {
        event["@testrun"]: {one["address"]: one["change"]["after"] for one in event["test_plan"]["resource_changes"]}
        for event in events
        if event["type"] == "test_plan" and "resource_changes" in event["test_plan"]
    }


@pytest.fixture(scope="module")
def plan(plans):
    return plans["all_of_it"]


def policy(resource):
    return json.loads(resource.get("policy") or resource["assume_role_policy"])["Statement"]


def called(path):
    """Return the S3 calls that a file makes of its clients, those that it signs for others among them."""
    calls = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and re.fullmatch(r"self\._(client|public)\.\w+", ast.unparse(node.func)):
            name = node.func.attr
            calls.add(node.args[0].value if name in {"get_paginator", "generate_presigned_url"} else name)
    return calls


@needs_terraform
def test_it_is_valid(terraform):
    """Each argument, block, reference and function is one that Terraform and the providers' schemas know."""
    done = terraform("validate")

    assert done.returncode == 0, done.stderr


@needs_terraform
def test_the_schemas_refuse_what_providers_do_not_know(tmp_path):
    """The check can fail: a wrong argument, a missing one and a wrong type are told."""
    wrong = 'resource "aws_s3_bucket_policy" "wrong" {\n  bucket = ["a"]\n  polices = "x"\n}\n'
    (tmp_path / "wrong.tf").write_text(wrong)
    with providers(tmp_path) as environment:
        run = {"env": {**os.environ, **environment}, "cwd": tmp_path, "capture_output": True, "text": True}
        subprocess.run([TERRAFORM, "init"], check=True, **run)
        done = subprocess.run([TERRAFORM, "validate", "-no-color"], check=False, **run)

    assert done.returncode == 1
    for told in ('"polices" is not expected', '"policy" is required', "string required"):
        assert told in done.stderr


@needs_terraform
def test_it_is_laid_out_as_terraform_does(terraform):
    """`terraform fmt` would change nothing."""
    assert terraform("fmt", "-check", "-recursive").returncode == 0


@needs_terraform
def test_what_it_promises_holds(plans):
    """The folder's own tests pass: spot, access from outside, options, and every wrong value refused."""
    assert set(plans) == {"as_it_comes", "all_of_it", "without_web_pages"}


def test_schemas_are_of_the_versions_that_are_asked_for(text):
    """Each provider and resource in use has its schema here, of the version that the configuration begins with."""
    versions = dict(re.findall(r'^ +source  = "hashicorp/(\w+)"\n +version = "~> ([\d.]+)"', text, re.MULTILINE))
    used = set(re.findall(r'^resource "(\w+)"', text, re.MULTILINE))

    assert set(versions) == set(SCHEMAS)
    assert all(SCHEMAS[name]["version"].startswith(f"{version}.") for name, version in versions.items())
    assert used == {name for provider in SCHEMAS.values() for name in provider["resources"]}


def test_variables_and_outputs_say_what_they_are(text):
    """Each is described, each variable has a type and is used."""
    for kind, name, body in re.findall(r'^(variable|output) "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE):
        assert re.search(r'^  description = "[A-Z].*[.)]"$', body, re.MULTILINE), name
        if kind == "variable":
            assert re.search(r"^  type +=", body, re.MULTILINE), name
            assert len(re.findall(rf"var\.{name}\b", text.replace(body, ""))) >= 1, name


def test_the_page_gives_what_has_no_default(text):
    """The file that the page shows names variables that there are, and all that have to be given but the password."""
    [shown] = re.findall(r"^```hcl\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    given = set(re.findall(r"^(\w+) +=", shown, re.MULTILINE))
    bodies = dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.DOTALL | re.MULTILINE))
    needed = {name for name, body in bodies.items() if not re.search("^  default ", body, re.MULTILINE)}

    assert needed - given == {"redis_password"}
    assert given <= set(bodies)


@needs_terraform
def test_all_is_tagged(text, plan):
    """What the provider makes, by its default tags; machines and disks, which others make, by their template."""
    assert re.search(
        r'^provider "aws" \{.*?  default_tags \{\n    tags = local.tags\n  \}\n^\}', text, re.DOTALL | re.MULTILINE
    )
    for name in ("system", "gpu"):
        told = plan[f'aws_launch_template.node["{name}"]']["tag_specifications"]
        assert {one["resource_type"]: one["tags"]["farm"] for one in told} == {
            "instance": "dreamfarm",
            "volume": "dreamfarm",
        }


@needs_terraform
def test_the_farm_may_do_what_its_code_does(plan):
    """The policy's actions are those that the calls in farm/storage.py need: none missing, none more."""
    calls = called(ROOT / "farm" / "storage.py") - MADE_BY_TERRAFORM
    statements = policy(plan["aws_iam_role_policy.farm"])
    given = {(action, one["Resource"]) for one in statements for action in [one["Action"]] for action in _list(action)}

    assert len(calls) >= 6
    assert {action for action, _ in given} == set().union(*(ACTIONS[call] for call in calls))
    assert {where for _, where in given} == {"arn:aws:s3:::dreams-example", "arn:aws:s3:::dreams-example/*"}


def _list(value):
    return value if isinstance(value, list) else [value]


def test_only_the_storage_speaks_s3():
    """No other file has a client; buckets are made by the embedded stack, and by a command of containers."""
    files = [path for room in ("api", "dreamfarm", "farm", "worker") for path in (ROOT / room).rglob("*.py")]

    assert [path.name for path in files if "import boto3" in path.read_text()] == ["storage.py"]
    makers = {path.name for path in files if "storage.create_bucket" in path.read_text()}
    assert makers == {"servers.py", "bucket.py"}


@needs_terraform
def test_nothing_is_allowed_wholesale(plan):
    """No statement that allows has a wildcard for its action, or all things for its resource."""
    held = [one for one in plan.values() if one and (one.get("policy") or one.get("assume_role_policy"))]
    allowed = [one for resource in held for one in policy(resource) if one["Effect"] == "Allow"]

    assert len(allowed) >= 5
    assert not any("*" in action for one in allowed for action in _list(one["Action"]))
    assert not any(one.get("Resource") == "*" for one in allowed)


@needs_terraform
def test_the_bucket_is_closed(plan):
    """Public access is blocked in all four ways, objects are encrypted, plain HTTP is refused."""
    block = plan["aws_s3_bucket_public_access_block.dreams"]
    encryption = plan["aws_s3_bucket_server_side_encryption_configuration.dreams"]["rule"]
    [refused] = policy(plan["aws_s3_bucket_policy.dreams"])

    assert all(block[what] for what in ("block_public_acls", "block_public_policy", "ignore_public_acls"))
    assert block["restrict_public_buckets"]
    assert encryption[0]["apply_server_side_encryption_by_default"][0]["sse_algorithm"] == "AES256"
    assert (refused["Effect"], refused["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})


@needs_terraform
def test_the_lifecycle_takes_nothing_that_is_still_wanted(plan):
    """Uploads go after the farm has forgotten them; pictures and jobs are moved at most."""
    rules = {one["id"]: one for one in plan["aws_s3_bucket_lifecycle_configuration.dreams"]["rule"]}
    expiring = {one["filter"][0]["prefix"]: one["expiration"][0]["days"] for one in rules.values() if one["expiration"]}

    assert set(expiring) == {"uploads/", "doctor/"}
    assert expiring["uploads/"] * DAY_S > pictures.UPLOAD_LIFE_S
    assert rules["abandoned-multipart-uploads"]["abort_incomplete_multipart_upload"]
    assert all(one["status"] == "Enabled" for one in rules.values())


@needs_terraform
def test_pages_may_do_what_presigned_links_are_for(plan):
    """From the origins that are named, and no others: read, and write by PUT with a content type."""
    [rule] = plan["aws_s3_bucket_cors_configuration.dreams[0]"]["cors_rule"]

    assert rule["allowed_origins"] == ["https://dreams.example"]
    assert set(rule["allowed_methods"]) == {"GET", "HEAD", "PUT"}
    assert rule["allowed_headers"] == ["content-type"]


@needs_terraform
def test_redis_is_what_a_farm_needs(plan):
    """Valkey of one shard that evicts nothing, with a replica in another zone, over TLS, for who has the password."""
    group, parameters = (
        plan[f"aws_elasticache_{what}.redis"] for what in ("replication_group", "parameter_group")
    )  # fmt: skip

    assert (group["engine"], group["num_cache_clusters"], group["num_node_groups"]) == ("valkey", 2, None)
    assert group["multi_az_enabled"]
    assert group["automatic_failover_enabled"]
    assert (group["transit_encryption_enabled"], group["transit_encryption_mode"]) == (True, "required")
    assert parameters["parameter"] == [{"name": "maxmemory-policy", "value": "noeviction"}]
    assert group["auth_token_wo_version"] == 1


@needs_terraform
def test_the_password_is_nowhere(said):
    """Neither in a plan nor in what becomes the state."""
    [password] = re.findall(r'redis_password += "(\w{32})"', (FOLDER / "tests" / "farm.tftest.hcl").read_text())

    assert password not in said
    assert "rediss://" not in said


@needs_terraform
def test_workers_have_their_nodes(plan):
    """GPU nodes are marked, kept free of others, and what runs on nodes can't take the nodes' role."""
    gpu, template = plan['aws_eks_node_group.farm["gpu"]'], plan['aws_launch_template.node["gpu"]']
    values = yaml.safe_load(plan["helm_release.farm"]["values"][0])

    assert gpu["ami_type"] == "AL2023_x86_64_NVIDIA"
    assert [(one["key"], one["effect"]) for one in gpu["taint"]] == [("nvidia.com/gpu", "NO_SCHEDULE")]
    assert values["workers"]["gpu"]["nodeSelector"] == gpu["labels"]
    assert values["workers"]["gpu"]["max"] == gpu["scaling_config"][0]["max_size"] == 20
    assert template["metadata_options"][0]["http_tokens"] == "required"
    assert template["metadata_options"][0]["http_put_response_hop_limit"] == 1


@needs_terraform
def test_the_farm_gets_the_role(plan):
    """The service account that the chart makes is the one that has the role, and it may reach the agent for it."""
    values = yaml.safe_load(plan["helm_release.farm"]["values"][0])
    identity = plan["aws_eks_pod_identity_association.farm"]
    [way] = values["networkPolicy"]["extraEgress"]

    assert values["serviceAccount"]["name"] == identity["service_account"]
    assert plan["helm_release.farm"]["namespace"] == identity["namespace"]
    assert values["s3"]["credentials"] == "chain"
    assert way["to"][0]["ipBlock"]["cidr"] == "169.254.170.23/32"
    assert 'aws_eks_addon.early["eks-pod-identity-agent"]' in plan


@needs_terraform
@pytest.mark.skipif(not CHART.exists(), reason="infra/helm/dreamfarm, the chart that is installed, is not here")
@pytest.mark.parametrize("run", ["as_it_comes", "all_of_it"])
def test_the_chart_takes_the_values(plans, run):
    """By the chart's own schema, over its own defaults."""
    values = yaml.safe_load(plans[run]["helm_release.farm"]["values"][0])
    defaults = yaml.safe_load((CHART / "values.yaml").read_text())

    jsonschema.validate(_merged(defaults, values), json.loads((CHART / "values.schema.json").read_text()))
    given = [values["settings"], *(pool.get("settings", {}) for pool in values["workers"].values())]
    assert {name for settings in given for name in settings} <= set(Settings.model_fields)


def _merged(base, over):
    """Return values as Helm merges them: tables into each other, all else in whole."""
    if not (isinstance(base, dict) and isinstance(over, dict)):
        return over
    return {**base, **{key: _merged(base.get(key), value) for key, value in over.items()}}
