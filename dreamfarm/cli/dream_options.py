"""The dream options of the command line, made from the parameters themselves.

A field added to `DreamParams` is an option of every command decorated with `dream_options`, with no change here.
"""

from __future__ import annotations

import math
from functools import wraps
from inspect import Parameter, signature
from types import NoneType
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer

from dreamcore.params import DreamParams
from dreamfarm.cli.completion import complete_layers, complete_model
from dreamfarm.cli.term_options import TERMS_METAVAR, Channels, Classes, handy_terms, parse_terms

if TYPE_CHECKING:
    from collections.abc import Callable

    from pydantic.fields import FieldInfo

PANEL = "What to dream"
LAYERS_METAVAR = "NAME[=WEIGHT],…"
NONE = "none"
LARGEST_BOUND_SHOWN = 2**31
COMPLETERS: dict[str, Callable[..., Any]] = {"model": complete_model, "layers": complete_layers}
HANDY = {"classes": Classes, "channels": Channels}


def dream_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each dream parameter; those that were used reach it as the dict `params`."""
    declared = [own for own in signature(command, eval_str=True).parameters.values() if own.name != "params"]
    options = [_option(name, field) for name, field in DreamParams.model_fields.items()]
    options += [Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=kind) for name, kind in HANDY.items()]

    @wraps(command)
    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in DreamParams.model_fields}
        params = {name: _unwrapped(value) for name, value in given.items() if value is not None}
        if handy := handy_terms(*(values.pop(name) for name in HANDY)):
            params["terms"] = (*params.get("terms", ()), *handy)
        if values.get("guide") and "terms" not in params:
            params.setdefault("objective", "guide-dot")
        command(**values, params=params)

    run.__signature__ = signature(command).replace(parameters=[*declared, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {}  # the signature has them, resolved
    return run


class _Nothing:
    """Stands for a value that was set to none, as an option that wasn't used is None."""


def _unwrapped(value: Any) -> Any:
    return None if isinstance(value, _Nothing) else value


def parse_layers(text: str) -> dict[str, float]:
    """Read `fire8,fire9=0.5`: layers with their weights, 1 where none is given."""
    layers: dict[str, float] = {}
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, weight = (part.strip() for part in item.partition("="))
        if not name or name in layers:
            raise typer.BadParameter(f"{item!r} names {'a layer twice' if name else 'no layer'}; write fire8,fire9=0.5")
        layers[name] = _weight(item, weight)
    if not layers:
        raise typer.BadParameter("no layer is named; write for example fire8,fire9=0.5")
    return layers


def _weight(item: str, weight: str) -> float:
    try:
        value = float(weight or 1)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise typer.BadParameter(f"the weight in {item!r} is no number; write for example fire8,fire9=0.5")
    return value


def _whole_number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no whole number; write for example 10") from None


def _number(text: str, *, example: str = "0.5") -> float:
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no number; write for example {example}") from None


def _number_or_none(text: str) -> float | _Nothing:
    return _Nothing() if text.lower() == NONE else _number(text, example=f"0.5, or {NONE}")


def _option(name: str, field: FieldInfo) -> Parameter:
    kind, settings = _kind(field.annotation)
    flag = name.replace("_", "-")
    option = typer.Option(
        f"--{flag}/--no-{flag}" if field.annotation is bool else f"--{flag}",
        help=f"{field.description}{_bounds(field)} [dim]Default: {_default(name)}.[/dim]",
        show_default=False,
        rich_help_panel=PANEL,
        autocompletion=COMPLETERS.get(name),
        **settings,
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind, option])


def _kind(annotation: Any) -> tuple[Any, dict[str, Any]]:
    if get_origin(annotation) is dict:
        return dict | None, {"parser": parse_layers, "metavar": LAYERS_METAVAR}
    if get_origin(annotation) is tuple:
        return Any, {"parser": parse_terms, "metavar": TERMS_METAVAR}
    if NoneType in get_args(annotation):
        return Any, {"parser": _number_or_none, "metavar": f"NUMBER|{NONE}"}
    if get_origin(annotation) is Literal:
        return annotation | None, {}
    return annotation | None, KINDS[annotation]


KINDS: dict[type, dict[str, Any]] = {
    bool: {},
    int: {"parser": _whole_number, "metavar": "INT"},
    float: {"parser": _number, "metavar": "NUMBER"},
    str: {"metavar": "NAME"},
}


def _bounds(field: FieldInfo) -> str:
    limits = {"ge": "at least {}", "gt": "more than {}", "le": "at most {}", "lt": "less than {}"}
    texts = [
        text.format(value)
        for name, text in limits.items()
        for value in (getattr(item, name, None) for item in field.metadata)
        if value is not None and abs(value) < LARGEST_BOUND_SHOWN
    ]
    return f" {', '.join(texts).capitalize()}." if texts else ""


def _default(name: str) -> str:
    value = getattr(DreamParams.model_validate({}), name)
    if isinstance(value, dict):
        return ",".join(layer if weight == 1 else f"{layer}={weight:g}" for layer, weight in value.items())
    return NONE if value in {None, ()} else str(value)
