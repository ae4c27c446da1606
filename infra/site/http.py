"""The page of the HTTP calls, from the OpenAPI contract that the api answers with."""

from __future__ import annotations

from typing import Any

from api.app import create_app
from api.state import KEY
from farm.settings import Settings

VERBS = ("get", "post", "put", "patch", "delete")


def contract() -> dict[str, Any]:
    """Return the contract; no server is asked for it."""
    app = create_app(Settings(redis_url="redis://nowhere/0", s3_bucket="dreams", decoders=1))
    app.extensions[KEY].pictures.decoders.end()
    document: dict[str, Any] = app.api_doc
    return document


def page() -> str:
    """Return all calls, with what they take and answer."""
    told = contract()
    lines = [
        "# HTTP",
        "",
        f"Version {told['info']['version']}. The same stands at every farm's `/openapi.json`, to be tried at `/docs`.",
        "Errors are problem details (RFC 9457) with a stable `code`.",
        "",
    ]
    for path, calls in told["paths"].items():
        for verb in VERBS:
            if verb in calls:
                lines += _call(verb, path, calls[verb])
    lines += ["## Models", ""]
    for name, schema in sorted(told["components"]["schemas"].items()):
        lines += _model(name, schema)
    return "\n".join(lines) + "\n"


def _call(verb: str, path: str, call: dict[str, Any]) -> list[str]:
    lines = [f"## {verb.upper()} `{path}`", "", call.get("summary", ""), "", call.get("description", ""), ""]
    if parameters := [one for one in call.get("parameters", []) if "name" in one]:
        lines += ["| parameter | in | takes | what |", "|---|---|---|---|"]
        lines += [
            f"| `{one['name']}` | {one['in']} | {_takes(one.get('schema', {}))} | {_cell(one.get('description', ''))} |"
            for one in parameters
        ]
        lines.append("")
    for kind, body in call.get("requestBody", {}).get("content", {}).items():
        lines += [f"Takes `{kind}`: {_takes(body.get('schema', {}))}", ""]
    lines += ["| answer | |", "|---|---|"]
    lines += [f"| {status} | {_answer(answer)} |" for status, answer in sorted(call.get("responses", {}).items())]
    return [*lines, ""]


def _answer(answer: dict[str, Any]) -> str:
    shown = {_takes(body.get("schema", {})) for body in answer.get("content", {}).values()}
    return _cell(f"{answer.get('description', '')} {' or '.join(sorted(shown - {''}))}")


def _model(name: str, schema: dict[str, Any]) -> list[str]:
    lines = [f"### {name}", "", schema.get("description", "").strip(), ""]
    if properties := schema.get("properties"):
        needed = set(schema.get("required", []))
        lines += ["| field | takes | what |", "|---|---|---|"]
        for field, one in properties.items():
            shown = f"`{field}`, needed" if field in needed else f"`{field}`"
            lines.append(f"| {shown} | {_takes(one)} | {_cell(one.get('description', ''))} |")
    elif values := schema.get("enum"):
        lines.append(", ".join(f"`{value}`" for value in values))
    return [*lines, ""]


def _takes(schema: dict[str, Any]) -> str:
    """Return what a schema takes, in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    for choice in ("anyOf", "oneOf", "allOf"):
        if choice in schema:
            return " or ".join(dict.fromkeys(_takes(one) for one in schema[choice]))
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {_takes(schema.get('items', {}))}"
    return " ".join([str(schema.get("format") or schema.get("type") or "anything"), *_bounds(schema)])


def _bounds(schema: dict[str, Any]) -> list[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<", "maxLength": "at most"}
    return [f"{sign} {schema[name]:,g}" for name, sign in signs.items() if name in schema]


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
