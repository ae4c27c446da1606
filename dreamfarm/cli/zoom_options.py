"""The zoom options of the command line, made from the parameters themselves, as the dream's are."""

from __future__ import annotations

from functools import wraps
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from dreamcore.explain import explain
from dreamcore.zoom_path import ZoomParams
from dreamfarm.cli.errors import CommandError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from pydantic.fields import FieldInfo

PANEL = "How to zoom"
OWN = {name: field for name, field in ZoomParams.model_fields.items() if name != "format"}


def zoom_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each zoom parameter but the format; those used reach it as the dict `path`."""
    declared = [own for own in signature(command, eval_str=True).parameters.values() if own.name != "path"]
    options = [_option(name, field) for name, field in OWN.items()]

    @wraps(command)
    def run(**values: Any) -> None:
        given = {name: values.pop(name) for name in OWN}
        command(**values, path={name: value for name, value in given.items() if value is not None})

    run.__signature__ = signature(command).replace(parameters=[*declared, *options])  # type: ignore[attr-defined]
    run.__annotations__ = {}  # the signature has them, resolved
    return run


def checked_path(path: Mapping[str, Any]) -> ZoomParams:
    """Return the zoom that was asked for, or end the command saying what is wrong with it."""
    try:
        return ZoomParams.model_validate(path)
    except ValidationError as error:
        details = " ".join(
            problem.detail for problem in explain(error, known=ZoomParams.model_fields, models=(ZoomParams,))
        )
        raise CommandError(details, ExitCode.USAGE) from None


def _option(name: str, field: FieldInfo) -> Parameter:
    is_pair = isinstance(field.default, tuple)
    default = ",".join(f"{share:g}" for share in field.default) if is_pair else field.default
    option = typer.Option(
        f"--{name.replace('_', '-')}",
        help=f"{field.description} [dim]Default: {default}.[/dim]",
        show_default=False,
        rich_help_panel=PANEL,
        parser=_pair if is_pair else str,
        metavar="X,Y" if is_pair else "NUMBER",
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[Any, option])


def _pair(text: str) -> tuple[float, float]:
    try:
        across, down = map(float, text.split(","))
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no pair of numbers; write for example 0.5,0.4") from None
    return across, down
