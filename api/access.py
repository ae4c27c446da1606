"""Who asks, what they may do, and whose things a path names: settled before any handler runs."""

from __future__ import annotations

from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

from flask import Flask, Response, current_app, g, request

from api.problems import problem
from api.state import services
from api.visitors import SESSION_COOKIE, from_own_page, parts
from farm.account_schema import Scope
from farm.api_keys import Caller
from farm.errors import ForbiddenError, UnknownKeyError
from farm.owners import LOCAL

if TYPE_CHECKING:
    from collections.abc import Callable

    from farm.services import Services

PUBLIC = frozenset({"docs", "studio"})
"""Blueprints that show the farm's pages, and nothing of anybody."""

PUBLIC_ENDPOINTS = frozenset({"operations.alive", "operations.ready", "sessions.sign_in", "sessions.sign_out"})
ADMIN = frozenset({"audit", "keys", "metrics"})
"""Blueprints for those who run the farm."""

READING = frozenset({"GET", "HEAD", "OPTIONS"})

OWNERS: dict[str, Callable[[Services, str, str], None]] = {
    "job_id": lambda farm, name, owner: farm.store.check_owner(name, owner),
    "batch_id": lambda farm, name, owner: farm.batches.store.check_owner(name, owner),
    "upload": lambda farm, name, owner: farm.pictures.check_upload(name, owner),
    "sha256": lambda farm, name, owner: farm.pictures.check_owner(name, owner),
    "webhook_id": lambda farm, name, owner: farm.webhooks.check_owner(name, owner),
    "delivery_id": lambda *_: None,
    "octave": lambda *_: None,
    "name": lambda *_: None,
}
"""For each variable of a path, what raises `NotFoundError` unless the owner's things are named. A path with another
variable is for admins, until it is said here whose things it names."""

LOOPBACK_NAMES = frozenset({"localhost"})


def register_access(app: Flask) -> None:
    """Find out who asks, and answer those that nobody knows."""
    app.before_request(_recognise)
    app.register_error_handler(UnknownKeyError, _unknown_key)
    app.register_error_handler(ForbiddenError, _forbidden)


def register_scopes(app: Flask) -> None:
    """Let requests through that their callers may make, and answer the others."""
    app.before_request(_let_in)


def caller() -> Caller:
    """Return who makes the current request."""
    return cast("Caller", g.caller)


def _recognise() -> None:
    if request.endpoint is not None and not _is_public():
        g.caller = _authenticated()


def _let_in() -> None:
    if "caller" not in g:
        return
    wanted = _wanted_scope()
    if not caller().may(wanted):
        raise ForbiddenError(
            f"This needs a key with the scope {wanted!r}; yours has {', '.join(sorted(caller().scopes))}."
        )
    _check_owner()


def _is_public() -> bool:
    return request.blueprint in PUBLIC or request.endpoint in PUBLIC_ENDPOINTS


def _authenticated() -> Caller:
    farm = services()
    if farm.settings.auth == "off":
        _refuse_strangers()
        refuse_other_sites()
        return Caller(LOCAL, frozenset(Scope))
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer" and token:
        return farm.api_keys.authenticate(token.strip())
    if kept := request.cookies.get(SESSION_COOKIE):
        refuse_other_sites(unless_it_says=True)
        return farm.sessions.caller(kept)
    raise UnknownKeyError("This farm asks for a key: send the header `Authorization: Bearer df_…`.", given=False)


def refuse_other_sites(*, unless_it_says: bool = False) -> None:
    """Refuse a change that a page of another site asks for: browsers send what makes it look like the user's own.

    `unless_it_says`: refuse too where nothing says which page it is, as nobody but a browser has a cookie.
    """
    if request.method in READING:
        return
    own = from_own_page()
    if own is False or (own is None and unless_it_says):
        raise ForbiddenError(
            "This change was asked for by another site's page. Make it in the studio, or send a key as a header."
        )


def _refuse_strangers() -> None:
    """Without keys the farm serves this machine alone: no other, no proxy, no web page that renamed itself."""
    host = parts(f"//{request.host}")
    names = (request.remote_addr, host.hostname if host else None)
    if all(map(_is_loopback, names)) and "X-Forwarded-For" not in request.headers:
        return
    raise ForbiddenError(
        "This farm asks for no keys, so it serves its own machine alone. Set DREAMFARM_AUTH=required and make keys."
    )


def _is_loopback(name: str | None) -> bool:
    try:
        return name in LOOPBACK_NAMES or ip_address(name or "").is_loopback
    except ValueError:
        return False


def _wanted_scope() -> Scope:
    if request.blueprint in ADMIN or not set(request.view_args or {}) <= set(OWNERS):
        return Scope.ADMIN
    return Scope.READ if request.method in READING else Scope.SUBMIT


def _check_owner() -> None:
    owner = caller().sees
    for variable, value in (request.view_args or {}).items():
        if owner is not None and variable in OWNERS:
            OWNERS[variable](services(), str(value), owner)


def _unknown_key(error: UnknownKeyError) -> Response:
    challenge = f'Bearer realm="{current_app.name}"' + (', error="invalid_token"' if error.given else "")
    return problem(HTTPStatus.UNAUTHORIZED, "unauthorized", str(error), headers={"WWW-Authenticate": challenge})


def _forbidden(error: ForbiddenError) -> Response:
    return problem(HTTPStatus.FORBIDDEN, "forbidden", str(error))
