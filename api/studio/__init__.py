"""The studio: the web page at ``/``, which uses the public HTTP api alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, current_app, make_response, render_template

from dreamcore.params import DreamParams

if TYPE_CHECKING:
    from flask import Response

bp = Blueprint(
    "studio", __name__, template_folder="templates", static_folder="static", static_url_path="/studio/static"
)


@bp.get("/")
def page() -> Response:
    """Show the studio."""
    response = make_response(render_template("studio.html", defaults=DreamParams.model_validate({})))
    response.headers.update(_security_headers(current_app.config["STUDIO_IMAGE_ORIGIN"]))
    return response


def _security_headers(image_origin: str) -> dict[str, str]:
    policy = {
        "default-src": "'self'",
        "img-src": f"'self' blob: data: {image_origin}",
        "object-src": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
