"""What operators and clients need around jobs: uploads, workers, health."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import jsonify
from flask.typing import ResponseReturnValue
from flask_openapi import APIBlueprint, Tag
from ulid import ULID

from api.contract import problems
from api.state import services
from farm import keys
from farm.schema import Health, UploadView, WorkerPage

bp = APIBlueprint("operations", __name__)


@bp.post("/v1/uploads", tags=[Tag(name="jobs")], responses={201: UploadView})
def create_upload() -> ResponseReturnValue:
    """Return a presigned link to PUT a picture to, past the api; then name the upload in a job."""
    farm = services()
    upload_id = str(ULID())
    view = UploadView(
        upload=upload_id,
        url=farm.storage.presigned_put(keys.upload(upload_id)),
        expires_at=datetime.now(UTC) + timedelta(seconds=farm.settings.presign_expiry_s),
    )
    return jsonify(view.model_dump(mode="json")), HTTPStatus.CREATED


@bp.get("/v1/workers", tags=[Tag(name="workers")], responses={200: WorkerPage, **problems(503)})
def list_workers() -> ResponseReturnValue:
    """List the workers that are alive."""
    return jsonify(WorkerPage(workers=services().workers.list()).model_dump(mode="json"))


@bp.get("/healthz", tags=[Tag(name="health")], responses={200: Health})
def alive() -> ResponseReturnValue:
    """Tell that this process answers."""
    return jsonify(Health(status="ok").model_dump())


@bp.get("/readyz", tags=[Tag(name="health")], responses={200: Health, **problems(502, 503)})
def ready() -> ResponseReturnValue:
    """Tell that jobs can be taken: Redis and the object store answer."""
    farm = services()
    farm.store.check()
    farm.storage.check()
    return jsonify(Health(status="ok").model_dump())
