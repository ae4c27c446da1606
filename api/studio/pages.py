"""The studio's pages: each is a template; what it shows, its scripts ask the public api for."""

from __future__ import annotations

import gzip
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, make_response, render_template, request

from api.studio.controls import GROUPS
from api.studio.thumbnails import pictured_layers
from dreamcore.presets import PRESETS
from dreamcore.profiles import PROFILES
from dreamcore.version import __version__

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint(
    "studio", __name__, template_folder="templates", static_folder="static", static_url_path="/studio/static"
)

TEXTS = frozenset({"text/html", "text/css", "text/javascript", "image/svg+xml"})
TABS = (
    ("studio.dream", "Dream", "wand"),
    ("studio.jobs", "Dreams", "grid"),
    ("studio.batches", "Batches", "stack"),
    ("studio.farm", "Farm", "farm"),
    ("studio.models", "Models", "layers"),
    ("studio.settings", "Settings", "key"),
)
"""The pages that one can go to from everywhere: endpoint, name, icon."""


@bp.get("/")
def dream() -> Response:
    """Show where pictures are dreamt."""
    shown = {"presets": PRESETS.values(), "profiles": PROFILES.values(), "groups": GROUPS}
    return _page("dream.html", pictured=pictured_layers(bp.static_folder), **shown)


@bp.get("/jobs")
def jobs() -> Response:
    """Show all dreams."""
    return _page("jobs.html")


@bp.get("/jobs/<job_id>")
def job(job_id: str) -> Response:
    """Show one dream as it grows."""
    return _page("job.html", job_id=job_id)


@bp.get("/batches")
def batches() -> Response:
    """Show the batches."""
    return _page("batches.html")


@bp.get("/batches/<batch_id>")
def batch(batch_id: str) -> Response:
    """Show a batch's wall of pictures."""
    return _page("batch.html", batch_id=batch_id)


@bp.get("/farm")
def farm() -> Response:
    """Show the queue and the workers."""
    return _page("farm.html")


@bp.get("/models")
def models() -> Response:
    """Show the networks and their layers."""
    return _page("models.html", pictured=pictured_layers(bp.static_folder))


@bp.get("/settings")
def settings() -> Response:
    """Show who one is, and to admins the keys."""
    return _page("settings.html")


@bp.after_request
def compress(answer: Response) -> Response:
    """Pack texts for browsers that can unpack them: a page's first load is a third of what it was."""
    answer.vary.add("Accept-Encoding")
    if answer.status_code != HTTPStatus.OK or answer.mimetype not in TEXTS or not request.accept_encodings["gzip"]:
        return answer
    answer.direct_passthrough = False
    answer.set_data(gzip.compress(answer.get_data(), mtime=0))
    answer.headers["Content-Encoding"] = "gzip"
    etag, _ = answer.get_etag()
    if etag:
        answer.set_etag(etag, weak=True)
    return answer


def _page(template: str, **shown: object) -> Response:
    response = make_response(render_template(template, tabs=TABS, version=__version__, **shown))
    response.headers.update(_security_headers(current_app.config["STUDIO_IMAGE_ORIGIN"]))
    return response


def _security_headers(image_origin: str) -> dict[str, str]:
    policy = {
        "default-src": "'self'",
        "img-src": f"'self' blob: data: {image_origin}",
        "media-src": f"'self' {image_origin}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cache-Control": "no-cache",
    }
