"""Jobs over HTTP: each handler parses, calls a service, and answers."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from flask import Response, request
from flask_openapi import APIBlueprint, Tag

from api.access import caller
from api.answers import accepted, nothing, redirected, shown
from api.bodies import is_form, read_form_options, read_json
from api.contract import JOB_BODY, REDIRECT, problems, taken_on
from api.idempotency import new_id
from api.pictures import find_picture
from api.problems import InvalidRequestError
from api.requests import (
    MAX_COMPANIONS,
    JobOptions,
    JobPath,
    JobQuery,
    JobRequest,
    OctavePath,
    PictureRef,
    parse_body,
)
from api.state import services
from dreamcore.explain import FieldProblem
from farm.pictures import SeenPicture
from farm.schema import JobPage, JobView, LinkView

bp = APIBlueprint(
    "jobs", __name__, url_prefix="/v1/jobs", abp_tags=[Tag(name="jobs")], abp_responses=problems(502, 503)
)


@bp.post("", request_body=JOB_BODY, responses={202: taken_on(JobView), **problems(413, 422)})
def create_job() -> Response:
    """Store a job, queue it, answer 202 with where to poll."""
    if is_form():
        options: JobOptions = read_form_options()
        pictures, guides, masks = _uploaded("image"), _uploaded("guide"), _uploaded("mask")
        url = None
    else:
        body = parse_body(JobRequest, read_json())
        options, pictures, guides, masks = body, _referred([body.image]), _referred(body.guide), _referred(body.mask)
        url = body.image.url
    if not pictures:
        raise InvalidRequestError([FieldProblem("/image", "There is no picture: send one as the file field 'image'.")])
    job = services().jobs.create(
        pictures[0],
        options.params,
        job_id=new_id(),
        owner=caller().owner,
        guides=guides,
        masks=masks,
        zoom=options.zoom_path(),
        result_format=options.format,
        name=options.name or _file_name(url),
        tags=tuple(dict.fromkeys(options.tags)),
        needs=options.needs,
        priority=options.priority,
        expires_in=options.expires_in,
        fresh=options.fresh,
    )
    return accepted(job)


@bp.get("", responses={200: JobPage})
def list_jobs(query: JobQuery) -> Response:
    """List jobs, newest first or oldest first."""
    jobs, cursor = services().store.page(
        state=query.state,
        tag=query.tag,
        batch=query.batch,
        limit=query.limit,
        before=query.cursor,
        owner=caller().sees,
        oldest_first=query.order == "oldest",
    )
    return shown(JobPage(jobs=[job.view() for job in jobs], next_cursor=cursor))


@bp.get("/<job_id>", responses={200: JobView, **problems(404)})
def get_job(path: JobPath) -> Response:
    """Return a job."""
    return shown(services().estimates.timed(services().jobs.get(path.job_id)))


@bp.post("/<job_id>/cancel", responses={202: taken_on(JobView), **problems(404, 409)})
def cancel_job(path: JobPath) -> Response:
    """Cancel a queued or running job; its worker stops at its next step."""
    return accepted(services().jobs.cancel(path.job_id))


@bp.post("/<job_id>/retry", responses={202: taken_on(JobView), **problems(404, 409)})
def retry_job(path: JobPath) -> Response:
    """Queue a failed, canceled or expired job again."""
    return accepted(services().jobs.retry(path.job_id))


@bp.delete("/<job_id>", responses={204: None, **problems(404, 409)})
def delete_job(path: JobPath) -> Response:
    """Remove a job, its result and its previews; an active one is canceled first."""
    services().jobs.delete(path.job_id)
    return nothing()


@bp.get("/<job_id>/result", responses={200: LinkView, 302: REDIRECT, **problems(404, 409, 410)})
def get_result(path: JobPath) -> Response:
    """Redirect to the finished picture."""
    return redirected(services().jobs.result_url(path.job_id))


@bp.get("/<job_id>/preview", responses={200: LinkView, 302: REDIRECT, **problems(404, 410)})
def get_preview(path: JobPath) -> Response:
    """Redirect to a small picture of the latest finished octave, or of a late frame."""
    return redirected(services().jobs.preview_url(path.job_id))


@bp.get("/<job_id>/octaves/<int:octave>", responses={200: LinkView, 302: REDIRECT, **problems(404, 410)})
def get_octave(path: OctavePath) -> Response:
    """Redirect to a small picture of one octave."""
    return redirected(services().jobs.preview_url(path.job_id, path.octave))


@bp.get("/<job_id>/input", responses={200: LinkView, 302: REDIRECT, **problems(404)})
def get_input(path: JobPath) -> Response:
    """Redirect to the picture that was handed in."""
    return redirected(services().jobs.input_url(path.job_id))


def _uploaded(field: str) -> list[SeenPicture]:
    files = [file for file in request.files.getlist(field) if file]
    most = 1 if field == "image" else MAX_COMPANIONS
    if len(files) > most:
        problem = f"{len(files)} pictures are sent as {field!r}; {most} may be. Leave the others out."
        raise InvalidRequestError([FieldProblem(f"/{field}", problem)])
    return [services().pictures.look_at(file.read()) for file in files]


def _file_name(url: str | None) -> str | None:
    if url:
        return _plain(unquote(urlsplit(url).path))
    file = request.files.get("image")
    return _plain((file.filename or "").replace("\\", "/")) if file else None


def _plain(path: str) -> str | None:
    """Return a path's last part, without control characters."""
    return "".join(filter(str.isprintable, PurePosixPath(path).name))[-200:] or None


def _referred(refs: list[PictureRef]) -> list[SeenPicture]:
    return [find_picture(ref) for ref in refs]
