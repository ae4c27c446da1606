"""Reading of what clients send: JSON and multipart bodies."""

from __future__ import annotations

import json
from http import HTTPStatus
from math import isfinite
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, request
from pydantic_core import from_json
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from api.problems import InvalidRequestError, problem
from api.requests import JobOptions, parse_body
from dreamcore.explain import FieldProblem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FORM = "multipart/form-data"
LARGEST_JSON_BYTES = 32_000_000
"""A batch of 100,000 inputs, each with a long name."""

SHOWN = 60
"""Characters of a wrong key or number that an answer repeats."""


def register_bodies(app: Flask) -> None:
    """Bound what is read of a body, however it is sent."""
    app.before_request(_bound_json)
    app.register_error_handler(RequestEntityTooLarge, _too_large)


def is_form() -> bool:
    """Tell whether the body is a form; anything else is read as JSON."""
    return request.mimetype == FORM


def check_is_form() -> None:
    """Refuse a body that is no form."""
    if not is_form():
        raise _unsupported(FORM)


def read_json() -> Any:
    """Return the request's JSON body; one that doesn't say what it is counts as JSON."""
    if request.mimetype and not request.is_json:
        raise _unsupported("application/json")
    data = request.get_data()
    if len(data) >= LARGEST_JSON_BYTES:
        raise RequestEntityTooLarge  # of a body that didn't say its length, this is the beginning
    try:
        return strict_json(data)
    except ValueError as error:
        raise InvalidRequestError([FieldProblem("", f"The body is not valid JSON: {error}.")]) from None


def read_form_options() -> JobOptions:
    """Return the options in a multipart body: `params`, `zoom` and `tags` as JSON, the others as plain text."""
    fields: dict[str, Any] = dict(request.form)
    for name in ("params", "zoom", "tags"):
        if name in fields:
            fields[name] = _json_field(name, fields)
    return parse_body(JobOptions, fields)


def strict_json(text: str | bytes) -> Any:
    """Return what JSON says, where all its readers agree on it.

    No NaN, no number beyond a double's range, no half of a surrogate pair, no key twice, and some 200 levels at most.

    Raises
    ------
    ValueError
        It says something else, or nothing.
    """
    from_json(text, allow_inf_nan=False)  # is strict, but lets keys come twice and numbers become infinite
    return json.loads(text, object_pairs_hook=_each_once, parse_float=_finite)


def _bound_json() -> None:
    if not is_form():
        request.max_content_length = LARGEST_JSON_BYTES


def _too_large(error: RequestEntityTooLarge) -> Response:
    detail = f"A body of this kind may have {request.max_content_length} bytes"
    if is_form():
        parts, text = request.max_form_parts, request.max_form_memory_size
        detail += f" in {parts} parts, and those without a file name {text} bytes together"
    return problem(HTTPStatus(error.code), "request_entity_too_large", f"{detail}. Send less at a time.")


def _each_once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key[:SHOWN]!r} stands there twice, leave one out")
        found[key] = value
    return found


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError(f"{text[:SHOWN]} is larger than a number may be, which is 1.8e308")
    return number


def _json_field(name: str, fields: Mapping[str, str]) -> Any:
    try:
        return strict_json(fields[name])
    except ValueError as error:
        detail = (
            f'The field {name!r} is not valid JSON: {error}. Send for example params={{"steps": 20}} or tags=["a"].'
        )
        raise InvalidRequestError([FieldProblem(f"/{name}", detail)]) from None


def _unsupported(wanted: str) -> UnsupportedMediaType:
    sent = request.mimetype[:SHOWN] or "nothing"
    return UnsupportedMediaType(f"The header Content-Type says {sent!r}; this call takes {wanted}.")
