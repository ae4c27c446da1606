"""A span for each request, where traces are wanted; it continues the caller's trace, if there is one."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, g, request

from farm.traces import HEADER, caller

if TYPE_CHECKING:
    from farm.traces import Traces


def register_traces(app: Flask, traces: Traces) -> None:
    """Note every request; where no traces are wanted, the app stays as it is."""
    if not traces.on:
        return

    def begin() -> None:
        route = request.url_rule.rule if request.url_rule else "(none)"
        told = {"http.request.method": request.method, "http.route": route}
        name = f"{request.method} {route}"
        g.span = traces.start(name, told, kind="server", parent=request.headers.get(HEADER, ""))
        g.span_token = caller.set(g.span.context)

    app.before_request(begin)
    app.after_request(_end)


def _end(answer: Response) -> Response:
    span = g.pop("span", None)
    if span is not None:
        caller.reset(g.pop("span_token"))
        told: dict[str, str | int] = {"http.response.status_code": answer.status_code}
        if "made" in g:
            told["dreamfarm.made"] = g.made
        span.end(told, failed=answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR)
    return answer
