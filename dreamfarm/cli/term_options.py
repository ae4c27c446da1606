"""The handy ways to say a dream's terms on the command line: a file of JSON, classes, channels."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Annotated, Any

import typer

TERMS_METAVAR = "FILE|JSON"
PANEL = "What to dream"

Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="NAME[=WEIGHT]",
        help="Dream an ImageNet class in place of layers, such as goldfish; may be repeated, and joins --terms.",
        rich_help_panel=PANEL,
    ),
]
Channels = Annotated[
    list[str] | None,
    typer.Option(
        "--channels",
        metavar="LAYER:INDICES[=WEIGHT]",
        help="Dream with some channels of a layer, such as fire8:12,45, or fire8:strongest3; may be repeated, and "
        "joins --terms.",
        rich_help_panel=PANEL,
    ),
]


def parse_terms(text: str) -> tuple[Any, ...]:
    """Read terms from a file of JSON, or from JSON itself where it begins with a bracket."""
    try:
        found = json.loads(text if text.lstrip().startswith(("[", "{")) else Path(text).read_text(encoding="utf-8"))
    except OSError as error:
        raise typer.BadParameter(f"{text}: {error.strerror}; give a file of terms, or a list of them in JSON") from None
    except ValueError as error:
        raise typer.BadParameter(f"the terms are no JSON: {error}") from None
    return tuple(found) if isinstance(found, list) else (found,)


def handy_terms(classes: list[str] | None, channels: list[str] | None) -> tuple[dict[str, Any], ...]:
    """Return the terms that --class and --channels stand for."""
    return (*map(_class_term, classes or ()), *map(_channels_term, channels or ()))


def _class_term(text: str) -> dict[str, Any]:
    name, weight = _weighted(text, "goldfish=0.5")
    return {"class_name": name, **weight}


def _channels_term(text: str) -> dict[str, Any]:
    target, weight = _weighted(text, "fire8:12,45=0.5")
    layer, _, indices = target.rpartition(":")
    try:
        return {"layer": layer, "channels": _channels(indices), **weight}
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} names no channels; write for example fire8:12,45 or fire8:strongest3"
        ) from None


def _channels(text: str) -> list[int] | dict[str, Any]:
    for pick in ("strongest", "weakest", "average"):
        if text.startswith(pick):
            return {"pick": pick, "count": int(text.removeprefix(pick) or 1)}
    return [int(index) for index in text.split(",")]


def _weighted(text: str, example: str) -> tuple[str, dict[str, float]]:
    """Split NAME=WEIGHT; the weight as the key of a term, or nothing."""
    name, equals, number = text.rpartition("=")
    if not equals:
        return text, {}
    try:
        weight = float(number)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):
        raise typer.BadParameter(f"the weight in {text!r} is no number; write for example {example}")
    return name, {"weight": weight}
