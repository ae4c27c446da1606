"""Calls about keys, webhooks and the audit log."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dreamfarm.calls import LARGEST_PAGE, Calls
from farm.account_schema import (
    AuditEntry,
    AuditPage,
    DeliveryPage,
    DeliveryView,
    KeyPage,
    KeyView,
    NewKeyView,
    NewWebhookView,
    WebhookPage,
    WebhookView,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from farm.account_schema import Scope


class AccountCalls(Calls):
    """Who may do what, who is told, what was done."""

    def create_key(self, owner: str, scopes: Sequence[Scope | str], *, name: str | None = None) -> NewKeyView:
        """Make a key; its text is in the answer, and can't be read again. For admins."""
        body = {"owner": owner, "scopes": list(scopes), "name": name}
        return self._transport.read(NewKeyView, "POST", "/v1/keys", makes=True, json=body)

    def keys(self) -> list[KeyView]:
        """Return all keys, the revoked ones too. For admins."""
        return self._get(KeyPage, "/v1/keys").keys

    def revoke_key(self, key_id: str) -> None:
        """Revoke a key: it opens nothing from now on. For admins."""
        self._transport.call("DELETE", f"/v1/keys/{key_id}")

    def add_webhook(self, url: str, events: Sequence[str] = ()) -> NewWebhookView:
        """Have an endpoint told what happens to your jobs, all or some events; its secret is shown this once."""
        body: dict[str, object] = {"url": url, **({"events": list(events)} if events else {})}
        return self._transport.read(NewWebhookView, "POST", "/v1/webhooks", makes=True, json=body)

    def webhooks(self) -> list[WebhookView]:
        """Return your endpoints, oldest first."""
        return self._get(WebhookPage, "/v1/webhooks").webhooks

    def remove_webhook(self, webhook_id: str) -> None:
        """Remove an endpoint."""
        self._transport.call("DELETE", f"/v1/webhooks/{webhook_id}")

    def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryView]:
        """Return the latest deliveries to an endpoint, newest first."""
        return self._get(DeliveryPage, f"/v1/webhooks/{webhook_id}/deliveries", {"limit": limit}).deliveries

    def replay(self, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Deliver once more, under the same id."""
        path = f"/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay"
        return self._transport.read(DeliveryView, "POST", path, makes=True)

    def audit(
        self, *, owner: str | None = None, subject: str | None = None, limit: int | None = None
    ) -> Iterator[AuditEntry]:
        """Yield changes, newest first, page after page: an owner's alone, or those of a job, batch, upload or key."""
        query = {"owner": owner, "subject": subject}
        given = {name: value for name, value in query.items() if value is not None}
        left, more = limit, True
        while more and (left is None or left > 0):
            page = self._get(AuditPage, "/v1/audit", {**given, "limit": min(left or LARGEST_PAGE, LARGEST_PAGE)})
            yield from page.entries
            left = None if left is None else left - len(page.entries)
            more = page.next_cursor is not None
            given["cursor"] = page.next_cursor or ""
