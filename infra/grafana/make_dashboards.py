"""Writes the Grafana dashboards: ``python infra/grafana/make_dashboards.py``.

A row of panels is a list; Grafana's 24 columns are shared evenly among its panels.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(__file__).parent / "dashboards"
DATASOURCE = {"type": "prometheus", "uid": "dreamfarm"}
COLUMNS = 24
HEIGHTS = {"stat": 4, "timeseries": 8, "table": 9}
OKAY, WARN, BAD = "green", "orange", "red"


class Panel(NamedTuple):
    """One panel: its queries as (PromQL, legend), and from which values on it warns."""

    title: str
    queries: Sequence[tuple[str, str]]
    unit: str = "short"
    kind: str = "timeseries"
    about: str = ""
    warn: float | None = None
    bad: float | None = None
    stacked: bool = False


def stat(title: str, query: str, **options: Any) -> Panel:
    """Return a panel that shows one number."""
    return Panel(title, [(query, "")], kind="stat", **options)


def rate(metric: str, by: str = "") -> str:
    """Return what a counter grows by in a second, over the time between two points of the graph."""
    summed = f"sum by ({by})" if by else "sum"
    return f"{summed} (rate({metric}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return a quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket[$__rate_interval])))"


SECONDS_LEFT = "sum(dreamfarm_backlog_device_seconds) / sum(rate(dreamfarm_work_done_device_seconds_total[10m]))"
FAILED_SHARE = (
    'sum(rate(dreamfarm_attempts_ended_total{outcome="failed"}[30m])) / sum(rate(dreamfarm_attempts_ended_total[30m]))'
)
BUSY_SHARE = 'dreamfarm_workers{state="busy"} / on () sum(dreamfarm_workers{state=~"idle|busy"})'
ERROR_SHARE = (
    'sum(rate(dreamfarm_http_request_seconds_count{status="5xx"}[$__rate_interval]))'
    " / sum(rate(dreamfarm_http_request_seconds_count[$__rate_interval]))"
)

FARM = [
    [
        stat("Until the queue is empty", SECONDS_LEFT, unit="s", warn=900, bad=3600,
             about="At the last ten minutes' pace."),
        stat("Oldest queued job", "dreamfarm_oldest_queued_seconds", unit="s", warn=900, bad=3600),
        stat("Queued", 'sum(dreamfarm_jobs{state="queued"})'),
        stat("Running", 'sum(dreamfarm_jobs{state="running"})'),
        stat("Workers", 'sum(dreamfarm_workers{state=~"idle|busy"})'),
        stat("Failed attempts", FAILED_SHARE, unit="percentunit", warn=0.02, bad=0.2, about="Of the last half hour."),
    ],
    [
        Panel("Backlog", [("dreamfarm_backlog_device_seconds", "{{state}}")], unit="s", stacked=True,
              about="Work in seconds of the reference device: a film weighs as much as a thousand pictures."),
        Panel("Work done", [(rate("dreamfarm_work_done_device_seconds_total"), "device-seconds a second")],
              about="What autoscaling divides the backlog by."),
    ],
    [
        Panel("Jobs by state", [('sum by (state) (dreamfarm_jobs{state=~"queued|running"})', "{{state}}")],
              stacked=True),
        Panel("Queued jobs of owners", [('topk(10, sum by (owner) (dreamfarm_jobs{state="queued"}))', "{{owner}}")]),
        Panel("Batches' jobs that are yet to be made", [("dreamfarm_batch_jobs_unmade", "unmade")]),
    ],
    [
        Panel("Attempts by their end", [(rate("dreamfarm_attempts_ended_total", "outcome"), "{{outcome}}")],
              unit="ops"),
        Panel("Errors by code", [(rate("dreamfarm_errors_total", "code"), "{{code}}")], unit="ops"),
        Panel("Served an earlier result", [(rate("dreamfarm_jobs_cached_total"), "jobs")], unit="ops"),
    ],
    [
        Panel("Length of attempts",
              [(quantile(share, "dreamfarm_render_seconds"), f"{share:.0%} take less") for share in (0.5, 0.9, 0.99)],
              unit="s"),
        Panel("Steps", [(rate("dreamfarm_steps_total"), "steps a second")], about="Of jobs that succeeded."),
    ],
]  # fmt: skip

WORKERS = [
    [
        stat("Busy", BUSY_SHARE, unit="percentunit", about="Of the workers that take jobs."),
        stat("Set aside", 'sum(dreamfarm_workers{state="set_aside"})', warn=1, bad=2,
             about="Failed three jobs in a row that others rendered."),
        stat("Draining", 'sum(dreamfarm_workers{state="draining"})'),
        stat("Longest silence", "max(dreamfarm_worker_silence_seconds)", unit="s", warn=5, bad=10),
        stat("Versions", "count(count by (version) (dreamfarm_worker_info))", warn=2, bad=3),
    ],
    [
        Panel("Workers by state", [("dreamfarm_workers", "{{state}}")], stacked=True),
        Panel("Speed", [("dreamfarm_worker_speed", "{{worker}}")],
              about="Work of the latest render, in seconds of the reference device a second."),
    ],
    [
        Panel("Silence", [("dreamfarm_worker_silence_seconds", "{{worker}} · {{device}}")], unit="s",
              about="Time since the last heartbeat; they come every two seconds."),
        Panel("Lost and handed back",
              [(rate('dreamfarm_attempts_ended_total{outcome=~"lost|handed_back"}', "outcome"), "{{outcome}}")],
              unit="ops", about="Lost: the worker died. Handed back: it was asked to stop, as spot instances are."),
    ],
    [
        Panel("Jobs given at once",
              [(f"{rate('dreamfarm_pack_jobs_sum')} / {rate('dreamfarm_pack_jobs_count')}", "mean"),
               (quantile(0.9, "dreamfarm_pack_jobs"), "90% are smaller")]),
    ],
    [
        Panel("Alive", [("dreamfarm_worker_info", "")], kind="table",
              about="Version, library, device and tags of each worker."),
    ],
]  # fmt: skip

HTTP = "dreamfarm_http_request_seconds"
API = [
    [
        stat("Requests", rate(f"{HTTP}_count"), unit="reqps"),
        stat("Answered 5xx", ERROR_SHARE, unit="percentunit", warn=0.001, bad=0.01),
        stat("99% are answered within", quantile(0.99, HTTP), unit="s", warn=0.5, bad=1.0),
        stat("Api reached", 'min(up{job="dreamfarm"})', about="1: Prometheus reads the farm's metrics."),
    ],
    [
        Panel("Requests by status", [(rate(f"{HTTP}_count", "status"), "{{status}}")], unit="reqps", stacked=True),
        Panel("Time to answer", [(quantile(share, HTTP), f"{share:.0%} take less") for share in (0.5, 0.9, 0.99)],
              unit="s"),
    ],
    [
        Panel("Busiest routes", [(f"topk(10, {rate(f'{HTTP}_count', 'method, route')})", "{{method}} {{route}}")],
              unit="reqps"),
        Panel("Slowest routes: 99% take less",
              [(f"topk(10, {quantile(0.99, HTTP, 'method, route')})", "{{method}} {{route}}")], unit="s"),
    ],
    [
        Panel("Refused requests by route",
              [(rate(HTTP + '_count{status="4xx"}', "route"), "{{route}}")], unit="reqps"),
        Panel("Failed requests by route",
              [(rate(HTTP + '_count{status="5xx"}', "route"), "{{route}}")], unit="reqps"),
    ],
]  # fmt: skip

DASHBOARDS = {"farm": FARM, "workers": WORKERS, "api": API}


def dashboard(name: str, rows: Sequence[Sequence[Panel]]) -> dict[str, Any]:
    """Return a dashboard as Grafana reads it."""
    return {
        "uid": f"dreamfarm-{name}",
        "title": f"Dreamfarm · {name}",
        "tags": ["dreamfarm"],
        "schemaVersion": 39,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-3h", "to": "now"},
        "links": [{"type": "dashboards", "tags": ["dreamfarm"], "title": "Dreamfarm", "keepTime": True}],
        "panels": _laid_out(rows),
    }


def text_of(name: str) -> str:
    """Return a dashboard's file."""
    return json.dumps(dashboard(name, DASHBOARDS[name]), indent=1, ensure_ascii=False) + "\n"


def _laid_out(rows: Sequence[Sequence[Panel]]) -> list[dict[str, Any]]:
    laid: list[dict[str, Any]] = []
    top = 0
    for row in rows:
        width, height = COLUMNS // len(row), HEIGHTS[row[0].kind]
        for place, panel in enumerate(row):
            position = {"x": place * width, "y": top, "w": width, "h": height}
            laid.append({"id": len(laid) + 1, "gridPos": position, **_panel(panel)})
        top += height
    return laid


def _panel(panel: Panel) -> dict[str, Any]:
    is_now = panel.kind != "timeseries"
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": DATASOURCE,
        "fieldConfig": {"defaults": {"unit": panel.unit, **_colours(panel), **_drawn(panel)}, "overrides": []},
        "targets": [
            {
                "refId": chr(ord("A") + number),
                "datasource": DATASOURCE,
                "expr": query,
                "legendFormat": legend or "__auto",
                "instant": is_now,
                "format": "table" if panel.kind == "table" else "time_series",
            }
            for number, (query, legend) in enumerate(panel.queries)
        ],
    }


def _colours(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": OKAY, "value": None}]
    steps += [{"color": colour, "value": value} for colour, value in ((WARN, panel.warn), (BAD, panel.bad)) if value]
    return {"thresholds": {"mode": "absolute", "steps": steps}}


def _drawn(panel: Panel) -> dict[str, Any]:
    if panel.kind != "timeseries":
        return {}
    stacking = {"mode": "normal" if panel.stacked else "none"}
    return {
        "min": 0,
        "custom": {"fillOpacity": 20 if panel.stacked else 5, "stacking": stacking, "showPoints": "never"},
    }


if __name__ == "__main__":
    for name in DASHBOARDS:
        (FOLDER / f"{name}.json").write_text(text_of(name))
