"""Turns pydantic's validation errors into sentences that name the value, what is allowed, and the fix."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic import BaseModel, ValidationError
    from pydantic_core import ErrorDetails

    Schema = Mapping[str, Any]

LONGEST_VALUE = 60
MOST_TOLD = 20
"""Wrong fields that are explained; the others are counted."""
OUT_OF_BOUNDS = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
LEAST = {"minimum": "at least", "exclusiveMinimum": "more than"}
MOST = {"maximum": "at most", "exclusiveMaximum": "less than"}


class FieldProblem(NamedTuple):
    """What is wrong with one field; `pointer` is a JSON pointer, RFC 6901, into what was given."""

    pointer: str
    detail: str


def explain(
    error: ValidationError, *, known: Iterable[str] = (), models: Iterable[type[BaseModel]] = ()
) -> list[FieldProblem]:
    """Explain each wrong field, up to 20; the others are counted.

    Parameters
    ----------
    known
        The keys to choose from where one is not known.
    models
        Those that may have been validated: what they bound at both ends is told with both.
    """
    keys = tuple(known)
    model = next((one for one in models if one.__name__ == error.title), None)
    wrong = error.errors(include_url=False, include_context=False)
    schema = model.model_json_schema() if model and any(one["type"] in OUT_OF_BOUNDS for one in wrong) else {}
    told = [FieldProblem(_pointer(item["loc"]), _sentence(item, keys, schema)) for item in wrong[:MOST_TOLD]]
    untold = len(wrong) - MOST_TOLD
    return [*told, FieldProblem("", f"And {untold} more are wrong.")] if untold > 0 else told


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in location)


def _sentence(item: ErrorDetails, known: tuple[str, ...], schema: Schema) -> str:
    name = ".".join(str(part) for part in item["loc"])
    if item["type"] == "extra_forbidden":
        return f"Unknown key {name!r}. {_nearest(str(item['loc'][-1]), known)}".strip()
    if item["type"] == "missing":
        return f"{name!r} is missing."
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "value_error":
        return message
    if item["type"] in OUT_OF_BOUNDS:
        message = _both_bounds(schema, item["loc"]) or message
    return f"{name or 'The value'} is {_shortened(item['input'])}: {message[:1].lower()}{message[1:]}."


def _both_bounds(schema: Schema, location: tuple[int | str, ...]) -> str:
    """Return what a number may be, as the JSON schema has it; nothing where it has one bound or none."""
    found = [schema]
    for part in location:
        # What leads nowhere is the name of a union's branch.
        found = [inner for each in found for inner in _inside(each, part, schema)] or found
    for each in (one for node in found for one in _branches(node, schema)):
        ends = [f"{word} {each[key]}" for words in (LEAST, MOST) for key, word in words.items() if key in each]
        if len(ends) > 1:
            return f"input should be {' and '.join(ends)}"
    return ""


def _inside(node: Schema, part: int | str, schema: Schema) -> Iterator[Schema]:
    for each in _branches(node, schema):
        if isinstance(part, int):
            listed = [*each.get("prefixItems", ())[part : part + 1], each.get("items")]
        else:
            listed = [each.get("properties", {}).get(part), each.get("additionalProperties")]
        yield from (one for one in listed if isinstance(one, dict))


def _branches(node: Schema, schema: Schema) -> Iterator[Schema]:
    """Yield a node of a JSON schema, as what it refers to, or as each that it may be."""
    name = node.get("$ref", "").rpartition("/")[2]
    if name:
        yield from _branches(schema["$defs"][name], schema)
    elif "anyOf" in node:
        for each in node["anyOf"]:
            yield from _branches(each, schema)
    else:
        yield node


def _nearest(wrong: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(wrong, known, n=1)
    if close:
        return f"Did you mean {close[0]!r}?"
    return f"Known keys: {', '.join(known)}." if known else ""


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
