"""The header `Idempotency-Key`, on every call that makes something."""

from __future__ import annotations

import hashlib
import json
import re
from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from flask import Flask, Response, current_app, g, request
from ulid import ULID

from api.access import caller
from api.problems import InvalidRequestError, problem
from api.state import services
from dreamcore.explain import FieldProblem
from farm.errors import InvalidKeyReuseError, TransientError

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST, SHOWN = 255, 60
NAME = re.compile(r"[!-~]([ -~]*[!-~])?")
KEPT_HEADERS = ("Content-Type", "Location")


def register_idempotency(app: Flask) -> None:
    """Answer a call that was made before as it was answered then."""
    app.before_request(_begin)
    app.after_request(_end)
    app.register_error_handler(InvalidKeyReuseError, _reused)


def new_id() -> str:
    """Return the id for what this call makes; a repeat of the call has the same."""
    one = g.get("idempotent")
    g.made = one.id if one else str(ULID())
    return str(g.made)


def _begin() -> Response | None:
    name = request.headers.get(HEADER)
    if name is None or request.method != "POST" or "caller" not in g:
        return None
    if not NAME.fullmatch(name) or len(name) > LONGEST:
        detail = f"{HEADER} takes 1 to {LONGEST} printable ASCII characters; {name[:SHOWN]!r} has {len(name)}."
        raise InvalidRequestError([FieldProblem("", detail)])
    one = services().idempotency.claim(caller().owner, name, _fingerprint())
    if one.answer is None:
        g.idempotent = one
        return None
    return _again(one.answer)


def _end(answer: Response) -> Response:
    one = g.pop("idempotent", None)
    if one is None:
        return answer
    # Where Redis is away by now, the answer stands: a repeat finds the try dead after a while, and what it made.
    with suppress(TransientError):
        if answer.status_code < HTTPStatus.BAD_REQUEST:
            services().idempotency.end(one, "keep", answer=_kept(answer))
        elif answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            services().idempotency.end(one, "forget")
        else:
            services().idempotency.end(one, "free")
    return answer


def _kept(answer: Response) -> str:
    headers = {name: answer.headers[name] for name in KEPT_HEADERS if name in answer.headers}
    body = g.pop("body_to_keep", None) or answer.get_data(as_text=True)
    return json.dumps({"status": answer.status_code, "headers": headers, "body": body})


def _again(answer: str) -> Response:
    kept = json.loads(answer)
    headers = {**kept["headers"], REPLAYED: "true", "Cache-Control": "no-store"}
    return current_app.response_class(kept["body"], status=kept["status"], headers=headers)


def _fingerprint() -> str:
    """Return what makes two calls the same: address and content, however the parts of a form were put together."""
    digest = hashlib.sha256()
    for part in (request.method, request.path, request.query_string.decode(), request.mimetype):
        digest.update(f"{part}\n".encode())
    if request.mimetype == "multipart/form-data":
        for name in sorted(request.form):
            digest.update(json.dumps([name, request.form.getlist(name)]).encode())
        for name in sorted(request.files):
            for file in request.files.getlist(name):
                digest.update(json.dumps([name, file.filename, _sha256(file)]).encode())
    else:
        digest.update(request.get_data())
    return digest.hexdigest()


def _sha256(file: FileStorage) -> str:
    digest = hashlib.file_digest(file.stream, "sha256")  # type: ignore[arg-type]  # it reads, which is all that is asked
    file.stream.seek(0)
    return digest.hexdigest()


def _reused(error: InvalidKeyReuseError) -> Response:
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "idempotency_key_reused", str(error))
