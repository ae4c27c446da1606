"""What jobs would take, over HTTP."""

from __future__ import annotations

from typing import Any

from flask import Response
from flask_openapi import APIBlueprint, Tag

from api.access import caller
from api.answers import shown
from api.bodies import read_json
from api.contract import json_body, problems
from api.pictures import find_picture
from api.problems import InvalidRequestError
from api.requests import EstimateRequest, check_count, parse_body
from api.state import services
from dreamcore.explain import FieldProblem
from farm.batch_store import BatchSpec
from farm.schema import EstimateView
from farm.sweep import Sweep, check_points

bp = APIBlueprint("estimates", __name__, url_prefix="/v1/estimate", abp_tags=[Tag(name="jobs")])


@bp.post("", request_body=json_body(EstimateRequest), responses={200: EstimateView, **problems(422, 502)})
def estimate() -> Response:
    """Tell what a job would take: operations, memory, seconds, cost; nothing is stored."""
    asked = read_json()
    body = parse_body(EstimateRequest, asked)
    size, guides = _size(body), [(guide.height, guide.width) for guide in body.guides]
    told = services().estimates.estimate(
        body.params,
        size,
        zoom=body.zoom_path(),
        guides=guides,
        owner=caller().owner,
        needs=body.needs,
        priority=body.priority,
    )
    if body.sweep is None:
        return shown(told)
    # Of the parameters as they were sent: a point may choose the preset that fills in the others.
    spec = _swept(asked.get("params", {}), body, body.sweep)
    seconds = services().estimates.batch_cost(spec, [size], guides=guides).seconds
    return shown(told.model_copy(update={"sweep_seconds": seconds}))


def _swept(params: dict[str, Any], body: EstimateRequest, sweep: Sweep) -> BatchSpec:
    check_count(1, len(sweep.axes()))
    path = body.zoom_path()
    zoom = path.model_dump(mode="json") if path else None
    try:
        check_points(params, zoom, sweep)
    except ValueError as error:
        raise InvalidRequestError([FieldProblem("/sweep", str(error))]) from None
    return BatchSpec(params=params, zoom=zoom, sweep=sweep)


def _size(body: EstimateRequest) -> tuple[int, int]:
    if body.width is not None and body.height is not None:
        return body.height, body.width
    if body.image is None:
        raise ValueError("The request was checked to have a picture or a size.")
    view = find_picture(body.image).view
    return view.height, view.width
