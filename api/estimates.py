"""What jobs would take, over HTTP."""

from __future__ import annotations

from flask import Response
from flask_openapi import APIBlueprint, Tag

from api.answers import shown
from api.bodies import read_json
from api.contract import json_body, problems
from api.pictures import find_picture
from api.requests import EstimateRequest, parse_body
from api.state import services
from farm.schema import EstimateView

bp = APIBlueprint("estimates", __name__, url_prefix="/v1/estimate", abp_tags=[Tag(name="jobs")])


@bp.post("", request_body=json_body(EstimateRequest), responses={200: EstimateView, **problems(422, 502)})
def estimate() -> Response:
    """Tell what a job would take: operations, memory, seconds, cost; nothing is stored."""
    body = parse_body(EstimateRequest, read_json())
    return shown(services().estimates.estimate(body.params, _size(body), zoom=body.zoom_path()))


def _size(body: EstimateRequest) -> tuple[int, int]:
    if body.width is not None and body.height is not None:
        return body.height, body.width
    if body.image is None:
        raise ValueError("The request was checked to have a picture or a size.")
    view = find_picture(body.image).view
    return view.height, view.width
