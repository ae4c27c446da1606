"""What all calls have in common in the OpenAPI contract: how they are refused, repeated, limited, and go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask_openapi.models import Header, Link, Parameter
from flask_openapi.models import Response as Described
from flask_openapi.utils import parse_rule

from api.access import PUBLIC_ENDPOINTS
from api.contract import problems
from api.idempotency import LONGEST, NAME

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask_openapi import OpenAPI
    from flask_openapi.models import Operation

SIGNING_IN, SIGNING_OUT = "sessions.sign_in", "sessions.sign_out"

MAKERS = {
    "/v1/jobs": ("job_id", "id"),
    "/v1/batches": ("batch_id", "id"),
    "/v1/uploads": ("upload", "upload"),
    "/v1/pictures": ("sha256", "sha256"),
    "/v1/webhooks": ("webhook_id", "id"),
    "/v1/keys": ("key_id", "id"),
}
"""Where things are made: the variable by which paths name them, and the answer's field that tells it."""

LIMITS = {
    name: Header(description=text, schema={"type": "string"})
    for name, text in (
        ("RateLimit", 'What is left, as `"requests";r=2999;t=60`; none on a farm that asks for no keys.'),
        ("RateLimit-Policy", 'The limit, as `"requests";q=3000;w=60`.'),
    )
}
REPLAYED = {
    "Idempotency-Replayed": Header(description="true: the answer is an earlier call's.", schema={"type": "string"})
}

IDEMPOTENCY_KEY = Parameter.model_validate(
    {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST, "pattern": f"^{NAME.pattern}$"},
        "description": "For a day, a repeat of the call by the same key gets the first answer and makes nothing.",
    }
)


def add_common(app: OpenAPI) -> None:
    """Complete the description of each operation; once more changes nothing."""
    for endpoint, verb, operation in _operations(app):
        own = operation.responses or {}
        statuses = _refusals(endpoint, verb, operation)
        operation.responses = {**_described(*sorted(statuses)), **own}
        if endpoint in PUBLIC_ENDPOINTS:
            operation.security = []
        else:
            _add_headers(operation, LIMITS)
        if _is_repeatable(endpoint, verb):
            # Blueprints keep these descriptions from one application to the next.
            others = [one for one in operation.parameters or [] if one is not IDEMPOTENCY_KEY]
            operation.parameters = [*others, IDEMPOTENCY_KEY]
            _add_headers(operation, REPLAYED, only="2")
    _add_links(app)


def _operations(app: OpenAPI) -> Iterator[tuple[str, str, Operation]]:
    for rule in app.url_map.iter_rules():
        item = app.paths.get(parse_rule(rule.rule))
        for method in sorted(rule.methods or ()):
            operation = getattr(item, method.lower(), None)
            if operation is not None:
                yield rule.endpoint, method.lower(), operation


def _is_repeatable(endpoint: str, verb: str) -> bool:
    return verb == "post" and endpoint not in PUBLIC_ENDPOINTS


def _refusals(endpoint: str, verb: str, operation: Operation) -> set[int]:
    """Return the statuses that hooks and the reading of requests give, before a handler has its say."""
    found = {400}
    if endpoint not in PUBLIC_ENDPOINTS:
        found |= {401, 403, 429, 503}
    if endpoint in {SIGNING_IN, SIGNING_OUT}:
        found |= {403}
    if endpoint == SIGNING_IN:
        found |= {401, 503}
    if any(getattr(one, "param_in", None) == "path" for one in operation.parameters or []):
        found |= {404}
    if verb == "post":
        found |= {408, 413}
    if _is_repeatable(endpoint, verb):
        found |= {409, 422}
    if operation.requestBody is not None:
        found |= {415}
    return found


def _described(*statuses: int) -> dict[str, Described]:
    return {str(status): Described.model_validate(one) for status, one in problems(*statuses).items()}


def _add_headers(operation: Operation, headers: dict[str, Header], *, only: str = "") -> None:
    for status, answer in (operation.responses or {}).items():
        if status.startswith(only):
            answer.headers = {**(answer.headers or {}), **headers}


def _add_links(app: OpenAPI) -> None:
    """Say how one goes on with what a call has made."""
    for path, (variable, field) in MAKERS.items():
        made = app.paths[path].post
        if made is None:
            continue
        links = {
            str(operation.operationId): Link(
                operationId=operation.operationId, parameters={variable: f"$response.body#/{field}"}
            )
            for other, item in app.paths.items()
            if f"{{{variable}}}" in other
            for operation in filter(None, (item.get, item.post, item.delete))
        }
        for status, answer in (made.responses or {}).items():
            if status in {"201", "202"}:
                answer.links = dict(links)
