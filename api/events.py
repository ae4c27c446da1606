"""A job's changes as server-sent events, and its losses."""

from __future__ import annotations

from http import HTTPStatus
from itertools import chain
from threading import BoundedSemaphore
from typing import cast

from flask import Response, current_app, request
from flask_openapi import APIBlueprint, Tag

from api.answers import nothing, shown
from api.contract import EVENT_STREAM, problems
from api.problems import problem
from api.requests import JobPath
from api.state import services
from farm.events import Event, valid_event_id
from farm.schema import LossesView

PAUSE_S = 15
RETRY_MS = 1000

bp = APIBlueprint("events", __name__, url_prefix="/v1/jobs", abp_tags=[Tag(name="jobs")])


@bp.get("/<job_id>/events", responses={200: EVENT_STREAM, 204: None, **problems(400, 404, 429, 503)})
def follow_job(path: JobPath) -> Response:
    """Stream a job's changes; `Last-Event-ID` replays what was missed, and 204 says that nothing was."""
    farm = services()
    farm.jobs.get(path.job_id)
    after = valid_event_id(request.headers.get("Last-Event-ID"))
    if farm.events.is_over(path.job_id, after=after):
        return nothing()  # tells a browser not to come back
    places = cast("BoundedSemaphore", current_app.extensions["event_streams"])
    if not places.acquire(blocking=False):
        return problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            "too_many_streams",
            f"This api process streams to {farm.settings.max_event_streams} readers already. Poll the job instead.",
            headers={"Retry-After": "5"},
        )
    events = farm.events.follow(
        path.job_id,
        after=after,
        life_s=farm.settings.event_stream_life_s,
        pause_s=min(PAUSE_S, farm.settings.event_stream_life_s),
    )
    response = Response(chain([f"retry: {RETRY_MS}\n\n"], map(_encoded, events)), mimetype="text/event-stream")
    response.headers.update({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
    response.call_on_close(places.release)
    return response


@bp.get("/<job_id>/losses", responses={200: LossesView, **problems(404, 503)})
def get_losses(path: JobPath) -> Response:
    """Tell how the objective grew in each octave that is done; a film's frames aren't told."""
    job = services().jobs.get(path.job_id)
    return shown(LossesView(octaves=[list(octave) for octave in job.losses]))


def _encoded(events: list[Event]) -> str:
    blocks = [f"id: {event.id}\nevent: update\ndata: {event.json}\n\n" for event in events]
    return "".join(blocks) or ": nothing new\n\n"
