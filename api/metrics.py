"""What the farm counts, for Prometheus; and the counting of requests."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress
from threading import Lock, Timer
from typing import cast

from flask import Flask, Response, current_app, g, request
from flask_openapi import APIBlueprint, Tag
from prometheus_client import CONTENT_TYPE_LATEST

from api.contract import METRICS, problems
from api.state import services
from farm.errors import FarmError
from farm.metrics import Metrics, request_fields

FLUSH_EVERY_S = 1.0
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"})

bp = APIBlueprint("metrics", __name__, abp_tags=[Tag(name="health")])


class RequestCounts:
    """Counts this process' requests, and adds them to the farm's once a second: no request waits for it."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._lock = Lock()
        self._waiting: Counter[str] = Counter()
        self._timer: Timer | None = None

    def add(self, fields: dict[str, float]) -> None:
        """Count a request."""
        with self._lock:
            for field, amount in fields.items():
                self._waiting[field] += amount  # type: ignore[assignment]  # a counter takes seconds too
            if self._timer is None:
                self._timer = Timer(FLUSH_EVERY_S, self.flush)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Add what was counted to what the farm has; where Redis is away these counts are lost."""
        with self._lock:
            taken, self._waiting, self._timer = dict(self._waiting), Counter(), None
        if taken:
            with suppress(FarmError):
                self.metrics.add_requests(taken)


def register_metrics(app: Flask, metrics: Metrics) -> None:
    """Count every request."""
    app.extensions["request_counts"] = RequestCounts(metrics)
    app.before_request(_begin)
    app.after_request(_count)


@bp.get("/metrics", responses={200: METRICS, **problems(503)})
def show_metrics() -> Response:
    """Tell what the farm counts, in Prometheus' text format."""
    _counts().flush()
    return Response(services().metrics.text(), content_type=CONTENT_TYPE_LATEST)


def _begin() -> None:
    g.begun = time.perf_counter()


def _count(answer: Response) -> Response:
    begun = g.pop("begun", None)
    if begun is not None:
        route = request.url_rule.rule if request.url_rule else "(none)"
        method = request.method if request.method in METHODS else "(other)"
        _counts().add(request_fields(method, route, answer.status_code, time.perf_counter() - begun))
    return answer


def _counts() -> RequestCounts:
    return cast("RequestCounts", current_app.extensions["request_counts"])
