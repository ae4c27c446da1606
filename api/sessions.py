"""Signing in from a browser: a cookie that no script can read stands for the key, until its session ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, request
from flask_openapi import APIBlueprint, Tag

from api.access import caller, refuse_other_sites
from api.answers import nothing, shown
from api.bodies import read_json
from api.contract import json_body, problems
from api.requests import SessionRequest, parse_body
from api.state import services
from api.visitors import SESSION_COOKIE, parts
from farm.account_schema import SessionView

if TYPE_CHECKING:
    from farm.api_keys import Caller

bp = APIBlueprint("sessions", __name__, url_prefix="/v1/session", abp_tags=[Tag(name="keys")])


@bp.post("", request_body=json_body(SessionRequest), responses={200: SessionView, **problems(400, 503)})
def sign_in() -> Response:
    """Begin a session for a key, in a cookie for this farm alone that ends with the browser."""
    refuse_other_sites()
    body = parse_body(SessionRequest, read_json())
    who, token = services().sessions.begin(body.key.get_secret_value().strip())
    _end_session()  # what the browser showed before, perhaps somebody else's, is good for nothing from here on
    answer = shown(_view(who))
    answer.headers["Cache-Control"] = "no-store"
    answer.set_cookie(SESSION_COOKIE, token, httponly=True, samesite="Strict", secure=_is_encrypted())
    return answer


@bp.get("", responses={200: SessionView, **problems(503)})
def who_am_i() -> Response:
    """Tell whose things the caller sees, and what they may do."""
    answer = shown(_view(caller()))
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.delete("", responses={204: None, **problems(503)})
def sign_out() -> Response:
    """End the browser's session, whoever has its cookie still; the key itself stays good."""
    refuse_other_sites()
    _end_session()
    answer = nothing()
    answer.delete_cookie(SESSION_COOKIE, httponly=True, samesite="Strict", secure=_is_encrypted())
    return answer


def _end_session() -> None:
    if token := request.cookies.get(SESSION_COOKIE):
        services().sessions.end(token)


def _view(one: Caller) -> SessionView:
    return SessionView(owner=one.owner, scopes=sorted(one.scopes), key_id=one.key_id)


def _is_encrypted() -> bool:
    """Tell whether the browser came by TLS, which a proxy before the api may have ended."""
    origin = parts(request.headers.get("Origin"))
    return request.is_secure or (origin is not None and origin.scheme == "https")
