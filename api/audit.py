"""The audit log over HTTP: every change that a request makes is noted, and admins read it."""

from __future__ import annotations

import structlog
from flask import Flask, Response, g, request
from flask_openapi import APIBlueprint, Tag

from api.access import READING, caller
from api.answers import shown
from api.contract import problems
from api.idempotency import REPLAYED
from api.requests import AuditQuery
from api.state import services
from farm.account_schema import AuditPage
from farm.errors import TransientError

bp = APIBlueprint("audit", __name__, url_prefix="/v1/audit", abp_tags=[Tag(name="keys")])
log = structlog.get_logger()


@bp.get("", responses={200: AuditPage, **problems(400, 503)})
def list_changes(query: AuditQuery) -> Response:
    """List changes, newest first: who made which, when, and from what address."""
    entries, cursor = services().audit.page(
        limit=query.limit, before=query.cursor, owner=query.owner, subject=query.subject
    )
    return shown(AuditPage(entries=entries, next_cursor=cursor))


def register_audit(app: Flask) -> None:
    """Note each change once its answer stands."""
    app.after_request(_note)


def _note(answer: Response) -> Response:
    subject = _changed(answer)
    if subject is None:
        return answer
    action = (request.endpoint or "").rpartition(".")[2]
    owner, key_id, address = caller().owner, caller().key_id, request.remote_addr
    try:
        services().audit.add(owner=owner, key_id=key_id, action=action, subject=subject, address=address)
    except TransientError:
        # The change is made, so its answer stands; the process' own log has it instead.
        log.exception("audit_entry_lost", owner=owner, key=key_id, action=action, subject=subject, address=address)
    return answer


def _changed(answer: Response) -> str | None:
    """Return the id of what was changed; None where nothing was."""
    if "caller" not in g or request.method in READING or answer.status_code >= 400 or REPLAYED in answer.headers:  # noqa: PLR2004  # errors begin there
        return None
    return g.get("made") or next((str(value) for value in (request.view_args or {}).values()), None)
