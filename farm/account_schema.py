"""Keys, webhooks and the audit log as the HTTP api shows them."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from farm.owners import Owner
from farm.schema import View


class Scope(StrEnum):
    """What a key is good for."""

    READ = "read"
    SUBMIT = "submit"
    ADMIN = "admin"


class KeyView(View):
    """An API key, without its secret."""

    id: str
    owner: Owner
    scopes: Annotated[list[Scope], Field(description="read: look; submit: change; admin: all, of everybody.")]
    name: Annotated[str | None, Field(description="What it is for.")] = None
    created_at: datetime
    last_used_at: Annotated[datetime | None, Field(description="Exact to a minute.")] = None
    revoked_at: datetime | None = None


class SessionView(View):
    """Who makes calls, and what they may do."""

    owner: Owner
    scopes: list[Scope]
    key_id: Annotated[str | None, Field(description="Null on a farm that asks for no keys.")] = None


class NewKeyView(KeyView):
    """A key just made."""

    key: Annotated[
        str | None,
        Field(description="Send it as `Authorization: Bearer …`. Shown once: null in a repeat's answer."),
    ]


class KeyPage(View):
    """All keys, oldest first."""

    keys: list[KeyView]


class WebhookEvent(StrEnum):
    """What an endpoint can be told of."""

    JOB_SUCCEEDED = "job.succeeded"
    JOB_FAILED = "job.failed"
    JOB_CANCELED = "job.canceled"
    JOB_EXPIRED = "job.expired"
    BATCH_FINISHED = "batch.finished"


class WebhookView(View):
    """An endpoint that is told what happened, without its secret."""

    id: str
    owner: Owner
    url: str
    events: list[WebhookEvent]
    disabled: Annotated[str | None, Field(description="Why nothing more is delivered; null: it is.")] = None
    created_at: datetime
    delivered_at: Annotated[datetime | None, Field(description="When it last took something.")] = None


class NewWebhookView(WebhookView):
    """An endpoint just added."""

    secret: Annotated[
        str | None, Field(description="Signatures are checked with it. Shown once: null in a repeat's answer.")
    ]


class WebhookPage(View):
    """An owner's endpoints, oldest first."""

    webhooks: list[WebhookView]


class DeliveryAttempt(View):
    """One try to deliver; `error` is null where it went well."""

    at: datetime
    status: int | None
    error: str | None
    seconds: float


class DeliveryView(View):
    """What was told to an endpoint, or is to be."""

    id: Annotated[str, Field(description="The header `webhook-id`; the same in each try and replay.")]
    type: WebhookEvent
    state: Literal["pending", "delivered", "failed"]
    created_at: datetime
    next_at: Annotated[datetime | None, Field(description="When it is tried next.")] = None
    attempts: list[DeliveryAttempt]
    body: dict[str, Any]


class DeliveryPage(View):
    """Deliveries, newest first."""

    deliveries: list[DeliveryView]


class AuditEntry(View):
    """A change that somebody made."""

    id: str
    made_at: datetime
    owner: Owner
    key: Annotated[str | None, Field(description="The id of the key; null on a farm without keys.")] = None
    action: Annotated[str, Field(description="What was done, for example create_job or revoke_key.")]
    subject: Annotated[str, Field(description="The id of what it was done to.")]
    address: Annotated[str | None, Field(description="Where the request came from; null on the farm's machine.")] = None


class AuditPage(View):
    """A page of changes, newest first."""

    entries: list[AuditEntry]
    next_cursor: Annotated[str | None, Field(description="Pass as `cursor` for the next page; null at the end.")] = None
