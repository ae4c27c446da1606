"""Webhooks over HTTP: an owner's endpoints, and what was delivered to them."""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, g
from flask_openapi import APIBlueprint, Tag

from api.access import caller
from api.answers import nothing, shown
from api.bodies import read_json
from api.contract import json_body, problems
from api.idempotency import new_id
from api.requests import DeliveryPath, DeliveryQuery, WebhookPath, WebhookRequest, parse_body
from api.state import services
from farm.account_schema import DeliveryPage, DeliveryView, NewWebhookView, WebhookPage, WebhookView
from farm.address_guard import check_url

bp = APIBlueprint(
    "webhooks", __name__, url_prefix="/v1/webhooks", abp_tags=[Tag(name="webhooks")], abp_responses=problems(400, 503)
)


@bp.post("", request_body=json_body(WebhookRequest), responses={201: NewWebhookView, **problems(409)})
def create_webhook() -> Response:
    """Add an endpoint; the secret that it checks signatures with is in this answer, and nowhere again."""
    body = parse_body(WebhookRequest, read_json())
    target = check_url(body.url)
    services().outbound.guard.addresses(target.host, target.port)
    made = services().webhooks.create(caller().owner, body.url, body.events, webhook_id=new_id())
    g.body_to_keep = made.model_copy(update={"secret": None}).model_dump_json()
    answer = shown(made, status=HTTPStatus.CREATED)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("", responses={200: WebhookPage})
def list_webhooks() -> Response:
    """List your endpoints, oldest first."""
    return shown(WebhookPage(webhooks=services().webhooks.of(caller().owner)))


@bp.get("/<webhook_id>", responses={200: WebhookView, **problems(404)})
def get_webhook(path: WebhookPath) -> Response:
    """Return an endpoint; where it is disabled, why."""
    return shown(services().webhooks.get(path.webhook_id))


@bp.delete("/<webhook_id>", responses={204: None, **problems(404)})
def delete_webhook(path: WebhookPath) -> Response:
    """Remove an endpoint."""
    services().webhooks.delete(path.webhook_id)
    return nothing()


@bp.get("/<webhook_id>/deliveries", responses={200: DeliveryPage, **problems(404)})
def list_deliveries(path: WebhookPath, query: DeliveryQuery) -> Response:
    """List the latest deliveries to an endpoint, newest first, with each try."""
    webhooks = services().webhooks
    webhooks.get(path.webhook_id)
    return shown(DeliveryPage(deliveries=webhooks.deliveries(path.webhook_id, limit=query.limit)))


@bp.post("/<webhook_id>/deliveries/<delivery_id>/replay", responses={202: DeliveryView, **problems(404, 409)})
def replay_delivery(path: DeliveryPath) -> Response:
    """Deliver once more, under the same id."""
    found = services().webhooks.replay(path.webhook_id, path.delivery_id)
    return shown(found, status=HTTPStatus.ACCEPTED)
