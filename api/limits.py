"""Limits over HTTP: 429 and 503 with when to come back, and on every answer how much is left."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, g

from api.access import caller
from api.problems import problem
from api.state import services
from farm.errors import LimitError, QueueFullError

if TYPE_CHECKING:
    from farm.limits import Rate

QUEUE_FULL_RETRY_S = 30


def register_limits(app: Flask) -> None:
    """Count requests, and answer those that are too many."""
    app.before_request(_count)
    app.after_request(_tell)
    app.register_error_handler(LimitError, _too_much)
    app.register_error_handler(QueueFullError, _queue_full)


def _count() -> Response | None:
    if "caller" not in g or caller().key_id is None:
        return None
    g.rate = rate = services().limits.count_request(str(caller().key_id))
    if rate.allowed:
        return None
    return problem(
        HTTPStatus.TOO_MANY_REQUESTS,
        "rate_limited",
        f"This key may make {rate.limit} requests a minute. The next one is let through in {rate.retry_after_s} s.",
        headers={"Retry-After": str(rate.retry_after_s)},
    )


def _tell(answer: Response) -> Response:
    rate: Rate | None = g.get("rate")
    if rate is not None and "RateLimit" not in answer.headers:
        answer.headers["RateLimit-Policy"] = f'"requests";q={rate.limit};w=60'
        answer.headers["RateLimit"] = f'"requests";r={rate.left};t={rate.reset_s}'
    return answer


def _too_much(error: LimitError) -> Response:
    name = error.policy.partition(";")[0]
    headers = {
        "Retry-After": str(error.retry_after_s),
        "RateLimit-Policy": error.policy,
        "RateLimit": f"{name};r={error.left};t={error.retry_after_s}",
    }
    return problem(HTTPStatus.TOO_MANY_REQUESTS, error.code, str(error), headers=headers)


def _queue_full(error: QueueFullError) -> Response:
    headers = {"Retry-After": str(QUEUE_FULL_RETRY_S)}
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "queue_full", str(error), headers=headers)
