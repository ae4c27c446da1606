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
    from collections.abc import AsyncGenerator, Sequence

    from farm.account_schema import Scope


class AccountCalls(Calls):
    """Who may do what, who is told, what was done."""

    async def create_key(self, owner: str, scopes: Sequence[Scope | str], *, name: str | None = None) -> NewKeyView:
        """Make a key; its text is in the answer, and can't be read again. For admins."""
        body = {"owner": owner, "scopes": list(scopes), "name": name}
        return await self._post(NewKeyView, "/v1/keys", json=body)

    async def keys(self) -> list[KeyView]:
        """Return all keys, the revoked ones too. For admins."""
        return (await self._get(KeyPage, "/v1/keys")).keys

    async def revoke_key(self, key_id: str) -> None:
        """Revoke a key: it opens nothing from now on. For admins."""
        await self._transport.call("DELETE", f"/v1/keys/{key_id}")

    async def add_webhook(self, url: str, events: Sequence[str] = ()) -> NewWebhookView:
        """Have an endpoint told what happens to your jobs, all or some events; its secret is shown this once."""
        body: dict[str, object] = {"url": url, **({"events": list(events)} if events else {})}
        return await self._post(NewWebhookView, "/v1/webhooks", json=body)

    async def webhooks(self) -> list[WebhookView]:
        """Return your endpoints, oldest first."""
        return (await self._get(WebhookPage, "/v1/webhooks")).webhooks

    async def remove_webhook(self, webhook_id: str) -> None:
        """Remove an endpoint."""
        await self._transport.call("DELETE", f"/v1/webhooks/{webhook_id}")

    async def deliveries(self, webhook_id: str, *, limit: int = 50) -> list[DeliveryView]:
        """Return the latest deliveries to an endpoint, newest first."""
        found = await self._get(DeliveryPage, f"/v1/webhooks/{webhook_id}/deliveries", {"limit": limit})
        return found.deliveries

    async def replay(self, webhook_id: str, delivery_id: str) -> DeliveryView:
        """Deliver once more, under the same id."""
        return await self._post(DeliveryView, f"/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")

    async def audit(
        self, *, owner: str | None = None, subject: str | None = None, limit: int | None = None
    ) -> AsyncGenerator[AuditEntry]:
        """Yield changes, newest first, page after page: an owner's alone, or those of a job, batch, upload or key."""
        left, cursor = limit, None
        while left is None or left > 0:
            size = min(left or LARGEST_PAGE, LARGEST_PAGE)
            query = {"owner": owner, "subject": subject, "limit": size, "cursor": cursor}
            page = await self._get(AuditPage, "/v1/audit", query)
            for entry in page.entries:
                yield entry
            left = None if left is None else left - len(page.entries)
            cursor = page.next_cursor
            if cursor is None:
                return
