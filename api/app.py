"""The application factory."""

from __future__ import annotations

from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask_openapi import Info, OpenAPI
from werkzeug.middleware.proxy_fix import ProxyFix

from api import (
    audit,
    batches,
    catalog,
    docs,
    estimates,
    events,
    jobs,
    keys,
    metrics,
    operations,
    sessions,
    studio,
    traces,
    webhooks,
)
from api.access import register_access, register_scopes
from api.bodies import register_bodies
from api.contract import add_schemas
from api.headers import register_headers
from api.idempotency import register_idempotency
from api.limits import register_limits
from api.problems import register_problems, validation_problem
from api.refusals import add_common
from api.state import KEY
from api.visitors import SESSION_COOKIE
from dreamcore.version import __version__
from farm.logs import configure_logs
from farm.schema import Problem
from farm.services import Services
from farm.settings import load_settings

if TYPE_CHECKING:
    from farm.settings import Settings

FORM_OVERHEAD_BYTES = 1_000_000
CALLS = (jobs, batches, estimates, events, catalog, operations, sessions, keys, webhooks, audit, metrics)


def create_app(settings: Settings | None = None) -> OpenAPI:
    """Return the api as a WSGI application; without `settings` they are read from the environment."""
    settings = settings or load_settings()
    configure_logs(settings)
    app = OpenAPI(
        "api",
        security_schemes={
            "key": {"type": "http", "scheme": "bearer"},
            "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
        },
        info=Info(title="Dreamfarm", version=__version__, description="Pictures in, dreams out."),
        validation_error_status=400,
        validation_error_model=Problem,
        validation_error_callback=validation_problem,
        openapi_extensions={"security": [{"key": []}, {"session": []}]},
        doc_ui=False,
        static_folder=None,
    )
    app.openapi_version = "3.1.0"
    app.url_map.merge_slashes = False  # no such path is no such path, and not a redirect
    app.json.sort_keys = False  # type: ignore[attr-defined]  # the default provider has it
    app.config["MAX_CONTENT_LENGTH"] = 2 * settings.max_upload_bytes + FORM_OVERHEAD_BYTES
    app.config["STUDIO_IMAGE_ORIGIN"] = _origin(settings)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies)  # type: ignore[method-assign]  # as documented
    app.extensions[KEY] = services = Services.connect(settings)
    services.pictures.decoders.warm()
    app.extensions["fetches"] = BoundedSemaphore(settings.max_fetches)
    app.extensions["event_streams"] = BoundedSemaphore(settings.max_event_streams)
    register_headers(app)
    register_problems(app)
    register_bodies(app)
    traces.register_traces(app, services.traces)
    metrics.register_metrics(app, services.metrics)
    register_access(app)
    audit.register_audit(app)
    register_limits(app)
    register_scopes(app)
    register_idempotency(app)
    for module in CALLS:
        app.register_api(module.bp)
    add_schemas(app)
    add_common(app)
    app.register_blueprint(docs.bp)
    app.register_blueprint(studio.bp)
    return app


def _origin(settings: Settings) -> str:
    endpoint = settings.s3_public_endpoint_url or settings.s3_endpoint_url
    if endpoint is None:
        return "https:"
    parts = urlsplit(str(endpoint))
    return f"{parts.scheme}://{parts.netloc}"
