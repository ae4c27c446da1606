"""Dashboards and alerts speak of metrics that the farm really tells."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from ulid import ULID

from farm import change
from farm.change import Fence
from farm.record import JobSpec
from farm.schema import ErrorView, PictureView, ProgressView
from tests.infra.charts import manifests, needs_helm, queries
from tests.infra.expressions import parsed, reads

INFRA = Path(__file__).parents[2] / "infra"
BOARDS = sorted((INFRA / "grafana" / "dashboards").glob("*.json"))
ALERTS = INFRA / "prometheus" / "alerts.yml"
NAMES = ("farm", "workers", "api")
OF_PROMETHEUS = {("up", ""), ("up", "job")}
ERROR = ErrorView(code="boom", message="It broke.").model_dump_json()


def rules():
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def panels(board):
    return json.loads(board.read_text())["panels"]


def expressions():
    """Return {where: expression} of all dashboards and alerts."""
    shown = {
        f"{board.stem}: {panel['title']} {target['refId']}": target["expr"]
        for board in BOARDS
        for panel in panels(board)
        for target in panel["targets"]
    }
    return {**shown, **{rule["alert"]: rule["expr"] for rule in rules()}}


def promtool():
    return shutil.which("promtool", path=str(Path(sys.executable).parent)) or shutil.which("promtool")


@pytest.fixture
def told(client, services):
    """Return {(metric, label)} that a farm tells on which everything has happened once; (metric, "") for the metric."""
    spec = JobSpec(owner="ada", params={}, format="png", input=PictureView(sha256="0" * 64, width=8, height=8))
    job_id = services.store.create(str(ULID()), spec, ProgressView(octaves=1, steps=1)).id
    services.store.apply(change.claim(job_id, attempt=1, token="t", worker="w", lease_ms=10_000))
    services.store.apply(change.fail(job_id, Fence(1, "t"), error=ERROR))
    services.workers.beat("w", {"host": "h", "pid": 1, "version": "1", "started_at": "2026-01-01T00:00:00+00:00"})
    services.workers.note("w", speed="1.5")
    client.get("/v1/jobs")
    families = list(text_string_to_metric_families(client.get("/metrics").text))
    samples = [sample for family in families for sample in family.samples]
    pairs = {(sample.name, label) for sample in samples for label in ["", *sample.labels]}
    return pairs | OF_PROMETHEUS


def test_every_panel_and_alert_reads_metrics_and_labels_that_there_are(told):
    """A metric that is renamed in the farm is missed here, not in the night that needs it."""
    missing = {where: reads(expression) - told for where, expression in expressions().items()}

    assert {where: pairs for where, pairs in missing.items() if pairs} == {}


def test_a_metric_that_is_not_there_would_be_seen(told):
    """A wrong name, a wrong label in a selector and a wrong one to sum by are each found."""
    wrong = 'sum by (nobody) (rate(dreamfarm_job{state="x"}[5m])) / sum(dreamfarm_jobs{stat="x"})'

    assert {("dreamfarm_job", ""), ("dreamfarm_job", "nobody"), ("dreamfarm_jobs", "stat")} <= reads(wrong) - told


@needs_helm
def test_the_autoscaler_reads_metrics_that_there_are(told):
    """What the chart's ScaledObjects ask Prometheus is told by the api, with the labels that it is summed by."""
    asked = queries(manifests("gpu"))

    assert len(asked) == 3
    assert set().union(*map(reads, asked.values())) - told == set()


def test_the_whole_of_what_the_farm_tells_is_shown(told):
    """Every metric stands on some dashboard."""
    shown = {name for expression in expressions().values() for name, _ in reads(expression)}
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}

    assert {re.sub(r"_(bucket|sum|count)$", "", name) for name, _ in told} - stems == set()


def test_the_dashboards_are_those_that_their_program_writes(tmp_path):
    """Nobody edits them by hand and loses it at the next change."""
    program = tmp_path / "make_dashboards.py"
    shutil.copy(INFRA / "grafana" / "make_dashboards.py", program)
    (tmp_path / "dashboards").mkdir()

    subprocess.run([sys.executable, program], check=True, timeout=120)

    assert {file.name: file.read_text() for file in (tmp_path / "dashboards").iterdir()} == {
        board.name: board.read_text() for board in BOARDS
    }
    assert {board.stem for board in BOARDS} == set(NAMES)


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_a_dashboards_panels_lie_beside_each_other(board):
    """Each in Grafana's 24 columns, none on another, all on the data source that is provisioned."""
    source = yaml.safe_load((INFRA / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"][0]
    taken = set()
    for panel in panels(board):
        place = panel["gridPos"]
        cells = {(x + place["x"], y + place["y"]) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {source["uid"]}


def test_every_alert_says_what_to_do():
    """A summary, a description, how urgent it is, and PromQL that can be read."""
    for rule in rules():
        assert set(rule["annotations"]) == {"summary", "description"}
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert parsed(rule["expr"])


def test_prometheus_reads_the_rules_that_there_are():
    """The rule files that it names lie beside it, and it asks for the path that the api answers at."""
    config = yaml.safe_load((INFRA / "prometheus/prometheus.yml").read_text())

    assert all((INFRA / "prometheus" / file).is_file() for file in config["rule_files"])
    assert config["scrape_configs"][0]["metrics_path"] == "/metrics"


@pytest.mark.skipif(promtool() is None, reason="there is no promtool here")
@pytest.mark.parametrize(
    "arguments", [("check", "rules", "alerts.yml"), ("test", "rules", "alerts_test.yml")], ids=["check", "test"]
)
def test_the_alerts_ring_when_they_should(arguments):
    """Prometheus' own tool plays each alert's case, and a farm at work at which none may ring."""
    done = subprocess.run(
        [promtool(), *arguments], check=False, cwd=INFRA / "prometheus", capture_output=True, text=True, timeout=120
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_has_a_case_in_which_it_rings_or_rests():
    """The cases that Prometheus' tool plays name every alert."""
    cases = (INFRA / "prometheus" / "alerts_test.yml").read_text()
    quiet = set(re.findall(r"alertname: (\w+)", cases))

    assert quiet == {rule["alert"] for rule in rules()}
    rings = re.findall(r'alertname=~?"([^"]+)"', cases)
    assert all(any(re.fullmatch(pattern, rule["alert"]) for pattern in rings) for rule in rules())
