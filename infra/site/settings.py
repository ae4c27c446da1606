"""The page of the settings, from the class that reads them."""

from __future__ import annotations

import json
from typing import Any

from farm.settings import Settings

COMPUTED = {"cache_dir": "the user's cache folder"}


def page() -> str:
    """Return every environment variable with its bounds and its default."""
    told = Settings.model_json_schema()
    needed = set(told["required"])
    lines = [
        "# Settings",
        "",
        "Environment variables of api and workers, read once at their start by `farm/settings.py`; a wrong one is",
        "named, with what it takes, and nothing starts. Lists and tables are written as JSON.",
        "",
        "| variable | default | takes | what |",
        "|---|---|---|---|",
    ]
    for name, one in told["properties"].items():
        what = one.get("description", "").replace("|", "\\|")
        default = "**needed**" if name in needed and name not in COMPUTED else _default(name, one)
        lines.append(f"| `DREAMFARM_{name.upper()}` | {default} | {_takes(one)} | {what} |")
    lines += ["", "`KERAS_BACKEND` names the library that a worker computes with: `tensorflow`, by default, or `jax`."]
    return "\n".join(lines) + "\n"


def _default(name: str, one: dict[str, Any]) -> str:
    if name in COMPUTED:
        return COMPUTED[name]
    value = one.get("default")
    return "unset" if value in (None, "", [], {}) else f"`{value if isinstance(value, str) else json.dumps(value)}`"


def _takes(one: dict[str, Any]) -> str:
    choices = [choice for choice in one.get("anyOf", [one]) if choice.get("type") != "null"]
    return " or ".join(_kind(choice) for choice in choices)


def _kind(one: dict[str, Any]) -> str:
    if "enum" in one:
        return ", ".join(f"`{value}`" for value in one["enum"])
    kinds = {"array": "a list", "object": "a table", "string": "text", "integer": "whole number"}
    bounds = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤"}
    named = {"uri": "address", "path": "path", "password": "secret"}.get(one.get("format", ""))
    words = [named or kinds.get(one.get("type", ""), one.get("type", "text"))]
    words += [f"{sign} {one[name]:,g}" for name, sign in bounds.items() if name in one]
    return " ".join(words)
