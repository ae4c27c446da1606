"""What operators and clients need around jobs: uploads, workers, health."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import Response, request
from flask_openapi import APIBlueprint, Tag

from api.access import caller
from api.answers import shown
from api.bodies import check_is_form
from api.contract import PICTURE, PICTURE_BODY, problems
from api.idempotency import new_id
from api.problems import InvalidRequestError
from api.requests import PicturePath, UploadPath, WorkerPath
from api.state import services
from dreamcore.explain import FieldProblem
from farm import keys
from farm.schema import Health, HistoryView, PictureView, UploadView, WorkerPage, WorkerView

bp = APIBlueprint("operations", __name__)


@bp.post("/v1/uploads", tags=[Tag(name="jobs")], responses={201: UploadView})
def create_upload() -> Response:
    """Return a presigned link to PUT a picture to, past the api; then name the upload in a job."""
    farm = services()
    upload_id = new_id()
    farm.pictures.new_upload(upload_id, caller().owner)
    view = UploadView(
        upload=upload_id,
        url=farm.storage.presigned_put(keys.upload(upload_id)),
        expires_at=datetime.now(UTC) + timedelta(seconds=farm.settings.presign_expiry_s),
    )
    return shown(view, status=HTTPStatus.CREATED)


@bp.post("/v1/uploads/<upload>/claim", tags=[Tag(name="jobs")], responses={200: PictureView, **problems(413, 502)})
def claim_upload(path: UploadPath) -> Response:
    """Look at what was uploaded and keep it under its SHA-256, which jobs and batches can name from then on."""
    pictures = services().pictures
    seen = pictures.find_upload(path.upload, owner=caller().owner)
    pictures.keep(seen, owner=caller().owner)
    return shown(seen.view)


@bp.get("/v1/pictures/<sha256>", tags=[Tag(name="jobs")], responses={200: PictureView, **problems(413, 502)})
def get_picture(path: PicturePath) -> Response:
    """Tell whether a picture is stored already, so that nobody uploads it again."""
    seen = services().pictures.seek(path.sha256, owner=caller().owner)
    return shown(seen.view)


@bp.post(
    "/v1/pictures",
    tags=[Tag(name="jobs")],
    request_body=PICTURE_BODY,
    responses={201: PictureView, **problems(413, 502)},
)
def store_picture() -> Response:
    """Keep a picture under its SHA-256, which jobs and batches can name from then on."""
    check_is_form()
    files = request.files.getlist("image")
    if len(files) != 1:
        raise InvalidRequestError([FieldProblem("/image", "Send one picture, as the file field 'image'.")])
    pictures = services().pictures
    seen = pictures.look_at(files[0].read())
    pictures.keep(seen, owner=caller().owner)
    return shown(seen.view, status=HTTPStatus.CREATED)


@bp.get(
    "/v1/pictures/<sha256>/content",
    tags=[Tag(name="jobs")],
    responses={200: PICTURE, **problems(413, 502)},
)
def get_picture_content(path: PicturePath) -> Response:
    """Return a picture's bytes as they were handed in; a page of the farm's own can read them here."""
    data = services().pictures.seek(path.sha256, owner=caller().owner).data
    headers = {"Content-Disposition": "attachment", "X-Content-Type-Options": "nosniff", "Cache-Control": "private"}
    return Response(data, mimetype="application/octet-stream", headers=headers)


@bp.get("/v1/workers", tags=[Tag(name="workers")], responses={200: WorkerPage})
def list_workers() -> Response:
    """List the workers that are alive."""
    workers = services().workers.list()
    return shown(WorkerPage(workers=[_without_others_job(worker) for worker in workers]))


@bp.post("/v1/workers/<worker_id>/drain", tags=[Tag(name="workers")], responses={202: WorkerView})
def drain_worker(path: WorkerPath) -> Response:
    """Ask a worker to hand its job back at its next step, and to end."""
    return shown(services().workers.drain_alive(path.worker_id), status=HTTPStatus.ACCEPTED)


@bp.post("/v1/workers/<worker_id>/bring-back", tags=[Tag(name="workers")], responses={202: WorkerView})
def bring_worker_back(path: WorkerPath) -> Response:
    """Give a worker jobs again that was set aside."""
    return shown(services().workers.bring_back(path.worker_id), status=HTTPStatus.ACCEPTED)


def _without_others_job(worker: WorkerView) -> WorkerView:
    owner = caller().sees
    if owner is None:
        return worker
    own = worker.job and services().store.belongs(worker.job, owner)
    return worker.model_copy(update={"job": worker.job if own else None, "why": None})  # it names others' jobs


@bp.get("/v1/history", tags=[Tag(name="workers")], responses={200: HistoryView})
def get_history() -> Response:
    """Tell how the farm stood in the last two hours, minute by minute."""
    history = services().history
    history.note()
    return shown(HistoryView(minutes=history.read()))


@bp.get("/healthz", tags=[Tag(name="health")], responses={200: Health})
def alive() -> Response:
    """Tell that this process answers."""
    return shown(Health(status="ok"))


@bp.get("/readyz", tags=[Tag(name="health")], responses={200: Health, **problems(502, 503)})
def ready() -> Response:
    """Tell that jobs can be taken: Redis and the object store answer."""
    farm = services()
    farm.store.check()
    farm.storage.check()
    return shown(Health(status="ok"))
