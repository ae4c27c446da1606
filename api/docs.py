"""The OpenAPI contract at ``/openapi.json``, and a page to read and try it at ``/docs``."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, jsonify, render_template, send_from_directory

if TYPE_CHECKING:
    from flask import Response
    from flask.typing import ResponseReturnValue

POLICY = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""Swagger UI draws its arrows from data URLs, and sets styles by script, which needs nothing inline."""

bp = Blueprint("docs", __name__, template_folder="templates", static_folder="static", static_url_path="/docs/static")


@bp.get("/openapi.json")
def contract() -> ResponseReturnValue:
    """Return the OpenAPI contract."""
    return jsonify(current_app.api_doc)  # type: ignore[attr-defined]  # the application is an OpenAPI


@bp.get("/docs")
def page() -> ResponseReturnValue:
    """Show the contract, to read and to try."""
    return render_template("docs.html"), {"Content-Security-Policy": POLICY}


@bp.get("/docs/swagger/<path:name>")
def swagger(name: str) -> Response:
    """Serve Swagger UI's own files from its package."""
    return send_from_directory(str(files("flask_openapi_swagger") / "templates" / "swagger"), name, max_age=86_400)
