"""Webhooks in Redis: who is told of what, what is yet to be told, and how it went. `farm.relay` does the telling."""

from __future__ import annotations

import base64
import json
import re
import secrets
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ulid import ULID

from farm import keys
from farm.account_schema import DeliveryAttempt, DeliveryView, NewWebhookView, WebhookEvent, WebhookView
from farm.errors import ConflictError, NotFoundError
from farm.redis import redis_errors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from farm.redis import TextRedis

MOST_WEBHOOKS = 20
"""Endpoints that an owner may have."""

MOST_DELIVERIES = 1000
"""Deliveries that are listed for an endpoint, the newest."""

DELIVERY_LIFE_S = 7 * 86_400
SECRET_BYTES = 32
WEBHOOK_ID = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
DELIVERY_ID = re.compile(r"[0-9A-Za-z.-]{1,100}")


class WebhookStore:
    """Endpoints and deliveries."""

    def __init__(self, redis: TextRedis) -> None:
        self.redis = redis

    @redis_errors()
    def create(
        self, owner: str, url: str, events: Sequence[WebhookEvent], *, webhook_id: str | None = None
    ) -> NewWebhookView:
        """Store a new endpoint; its secret is in the answer, and nowhere again."""
        if self.redis.zcard(keys.webhooks_of(owner)) >= MOST_WEBHOOKS:
            raise ConflictError(f"{owner} has {MOST_WEBHOOKS} webhooks already. Remove one.", code="too_many_webhooks")
        webhook_id = webhook_id or str(ULID())
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()
        fields = {
            "owner": owner,
            "url": url,
            "events": ",".join(dict.fromkeys(events)),
            "secret": secret,
            "created_ms": _now_ms(),
        }
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.hset(keys.webhook(webhook_id), mapping=fields)
            pipe.zadd(keys.webhooks_of(owner), {webhook_id: 0})
            pipe.execute()
        return NewWebhookView(
            **_webhook(webhook_id, {k: str(v) for k, v in fields.items()}).model_dump(), secret=secret
        )

    @redis_errors()
    def get(self, webhook_id: str) -> WebhookView:
        """Return an endpoint, or raise `NotFoundError`."""
        return _webhook(webhook_id, self.fields(webhook_id))

    @redis_errors()
    def fields(self, webhook_id: str) -> dict[str, str]:
        """Return an endpoint as it is stored, its secret too, or raise `NotFoundError`."""
        found: dict[str, str] = self.redis.hgetall(keys.webhook(webhook_id)) if WEBHOOK_ID.fullmatch(webhook_id) else {}
        if not found:
            raise _missing(webhook_id)
        return found

    def check_owner(self, webhook_id: str, owner: str) -> None:
        """Raise `NotFoundError` unless there is such an endpoint, and it is this owner's."""
        if self.fields(webhook_id)["owner"] != owner:
            raise _missing(webhook_id)

    @redis_errors()
    def of(self, owner: str) -> list[WebhookView]:
        """Return an owner's endpoints, oldest first."""
        ids = self.redis.zrange(keys.webhooks_of(owner), 0, -1)
        with self.redis.pipeline(transaction=False) as pipe:
            for webhook_id in ids:
                pipe.hgetall(keys.webhook(webhook_id))
            found = zip(ids, pipe.execute(), strict=True)
        return [_webhook(webhook_id, fields) for webhook_id, fields in found if fields]

    @redis_errors()
    def delete(self, webhook_id: str) -> None:
        """Remove an endpoint; what was to be delivered to it is dropped."""
        owner = self.fields(webhook_id)["owner"]
        with self.redis.pipeline(transaction=True) as pipe:
            pipe.zrem(keys.webhooks_of(owner), webhook_id)
            pipe.delete(keys.webhook(webhook_id), keys.webhook_deliveries(webhook_id))
            pipe.execute()

    @redis_errors()
    def disable(self, webhook_id: str, reason: str) -> None:
        """Deliver nothing more to an endpoint, and show why."""
        if self.redis.exists(keys.webhook(webhook_id)):
            self.redis.hset(keys.webhook(webhook_id), "disabled", reason)

    @redis_errors()
    def outbox(self, most: int) -> list[str]:
        """Return the oldest events that no deliveries were made of yet."""
        found: list[str] = self.redis.lrange(keys.OUTBOX, 0, most - 1)
        return found

    @redis_errors()
    def enqueue(self, entry: str, deliveries: Sequence[tuple[str, str, str]]) -> None:
        """Turn an event into deliveries, (endpoint, type, body) each, whole or not at all."""
        event_id = json.loads(entry)["id"]
        with self.redis.pipeline(transaction=True) as pipe:
            for webhook_id, kind, body in deliveries:
                delivery_id = f"{event_id}.{webhook_id}"
                key = keys.delivery(delivery_id)
                fields = {
                    "webhook": webhook_id,
                    "type": kind,
                    "body": body,
                    "state": "pending",
                    "created_ms": _now_ms(),
                }
                pipe.hset(key, mapping=fields)
                pipe.expire(key, DELIVERY_LIFE_S)
                pipe.zadd(keys.webhook_deliveries(webhook_id), {delivery_id: _now_ms()})
                pipe.zremrangebyrank(keys.webhook_deliveries(webhook_id), 0, -MOST_DELIVERIES - 1)
                pipe.zadd(keys.DUE, {delivery_id: _now_ms()}, nx=True)
            pipe.lrem(keys.OUTBOX, 1, entry)
            pipe.execute()

    @redis_errors()
    def due(self, most: int) -> list[tuple[str, dict[str, str]]]:
        """Return deliveries whose time has come, oldest first; those that were dropped are forgotten."""
        ids = self.redis.zrange(keys.DUE, "-inf", _now_ms(), byscore=True, offset=0, num=most)
        with self.redis.pipeline(transaction=False) as pipe:
            for delivery_id in ids:
                pipe.hgetall(keys.delivery(delivery_id))
            found = list(zip(ids, pipe.execute(), strict=True))
        gone = [delivery_id for delivery_id, fields in found if not fields]
        if gone:
            self.redis.zrem(keys.DUE, *gone)
        return [(delivery_id, fields) for delivery_id, fields in found if fields]

    @redis_errors()
    def note(self, delivery_id: str, attempts: Sequence[DeliveryAttempt], *, state: str, next_ms: int | None) -> None:
        """Write down how a delivery stands."""
        with self.redis.pipeline(transaction=True) as pipe:
            tried = json.dumps([one.model_dump(mode="json") for one in attempts])
            pipe.hset(keys.delivery(delivery_id), mapping={"attempts": tried, "state": state})
            if next_ms is None:
                pipe.zrem(keys.DUE, delivery_id)
            else:
                pipe.zadd(keys.DUE, {delivery_id: next_ms})
            pipe.execute()

    @redis_errors()
    def note_delivered(self, webhook_id: str) -> None:
        """Note that the endpoint took something just now."""
        if self.redis.exists(keys.webhook(webhook_id)):
            self.redis.hset(keys.webhook(webhook_id), "delivered_ms", _now_ms())

    @redis_errors()
    def deliveries(self, webhook_id: str, *, limit: int) -> list[DeliveryView]:
        """Return the latest deliveries to an endpoint, newest first."""
        ids = self.redis.zrange(keys.webhook_deliveries(webhook_id), 0, limit - 1, desc=True)
        with self.redis.pipeline(transaction=False) as pipe:
            for delivery_id in ids:
                pipe.hgetall(keys.delivery(delivery_id))
                pipe.zscore(keys.DUE, delivery_id)
            found = pipe.execute()
        each = zip(ids, found[::2], found[1::2], strict=True)
        return [_delivery(delivery_id, fields, due) for delivery_id, fields, due in each if fields]

    @redis_errors()
    def replay(self, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Deliver once more, from now on as often as a new one.

        Raises
        ------
        NotFoundError
            There is no such delivery, or no more.
        ConflictError
            The endpoint is disabled.
        """
        fields = self.redis.hgetall(keys.delivery(delivery_id)) if DELIVERY_ID.fullmatch(delivery_id) else {}
        if not fields or fields["webhook"] != webhook_id:
            raise NotFoundError(f"There is no delivery {delivery_id!r}; they are kept for 7 days.")
        if self.get(webhook_id).disabled:
            raise ConflictError("The webhook is disabled. Add it anew.", code="webhook_disabled")
        self.note(delivery_id, [], state="pending", next_ms=_now_ms())
        return _delivery(delivery_id, {**fields, "state": "pending", "attempts": "[]"}, _now_ms())


def attempts_of(fields: Mapping[str, str]) -> list[DeliveryAttempt]:
    """Return how often a stored delivery was tried, and how it went."""
    return [DeliveryAttempt.model_validate(one) for one in json.loads(fields.get("attempts", "[]"))]


def _webhook(webhook_id: str, fields: Mapping[str, str]) -> WebhookView:
    return WebhookView(
        id=webhook_id,
        owner=fields["owner"],
        url=fields["url"],
        # What only a later version tells is left to its relays.
        events=[WebhookEvent(event) for event in fields["events"].split(",") if event in set(WebhookEvent)],
        disabled=fields.get("disabled"),
        created_at=_time(fields["created_ms"]),
        delivered_at=_time(fields["delivered_ms"]) if "delivered_ms" in fields else None,
    )


def _delivery(delivery_id: str, fields: Mapping[str, str], due_ms: float | None) -> DeliveryView:
    return DeliveryView.model_validate(
        {
            "id": delivery_id,
            "type": fields["type"],
            "state": fields["state"],
            "created_at": _time(fields["created_ms"]),
            "next_at": _time(due_ms) if due_ms is not None and fields["state"] == "pending" else None,
            "attempts": attempts_of(fields),
            "body": json.loads(fields["body"]),
        }
    )


def _time(milliseconds: Any) -> datetime:
    return datetime.fromtimestamp(float(milliseconds) / 1000, UTC)


def _now_ms() -> int:
    return int(datetime.now(UTC).timestamp() * 1000)


def _missing(webhook_id: str) -> NotFoundError:
    return NotFoundError(f"There is no webhook {webhook_id!r}. GET /v1/webhooks lists those there are.")
