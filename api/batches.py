"""Batches over HTTP."""

from __future__ import annotations

from http import HTTPStatus
from io import BytesIO
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from flask import Response, current_app
from flask_openapi import APIBlueprint, Tag

from api.access import caller
from api.answers import shown
from api.bodies import read_json
from api.contract import JPEG, JSON_LINES, ZIP, json_body, problems, taken_on
from api.idempotency import new_id
from api.pictures import find_picture
from api.requests import (
    MAX_JOBS,
    BatchItem,
    BatchPath,
    BatchQuery,
    BatchRequest,
    check_count,
    parse_body,
)
from api.state import services
from farm.archive import zipped
from farm.batch_schema import BatchPage, BatchPlan, BatchStates, BatchView
from farm.batch_sheet import draw_sheet
from farm.batch_store import BatchInput, BatchSpec

if TYPE_CHECKING:
    from farm.batch_store import BatchRecord

bp = APIBlueprint(
    "batches", __name__, url_prefix="/v1/batches", abp_tags=[Tag(name="batches")], abp_responses=problems(502, 503)
)


@bp.post(
    "", request_body=json_body(BatchRequest), responses={200: BatchPlan, 202: taken_on(BatchView), **problems(413)}
)
def create_batch() -> Response:
    """Store a batch: its inputs, each with every point of the sweep; a dry run only says what it would be."""
    body = parse_body(BatchRequest, read_json())
    guides, masks = ([find_picture(ref) for ref in refs] for refs in (body.guide, body.mask))
    zoom = body.zoom_path()
    spec = BatchSpec(
        owner=caller().owner,
        params=body.params,
        sweep=body.sweep,
        guides=tuple(guide.view.sha256 for guide in guides),
        masks=tuple(mask.view.sha256 for mask in masks),
        zoom=zoom.model_dump(mode="json") if zoom else None,
        format=body.format,
        name=body.name,
        tags=tuple(body.tags),
        needs=body.needs,
        priority=body.priority,
        expires_in=body.expires_in,
        fresh=body.fresh,
    )
    inputs = [each for item in body.inputs for each in _inputs(item)]
    check_count(len(inputs), body.sweep.axes().count)
    if body.dry_run:
        return shown(services().batches.plan(spec, inputs, guides=guides, masks=masks))
    for seen in (*guides, *masks):
        services().pictures.keep(seen, owner=spec.owner)
    return _accepted(services().batches.create(spec, inputs, batch_id=new_id()))


@bp.get("", responses={200: BatchPage})
def list_batches(query: BatchQuery) -> Response:
    """List batches, newest first."""
    batches, cursor = services().batches.store.page(limit=query.limit, before=query.cursor, owner=caller().sees)
    return shown(BatchPage(batches=[batch.view() for batch in batches], next_cursor=cursor))


@bp.get("/<batch_id>", responses={200: BatchView, **problems(404)})
def get_batch(path: BatchPath) -> Response:
    """Return a batch: its jobs by state, how far it is, what failed."""
    return shown(services().batches.view(path.batch_id))


@bp.post("/<batch_id>/cancel", responses={202: taken_on(BatchView), **problems(404)})
def cancel_batch(path: BatchPath) -> Response:
    """Cancel every job of the batch that is queued or running."""
    return _accepted(services().batches.cancel(path.batch_id))


@bp.post("/<batch_id>/retry-failed", responses={202: taken_on(BatchView), **problems(404)})
def retry_failed(path: BatchPath) -> Response:
    """Queue the batch's failed jobs again."""
    return _accepted(services().batches.retry_failed(path.batch_id))


@bp.get("/<batch_id>/results.jsonl", responses={200: JSON_LINES, **problems(404)})
def get_results(path: BatchPath) -> Response:
    """Stream the batch's jobs, one JSON object a line, in the order of their numbers."""
    batches = services().batches
    batches.store.get(path.batch_id)
    lines = (job.view().model_dump_json() + "\n" for job in batches.results(path.batch_id))
    return current_app.response_class(lines, mimetype="application/jsonl")


@bp.get("/<batch_id>/results.zip", responses={200: ZIP, **problems(404)})
def get_archive(path: BatchPath) -> Response:
    """Stream the batch's finished pictures as one zip file."""
    farm = services()
    farm.batches.store.get(path.batch_id)
    stream = zipped(farm.batches.results(path.batch_id), farm.storage)
    headers = {"Content-Disposition": f'attachment; filename="{path.batch_id}.zip"'}
    return current_app.response_class(stream, mimetype="application/zip", headers=headers)


@bp.get("/<batch_id>/states", responses={200: BatchStates, **problems(404)})
def get_states(path: BatchPath) -> Response:
    """Tell the state of every job of the batch, in a letter each."""
    return shown(BatchStates(states=services().batches.letters(path.batch_id)))


@bp.get("/<batch_id>/sheet.jpg", responses={200: JPEG, **problems(404)})
def get_sheet(path: BatchPath) -> Response:
    """Return the batch's pictures as one, small, with what they differ in at the edges."""
    farm, file = services(), BytesIO()
    draw_sheet(farm.batches, path.batch_id, farm.storage).save(file, "JPEG", quality=88)
    headers = {"Content-Disposition": f'inline; filename="{path.batch_id}.jpg"', "Cache-Control": "no-store"}
    return current_app.response_class(file.getvalue(), mimetype="image/jpeg", headers=headers)


def _inputs(item: BatchItem) -> list[BatchInput]:
    if item.prefix is None:
        return [BatchInput(sha256=item.sha256, upload=item.upload, url=item.url, name=item.name)]
    found = services().pictures.below(item.prefix, owner=caller().owner, most=MAX_JOBS + 1)
    return [BatchInput(key=key, name=item.name or PurePosixPath(key).name[-200:]) for key in found]


def _accepted(batch: BatchRecord) -> Response:
    answer = shown(batch.view(), status=HTTPStatus.ACCEPTED)
    answer.headers["Location"] = f"/v1/batches/{batch.id}"
    return answer
