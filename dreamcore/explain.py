"""Turns pydantic's validation errors into sentences that name the value, what is allowed, and the fix."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import ValidationError
    from pydantic_core import ErrorDetails

LONGEST_VALUE = 60
MOST_TOLD = 20
"""Wrong fields that are explained; the others are counted."""


class FieldProblem(NamedTuple):
    """What is wrong with one field; `pointer` is a JSON pointer, RFC 6901, into what was given."""

    pointer: str
    detail: str


def explain(error: ValidationError, *, known: Iterable[str] = ()) -> list[FieldProblem]:
    """Explain each wrong field, up to 20; `known` are the keys to choose from where one is not known."""
    wrong = error.errors(include_url=False, include_context=False)
    told = [FieldProblem(_pointer(item["loc"]), _sentence(item, tuple(known))) for item in wrong[:MOST_TOLD]]
    untold = len(wrong) - MOST_TOLD
    return [*told, FieldProblem("", f"And {untold} more are wrong.")] if untold > 0 else told


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _sentence(item: ErrorDetails, known: tuple[str, ...]) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"Unknown key {name!r}. {_nearest(str(item['loc'][-1]), known)}".strip()
    if item["type"] == "missing":
        return f"{name!r} is missing."
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return message
    return f"{name or 'The value'} is {_shortened(item['input'])}: {message[:1].lower()}{message[1:]}."


def _nearest(wrong: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known keys: {', '.join(known)}." if known else ""


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
