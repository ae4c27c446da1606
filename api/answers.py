"""The kinds of answer that handlers give, all of one type."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Response, current_app, request

from farm.schema import LinkView

if TYPE_CHECKING:
    from farm.record import JobRecord
    from farm.schema import View


def shown(view: View, *, status: HTTPStatus = HTTPStatus.OK) -> Response:
    """Answer with a view as JSON."""
    return current_app.response_class(view.model_dump_json(), status=status, mimetype="application/json")


def accepted(job: JobRecord) -> Response:
    """Answer that a job was taken on, and where to see how it goes."""
    view = job.view()
    answer = shown(view, status=HTTPStatus.ACCEPTED)
    answer.headers["Location"] = view.links["self"]
    return answer


def redirected(url: str) -> Response:
    """Answer with where the bytes are; the link is short-lived, so nobody keeps the answer.

    A web page that shows a key can't follow a redirect to another place with an image; it asks for JSON, and gets the
    link itself.
    """
    headers = {"Location": url, "Cache-Control": "no-store", "Vary": "Accept"}
    if request.accept_mimetypes.best == "application/json":
        answer = shown(LinkView(url=url))
        answer.headers.update({"Cache-Control": "no-store", "Vary": "Accept"})
        return answer
    return current_app.response_class(status=HTTPStatus.FOUND, headers=headers)


def nothing() -> Response:
    """Answer that it is done."""
    return current_app.response_class(status=HTTPStatus.NO_CONTENT)
