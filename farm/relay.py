"""Delivers webhooks: makes deliveries of what happened, signs and sends them, and tries again those that failed."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import structlog

from farm.account_schema import DeliveryAttempt
from farm.errors import AddressError, CallError, NotFoundError
from farm.webhooks import attempts_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from farm.batch_store import BatchStore
    from farm.outbound import Outbound
    from farm.store import JobStore
    from farm.webhooks import WebhookStore

RETRY_AFTER_S = (5, 30, 300, 1800, 7200, 18_000, 36_000)
"""Pauses before a delivery is tried again: eight tries in 17.5 hours."""

EVENTS_PER_ROUND = 200
DUE_PER_ROUND = 200
AT_ONCE = 16
PER_ENDPOINT = 8
"""Deliveries to one endpoint in a round, so that a slow one holds up no other for long."""

log = structlog.get_logger()


class Relay:
    """Tells endpoints what happened, at least once.

    Parameters
    ----------
    retry_after_s : pauses before each further try, in s.
    """

    def __init__(
        self,
        webhooks: WebhookStore,
        jobs: JobStore,
        batches: BatchStore,
        outbound: Outbound,
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        self.webhooks = webhooks
        self.jobs = jobs
        self.batches = batches
        self.outbound = outbound
        self.retry_after_s = retry_after_s

    def round(self) -> None:
        """Make deliveries of what happened, and send those whose time has come."""
        for entry in self.webhooks.outbox(EVENTS_PER_ROUND):
            self._enqueue(entry)
        taken: Counter[str] = Counter()
        chosen = []
        for delivery_id, fields in self.webhooks.due(DUE_PER_ROUND):
            taken[fields["webhook"]] += 1
            if taken[fields["webhook"]] <= PER_ENDPOINT:
                chosen.append((delivery_id, fields))
        if chosen:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                list(pool.map(lambda pair: self._deliver(*pair), chosen))

    def _enqueue(self, entry: str) -> None:
        event = json.loads(entry)
        own = self.webhooks.of(event["owner"])
        hooks = [hook for hook in own if event["type"] in hook.events and not hook.disabled]
        body = json.dumps(self._body(event)) if hooks else ""
        self.webhooks.enqueue(entry, [(hook.id, event["type"], body) for hook in hooks])

    def _body(self, event: dict[str, Any]) -> dict[str, Any]:
        moment = datetime.fromtimestamp(event["ms"] / 1000, UTC).isoformat().replace("+00:00", "Z")
        return {"type": event["type"], "timestamp": moment, "data": self._data(event)}

    def _data(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return what the receiver needs to act; a job or batch that was removed meanwhile is its id alone."""
        try:
            if event["type"].startswith("batch."):
                batch = self.batches.get(event["batch"]).view()
                return batch.model_dump(mode="json", include={"id", "name", "total", "counts", "failures", "links"})
            job = self.jobs.get(event["job"]).view()
        except NotFoundError:
            return {"id": event.get("job") or event.get("batch")}
        told = {"id", "name", "batch", "tags", "output", "cached", "error", "links"}
        return {**job.model_dump(mode="json", include=told), "state": event["type"].removeprefix("job.")}

    def _deliver(self, delivery_id: str, fields: dict[str, str]) -> None:
        attempts = attempts_of(fields)
        try:
            webhook = self.webhooks.fields(fields["webhook"])
        except NotFoundError:
            self.webhooks.note(delivery_id, attempts, state="failed", next_ms=None)
            return
        if "disabled" in webhook:
            self.webhooks.note(delivery_id, attempts, state="failed", next_ms=None)
            return
        attempt = self._attempt(delivery_id, webhook, fields["body"])
        attempts.append(attempt)
        if attempt.error is None:
            self.webhooks.note_delivered(fields["webhook"])
            self.webhooks.note(delivery_id, attempts, state="delivered", next_ms=None)
        else:
            self._after_failure(delivery_id, fields, webhook, attempts)

    def _attempt(self, delivery_id: str, webhook: dict[str, str], body: str) -> DeliveryAttempt:
        sent_at, before = datetime.now(UTC), time.monotonic()
        status, error = None, None
        try:
            headers = _headers(delivery_id, sent_at, webhook, body)
            status = self.outbound.post(webhook["url"], body.encode(), headers).status
            if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
                error = f"The endpoint answered {status}, not 2xx."
        except (AddressError, CallError) as failure:
            error = str(failure)
        return DeliveryAttempt(at=sent_at, status=status, error=error, seconds=round(time.monotonic() - before, 3))

    def _after_failure(
        self, delivery_id: str, fields: dict[str, str], webhook: dict[str, str], attempts: list[DeliveryAttempt]
    ) -> None:
        last = attempts[-1]
        log.info(
            "webhook_failed", webhook=fields["webhook"], delivery=delivery_id, tries=len(attempts), reason=last.error
        )
        if last.status == HTTPStatus.GONE:
            self.webhooks.disable(fields["webhook"], "The endpoint answered 410: it wants no more.")
        elif len(attempts) <= len(self.retry_after_s):
            wait_ms = int(self.retry_after_s[len(attempts) - 1] * 1000)
            now_ms = int(datetime.now(UTC).timestamp() * 1000)
            self.webhooks.note(delivery_id, attempts, state="pending", next_ms=now_ms + wait_ms)
            return
        elif int(webhook.get("delivered_ms", 0)) < int(fields["created_ms"]):
            reason = f"Nothing got through in {len(attempts)} tries; the last: {last.error}"
            self.webhooks.disable(fields["webhook"], reason)
        self.webhooks.note(delivery_id, attempts, state="failed", next_ms=None)


def _headers(delivery_id: str, sent_at: datetime, webhook: dict[str, str], body: str) -> dict[str, str]:
    """Sign as Standard Webhooks says: HMAC-SHA256 over ``id.timestamp.body``."""
    stamp = str(int(sent_at.timestamp()))
    secret = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    digest = hmac.new(secret, f"{delivery_id}.{stamp}.{body}".encode(), hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": delivery_id,
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
