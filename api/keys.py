"""Keys over HTTP, for those who run the farm."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, g
from flask_openapi import APIBlueprint, Tag

from api.answers import nothing, shown
from api.bodies import read_json
from api.contract import json_body, problems
from api.idempotency import new_id
from api.requests import KeyPath, KeyRequest, parse_body
from api.state import services
from farm.account_schema import KeyPage, NewKeyView

bp = APIBlueprint(
    "keys", __name__, url_prefix="/v1/keys", abp_tags=[Tag(name="keys")], abp_responses=problems(400, 401, 403, 503)
)


@bp.post("", request_body=json_body(KeyRequest), responses={201: NewKeyView})
def create_key() -> Response:
    """Make a key; its text is in this answer, and nowhere again."""
    body = parse_body(KeyRequest, read_json())
    view, token = services().api_keys.create(body.owner, body.scopes, name=body.name, key_id=new_id())
    made = NewKeyView(**view.model_dump(), key=token)
    g.body_to_keep = made.model_copy(update={"key": None}).model_dump_json()
    answer = shown(made, status=HTTPStatus.CREATED)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("", responses={200: KeyPage})
def list_keys() -> Response:
    """List the keys, oldest first, the revoked ones too."""
    return shown(KeyPage(keys=services().api_keys.list()))


@bp.delete("/<key_id>", responses={204: None, **problems(404)})
def revoke_key(path: KeyPath) -> Response:
    """Revoke a key: it opens nothing from now on."""
    services().api_keys.revoke(path.key_id)
    return nothing()
