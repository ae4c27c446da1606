"""`dreamfarm models`: what can be dreamt with, known without a farm."""

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from dreamcore.catalog import MODELS, ModelSpec, get_model
from dreamfarm.cli.completion import Completion, complete_model
from dreamfarm.cli.errors import CommandError, ExitCode
from dreamfarm.cli.local import network
from dreamfarm.cli.options import AsJson
from dreamfarm.cli.output import print_json, print_note, print_rich, table
from farm.schema import LayerView, ModelView


def parse_size(text: str) -> str:
    """Check `512` or `640x480` and return it as `640x480`, in px."""
    width, _, height = text.lower().partition("x")
    height = height or width
    if not all(side.isascii() and side.isdecimal() and int(side) for side in (width, height)):
        raise typer.BadParameter(f"{text!r} is no size; write 512 or 640x480")
    return f"{int(width)}x{int(height)}"


Size = Annotated[
    str,
    typer.Option(parser=parse_size, metavar="SIZE", help="Picture size for the shapes, in px: 512, 640x480."),
]


class ModelsGroup(TyperGroup):
    """Takes a model's name in the place of a command, to show that model."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that is meant."""
        return super().resolve_command(ctx, args if args[0] in self.commands else ["show", *args])

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Complete commands and models' names."""
        names = [Completion(name, help=title) for name, title in complete_model(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *names]


app = typer.Typer(cls=ModelsGroup, invoke_without_command=True)


@app.callback()
def models(
    context: typer.Context,
    *,
    size: Size = "512",
    as_json: AsJson = False,
) -> None:
    """List the models, or one model's layers.

    `dreamfarm models NAME` shows one.
    They are what --model and --layers take. Early layers draw textures; deep ones, which see more of the picture,
    draw eyes, animals and buildings.
    """
    if context.invoked_subcommand is None:
        width, height = map(int, size.split("x"))
        _show_models([_view(model, width, height) for model in MODELS.values()], as_json=as_json)


@app.command(hidden=True)
def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.", show_default=False)],
    *,
    size: Size = "512",
    as_json: AsJson = False,
) -> None:
    """List a model's layers."""
    try:
        model = get_model(name)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
    width, height = map(int, size.split("x"))
    _show_layers(_view(model, width, height), size=size, as_json=as_json)


@app.command()
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A model.", show_default=False)],
    *,
    layers: Annotated[
        str, typer.Option(metavar="NAMES", help="Layers to answer for: fire5,fire8.", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", dir_okay=False, help="The file to write.")] = Path(
        "extractor.keras"
    ),
    weights: Annotated[str, typer.Option(help="imagenet, random, or a file of weights.")] = "imagenet",
) -> None:
    """Write a model up to some layers as a Keras file, which Netron opens and Keras loads.

    It takes images of any size, RGB in [-1, 1].
    """
    if output.suffix != ".keras":
        raise CommandError(f"{output} has no name for a Keras model; let it end in .keras.", ExitCode.USAGE)
    names = [layer.strip() for layer in layers.split(",") if layer.strip()]
    try:
        get_model(name).check_layers(names)
    except ValueError as error:
        raise CommandError(str(error), ExitCode.NOT_FOUND) from error
    model = network(name, weights, None)
    from dreamcore.extractor import extractor  # noqa: PLC0415  # loads with the engine

    extractor(model, names).save(output)
    typer.echo(output)


def _show_models(views: list[ModelView], *, as_json: bool) -> None:
    if as_json:
        print_json(views)
        return
    words = ["WHAT IT IS", "DREAMS BY DEFAULT WITH"]
    numbers = ["PARAMETERS", "LAYERS"]
    rows = table("MODEL", words[0], *numbers, "LEAST SIDE", words[1], numbers=numbers, folding=words)
    for view in views:
        favourites = ", ".join(f"{layer}={weight:g}" for layer, weight in view.default_layers.items())
        rows.add_row(
            view.name,
            view.title,
            f"{view.parameters / 1e6:.1f} M",
            str(len(view.layers)),
            f"{view.min_size} px",
            favourites,
        )
    print_rich(rows)
    print_note("\n`dreamfarm models NAME` lists a model's layers.", style="dim")


def _show_layers(view: ModelView, *, size: str, as_json: bool) -> None:
    if as_json:
        print_json(view)
        return
    numbers = ["CHANNELS", "STRIDE", "SEES"]
    rows = table("LAYER", "KIND", f"SHAPE AT {size}", *numbers, "DEFAULT", numbers=numbers)
    for layer in view.layers:
        shape = "x".join(map(str, layer.shape))
        weight = view.default_layers.get(layer.name)
        marks = "" if weight is None else f"{weight:g}"
        rows.add_row(
            layer.name, layer.kind, shape, str(layer.channels), str(layer.stride), f"{layer.receptive_field} px", marks
        )
    print_rich(rows)


def _view(model: ModelSpec, width: int, height: int) -> ModelView:
    plain = ("name", "kind", "channels", "stride", "receptive_field")
    layers = [
        LayerView(**{key: getattr(layer, key) for key in plain}, shape=layer.shape(height, width))
        for layer in model.layers
    ]
    return ModelView(
        name=model.name,
        title=model.title,
        min_size=model.min_size,
        parameters=model.parameters,
        default_layers=dict(model.default_layers),
        layers=layers,
    )
