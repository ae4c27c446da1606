"""Every error answer, as RFC 9457 describes it: what the farm raises becomes what a client reads."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

import structlog
from flask import Flask, Response, current_app
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from dreamcore.errors import DreamError, PictureTooLargeError
from dreamcore.explain import explain
from farm.errors import (
    AddressError,
    ConflictError,
    ExpiredError,
    JobTooLargeError,
    NotFoundError,
    PermanentError,
    TransientError,
)
from farm.schema import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic import ValidationError

    from dreamcore.explain import FieldProblem

RETRY_AFTER_S = 5
CONTENT_TYPE = "application/problem+json"

TOO_LARGE = {
    PictureTooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    JobTooLargeError: HTTPStatus.UNPROCESSABLE_ENTITY,
}

log = structlog.get_logger()


class InvalidRequestError(Exception):
    """What the client sent doesn't fit; one entry per wrong field."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__(" ".join(problem.detail for problem in problems))
        self.problems = problems


def problem(
    status: HTTPStatus,
    code: str,
    detail: str,
    *,
    errors: Sequence[FieldProblem] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return an error answer."""
    body = Problem(
        title=status.phrase,
        status=status,
        code=code,
        detail=detail,
        errors=[{"pointer": error.pointer, "detail": error.detail} for error in errors],
    )
    return current_app.response_class(
        body.model_dump_json(), status=status, content_type=CONTENT_TYPE, headers=dict(headers or {})
    )


def register_problems(app: Flask) -> None:
    """Answer every error that a handler lets through."""
    app.register_error_handler(InvalidRequestError, _invalid_request)
    app.register_error_handler(DreamError, _dream_error)
    app.register_error_handler(NotFoundError, _not_found)
    app.register_error_handler(AddressError, _address_refused)
    app.register_error_handler(ExpiredError, _expired)
    app.register_error_handler(ConflictError, _conflict)
    app.register_error_handler(TransientError, _unavailable)
    app.register_error_handler(PermanentError, _refused)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(ParseException, _malformed)
    app.register_error_handler(Exception, _internal_error)


def validation_problem(error: ValidationError) -> Response:
    """Answer a wrong path or query value."""
    return _invalid_request(InvalidRequestError(explain(error)))


def _invalid_request(error: InvalidRequestError) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, "invalid_request", str(error), errors=error.problems)


def _dream_error(error: DreamError) -> Response:
    status = next((status for kind, status in TOO_LARGE.items() if isinstance(error, kind)), HTTPStatus.BAD_REQUEST)
    return problem(status, error.code, str(error))


def _not_found(error: NotFoundError) -> Response:
    return problem(HTTPStatus.NOT_FOUND, "not_found", str(error))


def _conflict(error: ConflictError) -> Response:
    return problem(HTTPStatus.CONFLICT, error.code, str(error))


def _address_refused(error: AddressError) -> Response:
    return problem(HTTPStatus.BAD_REQUEST, error.code, str(error))


def _expired(error: ExpiredError) -> Response:
    return problem(HTTPStatus.GONE, error.code, str(error))


def _unavailable(error: TransientError) -> Response:
    log.warning("service_away", service=error.service)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return problem(HTTPStatus.SERVICE_UNAVAILABLE, "service_unavailable", str(error), headers=headers)


def _refused(error: PermanentError) -> Response:
    log.error("service_refused", detail=str(error))
    return problem(HTTPStatus.BAD_GATEWAY, "storage_refused", str(error))


def _http_error(error: HTTPException) -> Response:
    status = HTTPStatus(error.code or HTTPStatus.INTERNAL_SERVER_ERROR)
    headers = {name: value for name, value in error.get_headers() if name in {"Allow", "Retry-After"}}
    # Werkzeug's name, not Python's, which changes from version to version.
    code = error.name.lower().replace(" ", "_")
    return problem(status, code, error.description or status.description, headers=headers)


def _malformed(error: ParseException) -> Response:
    """Answer a body that breaks off the rules of HTTP, which shows as it is read."""
    return problem(HTTPStatus.BAD_REQUEST, "malformed_body", f"The body is not sent as HTTP says: {error}")


def _internal_error(error: Exception) -> Response:
    log.error("unexpected_error", exc_info=error)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal_error",
        "The farm made a mistake; its log has the details. The request may be sent again.",
    )
